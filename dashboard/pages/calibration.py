"""What a monitor's calibration tells of a column: how dependent its rows are, from how many windows that is known, and what raises an alarm."""

from __future__ import annotations

from typing import Any

import msgspec
from dash.development.base_component import Component

from core import number
from core.error import ConfigError, Retryable
from core.measure import Measure
from core.monitor import Compare, Gate, Monitor
from dashboard import components as piece
from dashboard import texts as word
from dashboard.away import again
from dashboard.panel import ask
from dashboard.ports import Reader
from dashboard.series import Series
from dashboard.taken import Taken, named
from dashboard.view_model import ModelView


async def calibration(reader: Reader, view: ModelView, how: Taken, column: str, shown: Series, slot: int | None) -> Component | None:
    """The card; None if the measure has no statistic whose law is known, or compares nothing."""
    monitor = how.monitor
    about = view.measures[monitor.measure]
    if not about.tested or monitor.baseline is None:
        return None
    title = f"Calibration of {about.short}"
    asked = monitor if monitor.allowed else named(msgspec.structs.replace(monitor, columns=(column,)))
    try:
        found = await ask(reader.calibration, asked)
    except (ConfigError, Retryable) as error:
        return piece.card(title, piece.empty("Not known yet", str(error), *again(error)))
    if found is None:
        return None
    phi, windows = found["phi"].get(column), found["windows"]
    if not windows:
        why = "The reference has no whole window of this length with rows enough, or its rows have no times. Rows count as independent until it has."
        return piece.card(title, piece.empty("No window of the reference", why))
    effective = shown.effective[slot] if slot is not None and shown.effective else None
    n = None if slot is None else shown.n[slot]
    worth = "the window has no reading" if effective is None else f"{word.count(n)} rows, {word.worth(effective)}"
    facts: list[tuple[str, Any, Any]] = [
        ("Dispersion phi", word.NONE if phi is None else word.number(phi), worth),
        (
            "Windows of the reference",
            word.count(windows),
            "provisional: too few to rely on" if found["provisional"] else "enough to rely on",
        ),
        ("An alarm needs", *_needs(monitor, about, found)),
    ]
    if (told := found["observed"]) is not None:
        seen = f"episodes: {told['episodes']:,}; in alarm for {told['time_in_alarm']}"
        facts.append(("Alarm windows, last 30 d", f"{told['alarm_windows']:,} of {told['windows']:,}", seen))
    note = (
        "How much windows of the reference, in which nothing moved, differ from one another: n / phi independent rows would differ as much."
    )
    return piece.card(title, piece.figures(*facts), note=note)


def _needs(monitor: Monitor, about: Measure, found: Any) -> tuple[str, str]:
    """What reaches the thresholds, and what else must hold."""
    if monitor.allowed is not None:
        expected = found["expected_per_30d"]
        kept = "" if expected is None else f"about {word.number(expected)} false alarm windows per 30 d expected"
        return monitor.allowed.text, kept + (", extrapolated" if found["extrapolated"] else "")
    if not monitor.alarms:
        return word.NONE, "no threshold set"
    words = {Compare.EXCESS: "excess ", Compare.RISE: "rise "}.get(monitor.compare, "")
    limits = [f"{level} {words}{number.reached(limit, about.unit)}" for level, limit in monitor.threshold.items() if limit is not None]
    gate = "and a p-value that is evidence" if monitor.gate is Gate.EVIDENCE else "whatever its p-value is"
    return limits[0], "; ".join([*limits[1:], gate])
