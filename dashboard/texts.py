"""Numbers, times and verdicts as texts for people."""

from __future__ import annotations

import time

from core import moment
from core import number as numbers
from core.handling import Act, Handling
from core.measure import Measure
from core.reading import Verdict

NONE = "-"

# Icon and word of a verdict or level; the colour comes from the style sheet by the same name.
VERDICTS = {
    "ok": ("✓", "OK"),
    "warn": ("▲", "Warn"),
    "critical": ("■", "Critical"),
    "insufficient": ("◔", "Too few samples"),
    "nodata": ("○", "No data"),
    "immature": ("◔", "Labels still coming"),
    "not_estimable": ("○", "Not estimable"),
    "assumptions_broken": ("▲", "Assumptions broken"),
    "ready": ("✓", "Ready"),
    "keep_waiting": ("◔", "Keep waiting"),
    "worse": ("■", "Worse"),
    "unlimited": ("·", "No threshold set"),
}


def number(value: float | None) -> str:
    """Three significant digits, thousands separated. Shares are written so too, as in thresholds, in sentences and in the API.

    >>> number(0.31234), number(12345.6), number(9.65e-05), number(None)
    ('0.312', '12,346', '0.0000965', '-')
    """
    return NONE if value is None else numbers.rounded(value)


def value(amount: float | None, about: Measure) -> str:
    """A value of a measure; one in seconds as a duration."""
    return NONE if amount is None else numbers.of_unit(amount, about.unit)


def chance(p: float | None) -> str:
    """A p-value or a q-value in a table, where there is little room.

    >>> chance(0.0312), chance(3e-36), chance(None)
    ('0.031', '< 0.0001', '-')
    """
    return NONE if p is None else numbers.chance(p).replace("below", "<")


def worth(effective: float) -> str:
    """How many independent rows a window is worth.

    >>> worth(114.2), worth(0.4)
    ('worth 114', 'worth < 1')
    """
    return f"worth {count(round(effective)) if effective >= 1 else '< 1'}"


def share(part: float) -> str:
    """A part of the traffic, in percent.

    >>> share(0.36), share(0.0004), share(0)
    ('36.0 %', '< 0.1 %', '0 %')
    """
    return "0 %" if part == 0 else "< 0.1 %" if part < 0.001 else f"{part:.1%}".replace("%", " %")


def cut(name: str, most: int = 40) -> str:
    """The beginning of a long name.

    >>> cut("carrier"), cut("a" * 300, 8)
    ('carrier', 'aaaaaaa…')
    """
    return name if len(name) <= most else name[: most - 1] + "…"


def count(amount: int | None) -> str:
    """A count with thousands separated."""
    return NONE if amount is None else f"{amount:,}"


def short(amount: float) -> str:
    """A large count in few characters.

    >>> short(327346), short(950), short(1_200_000)
    ('327k', '950', '1.2M')
    """
    for size, mark in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if amount >= size:
            return f"{amount / size:.3g}{mark}"
    return f"{amount:.0f}"


def instant(ts: int | None) -> str:
    """A point in time in UTC, to the minute."""
    return NONE if ts is None else f"{minute(ts)} UTC"


def minute(ts: int | None) -> str:
    """A point in time, to the minute, in a column whose head says UTC."""
    return NONE if ts is None else f"{moment.to_datetime(ts):%Y-%m-%d %H:%M}"


def second(ts: int | None) -> str:
    """A point in time, to the second, where the text around it says UTC."""
    return NONE if ts is None else f"{moment.to_datetime(ts):%Y-%m-%d %H:%M:%S}"


def day(ts: int | None) -> str:
    """The day of a point in time in UTC."""
    return NONE if ts is None else f"{moment.to_datetime(ts):%Y-%m-%d}"


def clock(ts: int) -> str:
    """The time of day of a point in time in UTC."""
    return f"{moment.to_datetime(ts):%H:%M} UTC"


def standing(state: str) -> str:
    """The state of an episode.

    >>> standing("firing"), standing("nodata")
    ('firing', 'no data')
    """
    return "no data" if state == "nodata" else str(state)


def span(length: int) -> str:
    """A length of time in its largest unit; years from two on.

    >>> span(90 * 60_000_000), span(3 * 86_400_000_000), span(4_700 * 86_400_000_000)
    ('1.5 h', '3 d', '12 y')
    """
    for size, mark in ((365 * moment.DAY, "y"), (moment.DAY, "d"), (moment.HOUR, "h"), (moment.MINUTE, "min")):
        if length >= (2 * size if mark == "y" else size):
            return f"{length / size:.2g} {mark}" if length < 10 * size else f"{length // size} {mark}"
    return f"{max(length, 0) // moment.SECOND} s"


def now() -> int:
    """The time by the clock, in microseconds."""
    return time.time_ns() // 1_000


def ago(ts: int) -> str:
    """How long ago a time was by the clock; all pages give ages so."""
    return f"{span(now() - ts)} ago"


def stretch(start: int, end: int) -> str:
    """The days of `[start, end)` for a title, with the year if it is needed.

    >>> stretch(0, 86_400_000_000), stretch(0, 20 * 86_400_000_000), stretch(0, 800 * 86_400_000_000)
    ('1 Jan 1970', '1 to 20 Jan 1970', '1 Jan 1970 to 10 Mar 1972')
    """
    first, last = moment.to_datetime(start), moment.to_datetime(max(start, end - 1))
    begin = "" if first.date() == last.date() else f"{first.day}"
    if begin and (first.year, first.month) != (last.year, last.month):
        begin += f" {first:%b}" if first.year == last.year else f" {first:%b} {first.year}"
    return f"{begin} to {last.day} {last:%b} {last.year}" if begin else f"{last.day} {last:%b} {last.year}"


def state_of(verdict: str, reason: str | None, *, limited: bool) -> tuple[str, str, str]:
    """Name, icon and words of a verdict. An `ok` without a threshold is `unlimited`. A reason replaces the word."""
    name = "unlimited" if verdict == Verdict.OK and not limited else str(verdict)
    icon, word = VERDICTS.get(name, ("○", name.replace("_", " ")))
    return name, icon, (reason or word) if name not in {"ok", "warn", "critical", "unlimited"} else word


def handling(handled: Handling) -> list[str]:
    """What people have done about an episode, a few words each."""
    said = [
        ("acknowledged by", handled.acknowledged_by),
        ("assigned to", handled.assigned_to),
        ("snoozed until", None if handled.snoozed_until is None else instant(handled.snoozed_until)),
        ("judged", None if handled.useful is None else "useful" if handled.useful else "noise"),
    ]
    return [f"{words} {what}" for words, what in said if what]


def act(done: Act) -> str:
    """One act in words."""
    match done.action:
        case "assign":
            return f"assigned to {done.to}"
        case "snooze":
            return f"snoozed until {instant(done.until or 0)}"
        case "feedback":
            return "judged useful" if done.useful else "judged noise"
        case _:
            return {"acknowledge": "acknowledged", "comment": "commented", "resolve": "ended"}.get(done.action, done.action)
