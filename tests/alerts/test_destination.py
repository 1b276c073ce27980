"""Destinations: what is taken, what is refused, and that secrets do not show."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.destination.document import destination_from
from core.destination import Destination
from core.error import ConfigError
from core.monitor import Severity
from tests.alerts.sample import SECRET

GOOD = {"destination": "oncall", "url": "https://u:hidden@example.org/hook?token=hidden", "secret": SECRET}


def test_a_document_becomes_a_destination() -> None:
    """Everything in the documented example arrives."""
    document = {"destination": "oncall", "kind": "webhook", "url": "http://127.0.0.1:9000/hook", "secret_file": "/run/secrets/oncall"}
    assert destination_from({**document, "models": ["taxi-fare"], "severity": "ticket"}) == Destination(
        name="oncall",
        settings={"url": "http://127.0.0.1:9000/hook", "secret_file": "/run/secrets/oncall"},
        models=("taxi-fare",),
        severity=Severity.TICKET,
    )


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"destination": ""}, "`destination`"),
        ({"kind": "carrier pigeon"}, "`kind`"),
        ({"kind": ["webhook"]}, "`kind`"),
        ({"url": "ftp://example.org/"}, "`url`"),
        ({"url": "file:///etc/passwd"}, "`url`"),
        ({"url": "http://"}, "`url`"),
        ({"url": "http://[::1"}, "`url`"),
        ({"url": "http://xn--a.example/"}, "`url`"),
        ({"url": "http://256.256.256.256/"}, "`url`"),
        ({"url": None}, "`url`"),
        ({"secret": "hunter2"}, "`secret`"),
        ({"secret": "whsec_aGk="}, "`secret`"),
        ({"secret": None}, "`secret`"),
        ({"secret_file": "/run/x"}, "one of `secret` and `secret_file`"),
        ({"secret": None, "secret_file": "x"}, "`secret_file`"),
        ({"models": "taxi"}, "`models`"),
        ({"models": []}, "`models`"),
        ({"severity": "loud"}, "`severity`"),
        ({"events": "trust"}, "`events`"),
        ({"events": []}, "`events`"),
        ({"events": ["trust", "rain"]}, "`events`"),
        ({"events": [["trust"]]}, "`events`"),
        ({"colour": "red"}, "`colour`"),
    ],
)
def test_a_fault_is_named_with_its_remedy_and_without_the_secret(change: dict[str, Any], named: str) -> None:
    """What cannot be taken is refused by the name of its field."""
    with pytest.raises(ConfigError) as refused:
        destination_from({**GOOD, **change})
    assert named in refused.value.message
    assert refused.value.remedy
    assert "hunter2" not in str(refused.value)


def test_nothing_that_is_shown_holds_a_secret() -> None:
    """Secret, password and query stay inside."""
    destination = destination_from(GOOD)
    for shown in (repr(destination), str(destination), str(destination.shown())):
        assert SECRET not in shown
        assert "hidden" not in shown
        assert "example.org/hook" in shown


def test_severity_and_models_choose() -> None:
    """A destination takes its models, at its severity and above."""
    destination = destination_from({**GOOD, "models": ["a"], "severity": "ticket"})
    assert [destination.takes("a", severity) for severity in Severity] == [False, True, True]
    assert not destination.takes("b", Severity.PAGE)


def test_events_choose() -> None:
    """Episodes unless something else is asked for."""
    kinds = [destination_from({**GOOD, "events": events}) for events in (None, ["trust"], ["trust", "episode"])]
    assert [(one.takes("a", Severity.PAGE), one.takes_trust("a")) for one in kinds] == [(True, False), (False, True), (True, True)]
    assert not destination_from({**GOOD, "models": ["a"], "events": ["trust"]}).takes_trust("b")


def test_a_console_takes_a_path_or_nothing() -> None:
    """What it writes to is on the machine that delivers."""
    assert destination_from({"destination": "log", "kind": "console"}).settings == {}
    assert destination_from({"destination": "log", "kind": "console", "file": "/var/log/x.log"}).settings == {"file": "/var/log/x.log"}
    for wrong in ({"file": "x"}, {"file": 3}, {"file": "/a\0.log"}, {"file": "/root/.bashrc"}, {"url": "http://example.org"}):
        with pytest.raises(ConfigError, match=r"`file`|`url`"):
            destination_from({"destination": "log", "kind": "console", **wrong})
