"""Hooks as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.destination.secret_file import SecretFiles
from alerts.guard import Guard
from alerts.retrain.document import check, hook_from, written
from core.error import ConfigError
from core.hook import Baseline, Hook, Mode, On, Require, Verify
from core.moment import DAY
from core.monitor import Severity

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WRITTEN: dict[str, Any] = {
    "hook": "retrain-delay",
    "model": "flight-delay",
    "kind": "webhook",
    "url": "http://127.0.0.1:9000/retrain",
    "secret": SECRET,
    "on": {"severity": "ticket", "families": ["performance", "drift"], "after": "2 windows"},
    "schedule": "0 3 * * 1",
    "timezone": "Europe/Rome",
    "mode": "automatic",
    "cooldown": "7d",
    "budget": "4 per 30d",
    "require": {"labels": 5000, "no_open": ["quality"]},
    "verify": {"measure": "performance.accuracy", "window": "1d", "windows": 3, "within": "14d"},
    "baseline_after": "effective",
    "cadence": "30d",
}


def test_a_hook_is_read_as_it_is_written() -> None:
    """And shown again in the same words, without its secret."""
    hook = hook_from(WRITTEN)
    assert hook == Hook(
        name="retrain-delay",
        model="flight-delay",
        settings={"url": "http://127.0.0.1:9000/retrain", "secret": SECRET},
        on=On(severity=Severity.TICKET, families=("performance", "drift"), after=2),
        schedule="0 3 * * 1",
        timezone="Europe/Rome",
        mode=Mode.AUTOMATIC,
        cooldown=7 * DAY,
        budget=(4, 30 * DAY),
        require=Require(labels=5000, no_open=("quality",)),
        verify=Verify(measure="performance.accuracy", window=DAY, windows=3, within=14 * DAY),
        baseline_after=Baseline.EFFECTIVE,
        cadence=30 * DAY,
    )
    again = written(hook)
    assert again["secret"] == "***"
    assert SECRET not in str(hook.shown()) + repr(hook)
    assert hook_from({**{name: value for name, value in again.items() if value is not None}, "secret": SECRET}) == hook


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": None}, "`model`"),
        ({"kind": "cron"}, "there is no `kind`"),
        ({"urls": 1}, "`urls`: there is no such field"),
        ({"url": "ftp://x"}, "`url`"),
        ({"secret": None}, "`secret`"),
        ({"on": {"families": ["quality"]}}, "never asks for a retraining"),
        ({"on": {"severity": "red"}}, "`on.severity`"),
        ({"on": {"after": "0 windows"}}, "`on.after`"),
        ({"on": "page"}, "`on`"),
        ({"schedule": "61 * * * *"}, "`schedule`"),
        ({"timezone": "Mars"}, "no time zone"),
        ({"mode": "auto"}, "dry_run, approval or automatic"),
        ({"cooldown": "soon"}, "`cooldown`"),
        ({"budget": "many"}, "`budget`"),
        ({"require": {"labels": -1}}, "`require.labels`"),
        ({"require": {"coverage": 2}}, "`require.coverage`"),
        ({"verify": {"window": "1d"}}, "`verify.measure`"),
        ({"verify": {"measure": "performance.accuracy", "windows": 30}}, "`verify.within`"),
        ({"verify": None}, "`baseline_after`"),
        ({"timeout": "52w"}, "`timeout`"),
        ({"enabled": "yes"}, "`enabled`"),
    ],
)
def test_a_fault_is_named_with_its_place_and_a_remedy(changes: dict[str, Any], said: str) -> None:
    """The message names the hook, the field, and what to write instead."""
    with pytest.raises(ConfigError) as raised:
        hook_from({**WRITTEN, **changes})
    assert said in str(raised.value)
    assert raised.value.message.startswith("hook `retrain-delay`")
    assert raised.value.remedy


def test_addresses_and_files_are_judged_as_those_of_destinations() -> None:
    """Nothing is sent to a metadata address, and no other file of the server is read."""
    with pytest.raises(ConfigError, match="to which nothing is ever sent"):
        hook_from({**WRITTEN, "url": "http://169.254.169.254/"}, Guard(loopback=True))
    with pytest.raises(ConfigError, match="not in a folder of secrets"):
        hook_from({**WRITTEN, "secret": None, "secret_file": "/etc/passwd"}, files=SecretFiles())


def test_a_hook_names_a_model_and_a_measure_that_are_there() -> None:
    """Otherwise it could never ask, or never be judged."""
    hook = hook_from(WRITTEN)
    check(hook, {"flight-delay"}, {"performance.accuracy"})
    with pytest.raises(ConfigError, match="there is no model"):
        check(hook, (), {"performance.accuracy"})
    with pytest.raises(ConfigError, match="there is no measure"):
        check(hook, {"flight-delay"}, ())
