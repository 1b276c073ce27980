"""Hooks as people write them. ConfigError says what is wrong, at which field, and what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from alerts import field
from alerts.destination.document import judge
from alerts.destination.secret_file import SecretFiles
from alerts.guard import Guard
from alerts.retrain import cron, registry
from alerts.retrain.target.kind import target
from core import duration, moment
from core.described import READERS, described
from core.error import ConfigError
from core.hook import CAUSES, Baseline, Hook, Mode, On, Require, Verify
from core.measure import Family
from core.monitor import Severity

_FIELDS = (
    *("hook", "model", "kind", "on", "schedule", "timezone", "mode", "cooldown", "budget", "require", "verify", "baseline_after"),
    *("timeout", "cadence", "enabled"),
    *READERS,
)
_LONGEST = 90 * moment.DAY  # of a run
_WINDOWS = 500  # that a new version must be good in: a request holds each of them


def hook_from(document: Mapping[str, Any], guard: Guard | None = None, files: SecretFiles | None = None) -> Hook:
    """The hook that a document defines.

    With a guard an address in numbers to which nothing may be sent is a fault, and with `files` a file that may not be read, as for destinations.
    """
    name = str(document.get("hook"))
    try:
        hook = _read(name, document)
        if guard is not None:
            judge(hook.settings, guard)
        if files is not None:
            files.check(hook.settings)
    except ConfigError as error:
        raise ConfigError(f"hook `{name}`, {error.message}", remedy=error.remedy) from None
    return hook


def check(hook: Hook, models: Collection[str], measures: Collection[str]) -> None:
    """Raise ConfigError if the hook names a model or a measure that is not there."""
    at = f"hook `{hook.name}`, "
    if hook.model not in models:
        remedy = f"give its reference first: watchkeeper reference {hook.model} FILE.parquet"
        raise ConfigError(f"{at}`model`: there is no model `{hook.model}`", remedy=remedy)
    if hook.verify is not None and hook.verify.measure not in measures:
        remedy = "write one of those in docs/measures.md, such as performance.accuracy"
        raise ConfigError(f"{at}`verify.measure`: there is no measure `{hook.verify.measure}`", remedy=remedy)


def written(hook: Hook) -> dict[str, Any]:
    """The hook in the words of the grammar, without secrets."""
    on, verify = hook.on, hook.verify
    kept = set(Hook.__struct_fields__)
    return {
        "hook": hook.name,
        "model": hook.model,
        "kind": hook.kind,
        **{name: value for name, value in hook.shown().items() if name not in kept},
        "on": None if on is None else {"severity": on.severity, "families": list(on.families), "after": f"{on.after} windows"},
        "schedule": hook.schedule,
        "timezone": hook.timezone,
        "mode": hook.mode,
        "cooldown": duration.text(hook.cooldown) if hook.cooldown else "0s",
        "budget": f"{hook.budget[0]} per {duration.text(hook.budget[1])}",
        "require": {"labels": hook.require.labels, "no_open": list(hook.require.no_open), "coverage": hook.require.coverage},
        "verify": None
        if verify is None
        else {
            "measure": verify.measure,
            "window": duration.text(verify.window),
            "windows": verify.windows,
            "within": duration.text(verify.within),
            "segment": verify.segment,
        },
        "baseline_after": hook.baseline_after,
        "timeout": duration.text(hook.timeout),
        "cadence": None if hook.cadence is None else duration.text(hook.cadence),
        "enabled": hook.enabled,
        **hook.words,
    }


def _read(name: str, document: Mapping[str, Any]) -> Hook:
    of = target(document.get("kind", "webhook"))
    field.only(document, (*_FIELDS, *registry.FIELDS, *of.fields), "", "hook")
    hook = Hook(
        name=name,
        model=_text(document.get("model"), "model"),
        kind=of.name,
        settings=of.settings(document) | registry.settings(document),
        on=field.read(document, "on", "", _on, None),
        schedule=field.read(document, "schedule", "", _schedule, None),
        timezone=field.read(document, "timezone", "", field.zone, "UTC"),
        mode=field.read(document, "mode", "", lambda value, at: Mode(_word(value, at, tuple(Mode))), Mode.APPROVAL),
        cooldown=field.read(document, "cooldown", "", field.pause, Hook(name="", model="").cooldown),
        budget=field.read(document, "budget", "", field.rate, Hook(name="", model="").budget),
        require=field.read(document, "require", "", _require, Require()),
        verify=field.read(document, "verify", "", _verify, None),
        baseline_after=field.read(
            document, "baseline_after", "", lambda value, at: Baseline(_word(value, at, tuple(Baseline))), Baseline.KEEP
        ),
        timeout=field.read(document, "timeout", "", _timeout, moment.DAY),
        cadence=field.read(document, "cadence", "", field.length, None),
        enabled=field.read(document, "enabled", "", field.flag, True),
        since=0,
        **described(document),
    )
    if hook.baseline_after is Baseline.EFFECTIVE and hook.verify is None:
        raise field.fault(
            "baseline_after", "nothing is verified, so nothing becomes the reference", "write `verify`, or `baseline_after: keep`"
        )
    return hook


def _on(value: Any, at: str) -> On:
    value = _mapping(value, at, "{severity: ticket, families: [performance, drift], after: 2 windows}")
    field.only(value, ("severity", "families", "after"), at)
    families = field.read(value, "families", at, lambda one, place: field.of(one, place, tuple(Family)), On().families)
    if wrong := [one for one in families if one not in CAUSES]:
        raise field.fault(
            f"{at}.families",
            f"an episode of {wrong[0]} never asks for a retraining: what a broken pipeline has written would be trained on",
            "write one or more of " + ", ".join(CAUSES),
        )
    return On(
        severity=field.read(value, "severity", at, lambda one, place: Severity(_word(one, place, tuple(Severity))), Severity.TICKET),
        families=families,
        after=field.read(value, "after", at, _windows, 1),
    )


def _windows(value: Any, at: str) -> int:
    """`2 windows`, `1 window` or the number."""
    number = value.removesuffix("s").removesuffix("window").strip() if isinstance(value, str) else value
    return field.whole(int(number) if isinstance(number, str) and number.isdecimal() and len(number) < 10 else number, at)


def _require(value: Any, at: str) -> Require:
    value = _mapping(value, at, "{labels: 5000, no_open: [quality]}")
    field.only(value, ("labels", "no_open", "coverage"), at)
    return Require(
        labels=field.read(value, "labels", at, lambda one, place: field.whole(one, place, 0), 0),
        no_open=field.read(value, "no_open", at, _families, Require().no_open),
        coverage=field.read(value, "coverage", at, _share, 0.0),
    )


def _families(value: Any, at: str) -> tuple[str, ...]:
    return () if value == [] else field.of(value, at, tuple(Family))


def _verify(value: Any, at: str) -> Verify:
    value = _mapping(value, at, "{measure: performance.accuracy, window: 1d, windows: 3, within: 14d}")
    field.only(value, ("measure", "window", "windows", "within", "segment"), at)
    usual = Verify(measure="", window=moment.DAY)
    found = Verify(
        measure=_text(value.get("measure"), f"{at}.measure"),
        window=field.read(value, "window", at, field.length, usual.window),
        windows=field.read(value, "windows", at, _verified, usual.windows),
        within=field.read(value, "within", at, field.length, usual.within),
        segment=field.read(value, "segment", at, _text, usual.segment),
    )
    if found.windows * found.window > found.within:
        raise field.fault(
            f"{at}.within",
            "it is shorter than the windows that are verified",
            f"write at least `{duration.text(found.windows * found.window)}`",
        )
    return found


def _verified(value: Any, at: str) -> int:
    found = field.whole(value, at)
    if found > _WINDOWS:
        raise field.fault(at, f"`{value}` windows are more than {_WINDOWS}", "write fewer, or a longer `window`")
    return found


def _schedule(value: Any, at: str) -> str:
    try:
        cron.parse(value)
    except ConfigError as error:
        raise field.fault(at, error.message, error.remedy) from None
    return str(value)


def _timeout(value: Any, at: str) -> int:
    found = field.length(value, at)
    if found > _LONGEST:
        raise field.fault(at, f"`{value}` is longer than 90 days", "write a shorter time")
    return found


def _share(value: Any, at: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise field.fault(at, f"`{value}` is no share", "write a number from 0 to 1, such as 0.8")
    return float(value)


def _word(value: Any, at: str, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise field.fault(at, f"`{value}` is not allowed", "write " + ", ".join(known[:-1]) + " or " + known[-1])
    return value


def _text(value: Any, at: str) -> str:
    if not isinstance(value, str) or not value:
        raise field.fault(
            at, "it is missing" if value is None else f"`{value}` is no name", "write a name, in quotes if it looks like a number"
        )
    return value


def _mapping(value: Any, at: str, example: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise field.fault(at, f"`{value}` is no mapping", f"write for example {example}")
    return value
