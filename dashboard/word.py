"""Numbers, times and verdicts as people read them."""

from __future__ import annotations

from core import measure, moment
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
    "unlimited": ("·", "No limit set"),
}


def is_share(name: str) -> bool:
    """Whether a measure is a share and read in percent."""
    known = measure.BUILT.get(name)
    return known is not None and known.unit == "share"


def from_zero(name: str) -> bool:
    """Whether the scale of a measure begins at zero: where zero is how it should be."""
    return name.startswith(("drift", "quality"))


def title(name: str) -> str:
    """A measure's name for people; its own name where it is not known."""
    known = measure.BUILT.get(name)
    return known.title if known else name


_SHORT = {"drift.psi": "PSI", "drift.js": "JS distance", "performance.mae": "MAE", "performance.rmse": "RMSE"}


def brief(name: str) -> str:
    """A measure's name where there is little room: an axis, the head of a table."""
    return _SHORT.get(name, title(name))


def unit(name: str) -> str:
    """The unit of a measure for an axis: `%` for shares, "" where it goes without saying."""
    known = measure.BUILT.get(name)
    return "" if known is None or known.unit in {"share", "area"} else known.unit


def number(value: float | None) -> str:
    """Three significant digits, thousands separated.

    >>> number(0.31234), number(12345.6), number(2.0), number(None)
    ('0.312', '12,346', '2', '-')
    """
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def value(amount: float | None, name: str) -> str:
    """A value of the measure `name`: shares in percent.

    >>> value(0.8123, "performance.accuracy"), value(0.25, "drift.psi")
    ('81.2%', '0.25')
    """
    if amount is None:
        return NONE
    return f"{amount:.1%}" if is_share(name) else number(amount)


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
    return NONE if ts is None else f"{moment.to_datetime(ts):%Y-%m-%d %H:%M} UTC"


def day(ts: int | None) -> str:
    """The day of a point in time in UTC."""
    return NONE if ts is None else f"{moment.to_datetime(ts):%Y-%m-%d}"


def clock(ts: int) -> str:
    """The time of day of a point in time in UTC."""
    return f"{moment.to_datetime(ts):%H:%M} UTC"


def span(length: int) -> str:
    """A length of time in its largest unit.

    >>> span(90 * 60_000_000), span(3 * 86_400_000_000)
    ('1.5 h', '3 d')
    """
    for size, mark in ((moment.DAY, "d"), (moment.HOUR, "h"), (moment.MINUTE, "min")):
        if length >= size:
            return f"{length / size:.2g} {mark}" if length < 10 * size else f"{length // size} {mark}"
    return f"{max(length, 0) // moment.SECOND} s"


def state_of(verdict: str, reason: str | None, *, limited: bool) -> tuple[str, str, str]:
    """Name, icon and words of a verdict. An `ok` where nothing was compared is `unlimited`; a reason takes the place of the word."""
    name = "unlimited" if verdict == Verdict.OK and not limited else str(verdict)
    icon, word = VERDICTS.get(name, ("○", name.replace("_", " ")))
    return name, icon, (reason or word) if name not in {"ok", "warn", "critical", "unlimited"} else word
