"""The rule: from its state and a reading to the next state, and why. Pure functions; time is the event time of windows.

A rule looks at the last n disjoint windows that could be judged (`persist: m of n`). It fires while at least m of them breach, at `critical`
if at least m of them are critical. A window that cannot be judged neither fires nor resolves. A reading changes nothing if the rule has it already,
if its revision is older, or if its window is forgotten.
"""

from __future__ import annotations

import hashlib

import msgspec

from alerts import sentence
from core.episode import Level, Rule, SeenWindow, State, Transition
from core.measure import Measure
from core.reading import Reading, Verdict

_BREACH = frozenset({Verdict.WARN, Verdict.CRITICAL})
_JUDGED = _BREACH | {Verdict.OK}
_BROKEN = frozenset({Verdict.NOT_ESTIMABLE, Verdict.ASSUMPTIONS_BROKEN})
_TOMBSTONES = 32  # remembered windows that only an earlier revision could judge, so that its reading changes nothing when it comes again


def advance(rule: Rule, reading: Reading, about: Measure, persist: tuple[int, int] = (1, 1)) -> tuple[Rule, Transition | None]:
    """The rule after a reading of its column and segment, of the measure `about`; and the transition, if the change is one that people see."""
    windows = _remember(rule, reading)
    if windows is None:
        return rule, None
    windows, floor = _forget(windows, rule.floor, persist[1])
    if reading.verdict not in _JUDGED:
        newest = bool(windows) and windows[-1].start == reading.window_start and windows[-1].end == reading.window_end
        unjudged = State.ERROR if reading.verdict in _BROKEN else State.NODATA
        state, level, episode = unjudged if newest else rule.state, rule.level, rule.episode
    else:
        state, level, episode = _judge(rule, reading, windows, persist)
    after = msgspec.structs.replace(rule, state=state, level=level, episode=episode, windows=windows, floor=floor)
    if state == rule.state and level == rule.level and episode == rule.episode:
        return after, None
    return after, Transition(
        episode=episode or rule.episode or "",
        at=reading.window_end,
        before=rule.state,
        after=state,
        level=level or rule.level,
        reason=_reason(after, reading, about, persist),
        window_start=reading.window_start,
        window_end=reading.window_end,
        revision=reading.revision,
    )


def judged(windows: tuple[SeenWindow, ...], most: int) -> list[SeenWindow]:
    """The last disjoint windows that could be judged, newest first, at most `most`."""
    found: list[SeenWindow] = []
    for seen in reversed(windows):
        if seen.verdict in _JUDGED and (not found or seen.end <= found[-1].start):
            found.append(seen)
            if len(found) == most:
                break
    return found


def started(windows: tuple[SeenWindow, ...], persist: tuple[int, int]) -> int:
    """The start of the first breaching window among those that are judged."""
    return min(seen.start for seen in judged(windows, persist[1]) if seen.verdict in _BREACH)


def _remember(rule: Rule, reading: Reading) -> tuple[SeenWindow, ...] | None:
    """The windows with the reading among them, by their end; None if the reading changes nothing."""
    if rule.floor is not None and reading.window_end <= rule.floor:
        return None
    seen = SeenWindow(reading.window_start, reading.window_end, reading.revision, reading.verdict)
    if not rule.windows or reading.window_end > rule.windows[-1].end:
        return (*rule.windows, seen)
    for index, known in enumerate(rule.windows):
        if known.end == seen.end and known.start == seen.start:
            if known.revision >= seen.revision:
                return None
            before = seen.verdict not in _JUDGED and (known.before or known.verdict in _JUDGED)
            return (*rule.windows[:index], msgspec.structs.replace(seen, before=before), *rule.windows[index + 1 :])
    if seen.verdict not in _JUDGED:
        return None
    return tuple(sorted((*rule.windows, seen), key=lambda item: (item.end, item.start)))


def _forget(windows: tuple[SeenWindow, ...], floor: int | None, n: int) -> tuple[tuple[SeenWindow, ...], int | None]:
    """Keep the windows that the last n judged ones need; a window that was never judged is kept only while it is the newest."""
    windows = tuple(seen for seen in windows[:-1] if seen.verdict in _JUDGED or seen.before) + windows[-1:]
    counted = judged(windows, n)
    if len(counted) == n and windows[0].end < counted[-1].end:
        floor = max(seen.end for seen in windows if seen.end < counted[-1].end)
    tombstones = [seen.end for seen in windows if seen.before]
    if len(tombstones) > _TOMBSTONES:
        floor = tombstones[-_TOMBSTONES - 1] if floor is None else max(floor, tombstones[-_TOMBSTONES - 1])
    return (windows, None) if floor is None else (tuple(seen for seen in windows if seen.end > floor), floor)


def _judge(
    rule: Rule, reading: Reading, windows: tuple[SeenWindow, ...], persist: tuple[int, int]
) -> tuple[State, Level | None, str | None]:
    """State, level and episode by the last judged windows. Within an episode the level never falls."""
    counted = judged(windows, persist[1])
    breaching = bool(counted) and counted[0].verdict in _BREACH
    if sum(seen.verdict in _BREACH for seen in counted) >= persist[0]:
        critical = sum(seen.verdict is Verdict.CRITICAL for seen in counted) >= persist[0]
        level = Level.CRITICAL if critical or (rule.episode and rule.level is Level.CRITICAL) else Level.WARN
        if rule.episode is None:
            return State.FIRING, level, _name(rule, reading)
        return State.FIRING if breaching else State.RECOVERING, level, rule.episode
    if rule.episode is not None:
        return State.RESOLVED, None, None
    return State.PENDING if breaching else State.NORMAL, None, None


def _name(rule: Rule, reading: Reading) -> str:
    """The id of the episode that this reading opens; it is the same whenever the same readings come again."""
    key = (rule.model, rule.monitor, rule.definition, rule.column, rule.segment, reading.window_start, reading.window_end, reading.revision)
    return "ep_" + hashlib.sha256(msgspec.json.encode(key)).hexdigest()[:24]


def _reason(after: Rule, reading: Reading, about: Measure, persist: tuple[int, int]) -> str:
    if reading.verdict not in _JUDGED:
        return sentence.unjudged(reading, about)
    if after.episode is None:
        return (
            sentence.within(reading, about) if after.state is not State.PENDING else sentence.breach(reading, about) + _of(after, persist)
        )
    if after.state is State.RECOVERING:
        return sentence.within(reading, about) + _of(after, persist)
    return sentence.breach(reading, about, after.level) + _of(after, persist)


def _of(after: Rule, persist: tuple[int, int]) -> str:
    """How many windows breach, if more than one is judged."""
    if persist[1] == 1:
        return ""
    counted = judged(after.windows, persist[1])
    return f"; {sum(seen.verdict in _BREACH for seen in counted)} of the last {len(counted)} windows breach (fires at {persist[0]} of {persist[1]})"
