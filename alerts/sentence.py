"""One sentence that says why, made of a reading. The same on the page, in the notification and in the timeline."""

from __future__ import annotations

from core import measure, moment
from core.reading import Reading, Verdict


def breach(reading: Reading, level: str | None = None) -> str:
    """Why a reading breaches: 'Null rate of temp is 0.31, critical at 0.25, over 2013-07-01 (n 2,377)'.

    `level` names another limit than that of the reading's own verdict: two of three windows may be at warn with the last one critical.
    """
    return f"{_what(reading)} is {_value(reading)}, {_limit(reading, level or reading.verdict.value)}, {_over(reading)}"


def within(reading: Reading) -> str:
    """Why a reading no longer breaches."""
    again = f", evaluated again (revision {reading.revision})" if reading.revision > 1 else ""
    if reading.verdict is not Verdict.OK:
        return f"{breach(reading)}{again}: not in enough windows"
    return f"{_what(reading)} is {_value(reading)}, within its limits, {_over(reading)}{again}"


def unjudged(reading: Reading) -> str:
    """Why a reading neither fires nor resolves."""
    why = reading.reason or reading.verdict.value.replace("_", " ")
    return f"{_what(reading)} cannot be judged {_over(reading)}: {why}; this neither fires nor resolves"


def number(value: float) -> str:
    """A number for people: three significant digits, thousands separated.

    >>> number(0.31234), number(12345.6), number(2.0)
    ('0.312', '12,346', '2')
    """
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _what(reading: Reading) -> str:
    known = measure.BUILT.get(reading.measure)
    title = known.title if known else reading.measure
    column = f" of {reading.column}" if reading.column else ""
    return f"{title}{column}" + ("" if reading.segment == "all" else f" in {reading.segment}")


def _value(reading: Reading) -> str:
    """The value, and how much worse it is than the baseline where that is what is compared."""
    if reading.value is None:
        return "missing"
    known = measure.BUILT.get(reading.measure)
    if known is None or not known.better or reading.baseline is None or reading.baseline_value is None:
        return number(reading.value)
    worse = (reading.baseline_value - reading.value) * known.better
    side = "worse" if worse >= 0 else "better"
    return f"{number(reading.value)}, {number(abs(worse))} {side} than {number(reading.baseline_value)} ({reading.baseline})"


def _limit(reading: Reading, level: str) -> str:
    """`critical at 0.25`, `warn below 0.8`."""
    limit = reading.threshold.get(level)
    if isinstance(limit, dict):
        side, limit = next(iter(limit.items()), ("at", None))
        return f"{level} {side} {_exact(limit)}"
    return level if limit is None else f"{level} at {_exact(limit)}"


def _exact(limit: float | None) -> str:
    return "" if limit is None else f"{limit:g}"


def _over(reading: Reading) -> str:
    return f"over {moment.period(reading.window_start, reading.window_end)} (n {reading.n_target:,})"
