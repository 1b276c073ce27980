"""The rule: from its state and a reading to the next state, and why. Pure functions; time is the event time of windows.

A rule looks at the last n disjoint windows that could be judged (`persist: m of n`). It fires while at least m of them breach, at `critical`
if at least m of them are critical. A window that cannot be judged neither fires nor resolves, unless the monitor says that it alerts. An open episode is held by windows
that are good but reach `clear`, and for `keep_firing` windows after its cause; if the rule fires again within `reopen_within`, the episode goes on. A reading changes nothing
if the rule has it already, if its revision is older, or if its window is forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import compress

import msgspec

from alerts import sentence
from alerts.terms import USUAL, Terms
from core.episode import Cause, Level, Rule, SeenWindow, State, Transition
from core.measure import Measure
from core.reading import Reading, Verdict

_JUDGED = frozenset({Verdict.OK, Verdict.WARN, Verdict.CRITICAL, Verdict.READY, Verdict.KEEP_WAITING, Verdict.WORSE})
_WORST = frozenset({Verdict.CRITICAL, Verdict.WORSE})
_BROKEN = frozenset({Verdict.NOT_ESTIMABLE, Verdict.ASSUMPTIONS_BROKEN})
_TOMBSTONES = 32  # remembered windows that only an earlier revision could judge, so that its reading changes nothing when it comes again


def advance(rule: Rule, reading: Reading, about: Measure, terms: Terms = USUAL) -> tuple[Rule, Transition | None]:
    """The rule after a reading of its column and segment, of the measure `about`; and the transition, if the change is one that people see."""
    after, transition = moved(rule, reading, about, terms)
    if transition is None:
        return after, None
    return after, msgspec.structs.replace(transition, reason=explained(rule, after, reading, about, terms))


def moved(rule: Rule, reading: Reading, about: Measure, terms: Terms) -> tuple[Rule, Transition | None]:
    """As `advance`, and the transition has no reason yet."""
    counts = terms.counted
    windows = _remember(rule, reading, counts, held=terms.holds(reading, about))
    if windows is None:
        return rule, None
    windows, floor = _forget(windows, rule.floor, terms)
    newest = bool(windows) and windows[-1].start == reading.window_start and windows[-1].end == reading.window_end
    unjudged = State.ERROR if reading.verdict in _BROKEN else State.NODATA
    if reading.verdict not in counts:
        state, level, episode = unjudged if newest else rule.state, rule.level, rule.episode
    else:
        state, level, episode = _judge(rule, reading, windows, terms)
        if state is State.FIRING and newest and reading.verdict not in _JUDGED:
            state = unjudged
    ends = state is State.RESOLVED and rule.episode is not None  # else an older window came again that cannot be judged: what ended stays
    last, ended = (rule.episode, reading.window_end) if ends else (rule.last, rule.ended)
    after = msgspec.structs.replace(rule, state=state, level=level, episode=episode, windows=windows, floor=floor, last=last, ended=ended)
    if state == rule.state and level == rule.level and episode == rule.episode:
        return after, None
    return after, Transition(
        episode=episode or rule.episode or "",
        at=reading.window_end,
        before=rule.state,
        after=state,
        level=level or rule.level,
        reason="",
        window_start=reading.window_start,
        window_end=reading.window_end,
        revision=reading.revision,
        cause=Cause.CLEARED if state is State.RESOLVED else None,
    )


def without_passing(readings: Sequence[Reading], rules: Mapping[tuple[str, str], Rule], terms: Terms) -> list[Reading]:
    """Readings, windows in order, without those that leave nothing behind.

    These are windows that cannot be judged: the one before has the same verdict and has changed the state, and a later one takes their place.
    """
    own: dict[tuple[str, str], list[int]] = {}
    for row, reading in enumerate(readings):
        own.setdefault((reading.column, reading.segment), []).append(row)
    kept = [True] * len(readings)
    for key, rows in own.items():
        newest = _newest(rules.get(key))
        for first, row, last in zip(rows, rows[1:], rows[2:], strict=False):
            before, one, after = readings[first], readings[row], readings[last]
            if one.verdict == before.verdict and one.verdict not in terms.counted:
                kept[row] = not newest < before.window_end < one.window_end < after.window_end
            newest = max(newest, before.window_end)
    return list(compress(readings, kept))


def _newest(rule: Rule | None) -> int:
    """The end of the newest window that a rule has or has forgotten, -1 if there is none."""
    if rule is None:
        return -1
    return max(rule.windows[-1].end if rule.windows else -1, -1 if rule.floor is None else rule.floor)


def judged(windows: Sequence[SeenWindow], most: int, counts: frozenset[Verdict] = _JUDGED) -> list[SeenWindow]:
    """The last disjoint windows that count (those that could be judged), newest first, at most `most`."""
    if len(windows) == 1:
        return list(windows) if windows[0].verdict in counts else []
    found: list[SeenWindow] = []
    for seen in reversed(windows):
        if seen.verdict in counts and (not found or seen.end <= found[-1].start):
            found.append(seen)
            if len(found) == most:
                break
    return found


def started(windows: tuple[SeenWindow, ...], terms: Terms) -> int:
    """The start of the first breaching window among those that are judged."""
    return min(seen.start for seen in judged(windows, terms.persist[1], terms.counted) if seen.verdict in terms.breach)


def _remember(rule: Rule, reading: Reading, counts: frozenset[Verdict], *, held: bool) -> tuple[SeenWindow, ...] | None:
    """The windows with the reading among them, by their end; None if the reading changes nothing."""
    if rule.floor is not None and reading.window_end <= rule.floor:
        return None
    seen = SeenWindow(reading.window_start, reading.window_end, reading.revision, reading.verdict, held=held)
    if not rule.windows or reading.window_end > rule.windows[-1].end:
        return (*rule.windows, seen)
    for index, known in enumerate(rule.windows):
        if known.end == seen.end and known.start == seen.start:
            if known.revision >= seen.revision:
                return None
            before = seen.verdict not in counts and (known.before or known.verdict in counts)
            return (*rule.windows[:index], msgspec.structs.replace(seen, before=before), *rule.windows[index + 1 :])
    if seen.verdict not in counts:
        return None
    return tuple(sorted((*rule.windows, seen), key=lambda item: (item.end, item.start)))


def _forget(windows: tuple[SeenWindow, ...], floor: int | None, terms: Terms) -> tuple[tuple[SeenWindow, ...], int | None]:
    """Keep the windows that the last judged ones need; a window that was never judged is kept only while it is the newest."""
    n, counts = terms.remembered, terms.counted
    kept = [seen for seen in windows[:-1] if seen.verdict in counts or seen.before]
    kept.append(windows[-1])
    counted = judged(kept, n, counts)
    if len(counted) == n and kept[0].end < counted[-1].end:
        floor = max([seen.end for seen in kept if seen.end < counted[-1].end])
    if len(kept) > _TOMBSTONES and len(tombstones := [seen.end for seen in kept if seen.before]) > _TOMBSTONES:
        floor = tombstones[-_TOMBSTONES - 1] if floor is None else max(floor, tombstones[-_TOMBSTONES - 1])
    return (tuple(kept), None) if floor is None else (tuple([seen for seen in kept if seen.end > floor]), floor)


def _judge(rule: Rule, reading: Reading, windows: tuple[SeenWindow, ...], terms: Terms) -> tuple[State, Level | None, str | None]:
    """State, level and episode by the last judged windows. Within an episode the level never falls."""
    (m, n), counted = terms.persist, judged(windows, terms.remembered, terms.counted)
    last = counted[:n]
    breaching = bool(last) and last[0].verdict in terms.breach
    if len([seen for seen in last if seen.verdict in terms.breach]) >= m:
        critical = len([seen for seen in last if seen.verdict in _WORST]) >= m
        level = Level.CRITICAL if critical or (rule.episode and rule.level is Level.CRITICAL) else Level.WARN
        if rule.episode is None:
            return State.FIRING, level, _again(rule, reading, terms) or _name(rule, reading)
        return State.FIRING if breaching else State.RECOVERING, level, rule.episode
    if rule.episode is not None:
        if any(_kept(counted[back : back + n], terms) >= m for back in range(terms.keep_firing + 1)):
            return State.FIRING if breaching else State.RECOVERING, rule.level, rule.episode
        return State.RESOLVED, None, None
    return State.PENDING if breaching else State.NORMAL, None, None


def _kept(windows: list[SeenWindow], terms: Terms) -> int:
    """How many of some windows keep an open episode open."""
    return len([seen for seen in windows if seen.verdict in terms.breach or seen.held])


def _again(rule: Rule, reading: Reading, terms: Terms) -> str | None:
    """The episode that goes on, if the last one ended a short time before."""
    return rule.last if rule.last is not None and terms.reopen_within and reading.window_end - rule.ended <= terms.reopen_within else None


def _name(rule: Rule, reading: Reading) -> str:
    """The id of the episode that this reading opens; it is the same whenever the same readings come again.

    Episodes of a model that begin in one window have the first eight digits in common, so that a database finds and writes them near each other.
    """
    key = (rule.model, rule.monitor, rule.definition, rule.column, rule.segment, reading.window_start, reading.window_end, reading.revision)
    return f"ep_{_digits(rule.model, reading.window_end)}{hashlib.sha256(msgspec.json.encode(key)).hexdigest()[:16]}"


@lru_cache(256)
def _digits(model: str, window_end: int) -> str:
    """The digits that these episodes have in common."""
    return hashlib.sha256(msgspec.json.encode((model, window_end))).hexdigest()[:8]


def explained(before: Rule, after: Rule, reading: Reading, about: Measure, terms: Terms) -> str:
    """Why a rule that was `before` is `after` now, by a reading with its evidence."""
    again = "; the episode goes on" if after.episode is not None and before.episode is None and after.episode == before.last else ""
    if reading.verdict not in _JUDGED:
        alerts = reading.verdict in terms.breach
        return sentence.unjudged(reading, about, alerts=alerts) + (_of(after, terms) if alerts else "") + again
    if after.episode is None:
        return sentence.within(reading, about) if after.state is not State.PENDING else sentence.breach(reading, about) + _of(after, terms)
    if after.state is State.RECOVERING:
        held = terms.holds(reading, about) and terms.clear is not None
        return sentence.within(reading, about) + (", and not clear yet" if held else "") + _of(after, terms)
    return sentence.breach(reading, about, after.level) + _of(after, terms) + again


def _of(after: Rule, terms: Terms) -> str:
    """How many windows breach, if more than one is judged."""
    m, n = terms.persist
    if n == 1:
        return ""
    counted = judged(after.windows, n, terms.counted)
    return f"; {sum(seen.verdict in terms.breach for seen in counted)} of the last {len(counted)} windows breach (fires at {m} of {n})"
