"""The reason of a transition as a sentence, made from a reading. It is the same on pages, in notifications and in timelines."""

from __future__ import annotations

from core import moment, number
from core.baseline import kind as baselines
from core.measure import Judged, Measure
from core.reading import Reading, Verdict

_COMPARED = frozenset({Verdict.READY, Verdict.KEEP_WAITING, Verdict.WORSE})


def breach(reading: Reading, about: Measure, level: str | None = None) -> str:
    """Why a reading of a measure breaches: 'Null rate of temp is 0.31; critical from 0.25, over 2013-07-01 (n 2,377)'.

    `level` is the threshold to name, if that is not the one of the reading's verdict: of three windows two may be at warn, and the last one critical.
    """
    if reading.verdict is Verdict.WORSE:
        return comparison(reading)
    limit = _threshold(reading, about, level or reading.verdict.value)
    return f"{_what(reading, about)} is {_value(reading, about)}; {limit}, {_over(reading)}{_began(reading)}"


def _began(reading: Reading) -> str:
    """When a change that was detected most likely began, and what it changed."""
    if (onset := reading.evidence.get("onset")) is None:
        return ""
    before, after = reading.evidence.get("before"), reading.evidence.get("after")
    if before is None or after is None:
        return ""
    return f"; it most likely began at {onset[:16].replace('T', ' ')}: {number.rounded(before)} before, {number.rounded(after)} after"


def within(reading: Reading, about: Measure) -> str:
    """Why a reading no longer breaches."""
    again = f", evaluated again (revision {reading.revision})" if reading.revision > 1 else ""
    if reading.verdict in _COMPARED:
        return comparison(reading) + again
    if reading.verdict is not Verdict.OK:
        return f"{breach(reading, about)}{again}: not in enough windows"
    return f"{_what(reading, about)} is {_value(reading, about)}, within its thresholds, {_over(reading)}{again}"


def comparison(reading: Reading) -> str:
    """The verdict of a comparison: 'Version 2 is worse than version 1 in performance.accuracy: better by 0.031 less at least ...'."""
    known, of = reading.evidence, reading.params.get("of")
    a, b = (_side(known.get(key)) for key in "ab")
    what = of.get("measure", "") if isinstance(of, dict) else of
    said = {Verdict.READY: f"may take the place of {a}", Verdict.WORSE: f"is worse than {a}"}.get(
        reading.verdict, f"is not told from {a} yet"
    )
    where = "" if reading.segment == "all" else f" in {reading.segment}"
    bounds = [known.get(name) for name in ("better", "better_upper")]
    rows = f"{known.get('rows_a', 0):,} and {known.get('rows_b', 0):,} rows, until {moment.text(reading.window_end)[:16].replace('T', ' ')}"
    between = "" if None in bounds else f" by {' to '.join(number.rounded(one) for one in bounds if one is not None)}"
    return (
        f"{b[:1].upper()}{b[1:]} {said}{where}: in {what} it is better{between} (margin {number.rounded(known.get('margin', 0.0))}; {rows})"
    )


def _side(written: object) -> str:
    return " ".join(f"{key} {value}" for key, value in written.items()) if isinstance(written, dict) else "the other side"


def unjudged(reading: Reading, about: Measure, *, alerts: bool = False) -> str:
    """Why a reading neither fires nor resolves, or that it `alerts`."""
    why = reading.reason or reading.verdict.value.replace("_", " ")
    return f"{_what(reading, about)} cannot be judged {_over(reading)}: {why}" + ("" if alerts else "; this neither fires nor resolves")


def _what(reading: Reading, about: Measure) -> str:
    column = f" of {reading.column}" if reading.column else ""
    return f"{about.title}{column}" + ("" if reading.segment == "all" else f" in {reading.segment}")


def _value(reading: Reading, about: Measure) -> str:
    """The value, and what is compared with the thresholds, if that is something else."""
    if reading.value is None:
        return "missing"
    if (excess := reading.evidence.get("excess")) is not None:
        return f"{number.rounded(reading.value)}, {number.rounded(excess)} more than chance explains"
    if (rise := reading.evidence.get("rise")) is not None and reading.baseline_value is not None and reading.baseline:
        own, other = (number.of_unit(one, about.unit) for one in (reading.value, reading.baseline_value))
        return f"{own}, {_far(rise, about.unit)} its {baselines.brief(reading.baseline)} {other}"
    if (promise := reading.params.get("promise")) is not None and about.judged is Judged.PROMISE:
        return f"{number.rounded(reading.value)}, {_far(reading.value - promise, '')} the promised {number.rounded(promise)}"
    if about.judged is not Judged.WORSE or reading.baseline is None or reading.baseline_value is None:
        return number.of_unit(reading.value, about.unit)
    far = _far(reading.value - reading.baseline_value, "")
    return f"{number.rounded(reading.value)}, {far} its {baselines.brief(reading.baseline)} {number.rounded(reading.baseline_value)}"


def _far(moved: float, unit: str) -> str:
    return f"{number.of_unit(abs(moved), unit)} {'above' if moved > 0 else 'below'}" if moved else "equal to"


def _threshold(reading: Reading, about: Measure, level: str) -> str:
    """`critical from 0.25`, `warn at 0.8 or below`, `critical at p 0.001 or below (p 0.0002)`."""
    if (allowed := reading.threshold.get("p")) is not None:
        return f"{level} at p {number.rounded(allowed)} or below (p {number.chance(reading.evidence.get('p', 1.0))})"
    threshold = reading.threshold.get(level)
    if not threshold and threshold != 0:
        return level
    other = f" or 1/{number.exact(threshold)}" if about.judged is Judged.RATIO and isinstance(threshold, int | float) else ""
    return f"{level} {number.reached(threshold, about.unit)}{other}"


def _over(reading: Reading) -> str:
    expected = reading.evidence.get("expected")
    of = "" if expected is None else f", expected {number.rounded(expected)}"
    return f"over {moment.period(reading.window_start, reading.window_end)} (n {reading.n_target:,}{of})"
