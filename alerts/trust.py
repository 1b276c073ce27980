"""Whether a model's predictions may be trusted now: one rule over readings, described in docs/trust.md.

The state is made of stored readings alone and kept nowhere else, so it is right whenever they are: after a restart, after a kill, in every process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from alerts import sentence
from core.measure import Measure
from core.moment import SECOND
from core.monitor import Monitor
from core.reading import Reading, Verdict
from core.segment import ALL
from core.trust import Reason, Trust, TrustState

RECENT = 14  # windows of a monitor: what was judged before them tells nothing about now
HISTORY = 2 * RECENT  # windows in which the beginning of a state is looked for
MOST = 8  # reasons

# What says how right the model is, and what says that it is asked about what it does not know.
_OUTCOME = frozenset(
    f"uncertainty.{name}"
    for name in (
        "ece",
        "mce",
        "brier_reliability",
        "brier_resolution",
        "interval_coverage",
        "set_coverage",
        "adaptive_coverage",
        "pit_uniformity",
    )
)
_SUPPORT = frozenset(("quality.unseen_category_rate", "quality.out_of_range_rate"))
_OUTSIDE = "@outside"


_OF = {
    Verdict.OK: TrustState.TRUSTED,
    Verdict.WARN: TrustState.WATCH,
    Verdict.ASSUMPTIONS_BROKEN: TrustState.WATCH,
    Verdict.CRITICAL: TrustState.DO_NOT_TRUST,
}
_WORST = (TrustState.DO_NOT_TRUST, TrustState.WATCH, TrustState.TRUSTED)


class _Sign(NamedTuple):
    """A judged reading, what it says, and until when it says something."""

    reading: Reading
    state: TrustState
    until: int


def counts(monitor: Monitor) -> bool:
    """Whether readings of a monitor are signs: it judges, and it is about how right the model is or about what it does not know."""
    return (
        monitor.alarms and monitor.enabled and (_is_outcome(monitor.measure) or monitor.measure in _SUPPORT or _OUTSIDE in monitor.columns)
    )


def column_of(measure: str) -> str | None:
    """The only column of which readings of a measure tell; None if all do."""
    return None if _is_outcome(measure) or measure in _SUPPORT else _OUTSIDE


def trust(
    monitors: Iterable[Monitor], readings: Sequence[Reading], measures: Mapping[str, Measure], now: int = 0, waiting: Sequence[Monitor] = ()
) -> list[Trust]:
    """The states that the last readings of these monitors show, `all` first. `now` is the end of the newest window of any, at least that of the readings.

    While one of them is `waiting` to be evaluated at all, as after a change, what would be `trusted` is `unknown`.

    The newest judged reading of each monitor and column is a sign, if it is of the monitor's last `RECENT` windows. The worst sign decides: a critical one `do_not_trust`, a warning or
    broken assumptions `watch`. Without such a one the state is `trusted` if a sign tells how right the model is, else `unknown`.
    """
    known = {monitor.name: monitor for monitor in monitors if counts(monitor)}
    signs: dict[tuple[str, str], list[_Sign]] = {}
    for reading in readings:
        if (monitor := known.get(reading.monitor)) is None or not _tells(reading):
            continue
        place = signs.setdefault((reading.version, reading.segment), [])
        if (state := _OF.get(reading.verdict)) is not None:
            place.append(_Sign(reading, state, reading.window_end + RECENT * monitor.window.step + _delay(reading)))
    now = max([now, *(reading.window_end for reading in readings if reading.monitor in known)])
    order = sorted(signs, key=lambda place: (place[1] != ALL, place[1], place[0]))
    found = [_of(version, segment, signs[version, segment], now, measures) for version, segment in order]
    return [_held_back(one, [m for m in waiting if (m.version or "all") == one.version], now) for one in found]


def _is_outcome(measure: str) -> bool:
    return measure.startswith("performance.") or measure in _OUTCOME


def _tells(reading: Reading) -> bool:
    """A monitor of other measures counts for its column `@outside` only."""
    return column_of(reading.measure) in (None, reading.column)


def _delay(reading: Reading) -> int:
    """How late the labels of a reading came, in microseconds: a newer window cannot be judged before its own come."""
    return int((reading.evidence.get("label_delay") or 0.0) * SECOND)


def _held_back(found: Trust, waiting: Sequence[Monitor], now: int) -> Trust:
    """A state that is not trusted while monitors of it wait."""
    if found.state is not TrustState.TRUSTED or not waiting:
        return found
    reasons = [Reason(f"{one.name} has not been evaluated since it or the contract was changed", one.measure, "", now) for one in waiting]
    return Trust(found.segment, found.version, TrustState.UNKNOWN, None, tuple(reasons)[:MOST])


def _of(version: str, segment: str, signs: list[_Sign], now: int, measures: Mapping[str, Measure]) -> Trust:
    state, since, held = _walk(signs, now)
    if state is TrustState.UNKNOWN:
        return Trust(segment, version, state, None, ())
    reasons = (_reason(sign, measures[sign.reading.measure]) for sign in held)
    return Trust(segment, version, state, since, tuple(reasons)[:MOST])


def _walk(signs: list[_Sign], now: int) -> tuple[TrustState, int | None, list[_Sign]]:
    """The state now, since when, and the signs that make it: one pass over the ends of windows and the times when signs end."""
    order = sorted(signs, key=lambda one: (one.reading.window_end, one.reading.window_start))
    newest: dict[tuple[str, str], _Sign] = {}
    state, since, held, index = TrustState.UNKNOWN, None, list[_Sign](), 0
    for at in sorted({sign.reading.window_end for sign in signs} | {sign.until for sign in signs if sign.until <= now} | {now}):
        first = at
        while index < len(order) and order[index].reading.window_end <= at:
            reading = order[index].reading
            newest[reading.monitor, reading.column] = order[index]
            first, index = min(first, reading.window_start), index + 1
        before = state
        state, held = _state([sign for sign in newest.values() if sign.until > at])
        since = since if state is before else first
    return state, since, held


def _state(held: Sequence[_Sign]) -> tuple[TrustState, list[_Sign]]:
    """The state that signs make, and those that make it: the newest window first."""
    state = next((one for one in _WORST if any(sign.state is one for sign in held)), TrustState.UNKNOWN)
    if state is TrustState.TRUSTED and not any(_is_outcome(sign.reading.measure) for sign in held):
        return TrustState.UNKNOWN, []
    made = sorted(
        (sign for sign in held if sign.state is state), key=lambda one: (-one.reading.window_end, one.reading.monitor, one.reading.column)
    )
    return state, made


def _reason(sign: _Sign, about: Measure) -> Reason:
    reading = sign.reading
    text = sentence.within(reading, about) if sign.state is TrustState.TRUSTED else sentence.breach(reading, about)
    if reading.verdict is Verdict.ASSUMPTIONS_BROKEN:
        text = sentence.unjudged(reading, about)
    return Reason(text, reading.measure, reading.column, reading.window_start)
