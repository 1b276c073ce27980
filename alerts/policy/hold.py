"""The stages that hold an episode back: inhibit, silence, mute. Each is a pure function of the episode, what there is, and the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerts.policy.match import fact, matches
from core import moment
from core.episode import Episode
from core.handling import Decision, Handling
from core.policy import Inhibit, Mute, Policy, Silence

_DAY = 24 * 60  # minutes
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Circumstances(NamedTuple):
    """What the stages look at: the policy, all open episodes, silences, what people have done by episode, the notify horizon, and the wall time."""

    policy: Policy
    open: Sequence[Episode]
    silences: Sequence[Silence]
    handling: Mapping[str, Handling]
    horizon: int
    now: int
    sources: Mapping[tuple[int, tuple[str, ...]], tuple[Episode | None, Episode | None]] = {}  # see `inhibitors`


Stage = Callable[[Episode, Circumstances], Decision | None]


def expired(episode: Episode, given: Circumstances) -> Decision | None:
    """An episode is not told if its window had ended long before it fired, as in a replayed past."""
    late = episode.recorded - episode.window_end
    return (
        Decision(stage="record", suppressed=f"its window had ended {moment.long(late - late % _unit(late))} before it fired")
        if late > given.horizon
        else None
    )


def inhibit(episode: Episode, given: Circumstances) -> Decision | None:
    """An episode is not told while a worse cause is open. No episode inhibits itself, and no two inhibit each other."""
    for place, rule in enumerate(given.policy.inhibit):
        if (source := _source(place, rule, episode, given.sources)) is not None:
            why = f"inhibited by {source.monitor} of {source.model}" + (f", {source.column}" if source.column else "")
            return Decision(stage="inhibit", suppressed=why, inhibited_by=source.id)
    return None


def inhibitors(policy: Policy, opened: Sequence[Episode]) -> dict[tuple[int, tuple[str, ...]], tuple[Episode | None, Episode | None]]:
    """By rule and values of its `equal` an open episode that is a source, and one that is no target as well, which alone inhibits those that are both.

    What a rule holds is no source of the rules behind it. So a chain of rules never holds its own beginning, and somebody is told of something.
    """
    found: dict[tuple[int, tuple[str, ...]], tuple[Episode | None, Episode | None]] = {}
    free = list(opened)
    for place, rule in enumerate(policy.inhibit):
        for one in free:
            if matches(rule.source, one):
                key = (place, tuple(fact(one, field) for field in rule.equal))
                first, pure = found.get(key, (None, None))
                found[key] = (first or one, pure or (None if matches(rule.target, one) else one))
        free = [one for one in free if _source(place, rule, one, found) is None]
    return found


def _source(
    place: int, rule: Inhibit, episode: Episode, sources: Mapping[tuple[int, tuple[str, ...]], tuple[Episode | None, Episode | None]]
) -> Episode | None:
    """The episode that inhibits another by one rule."""
    if not matches(rule.target, episode):
        return None
    key = (place, tuple(fact(episode, field) for field in rule.equal))
    return sources.get(key, (None, None))[matches(rule.source, episode)]


def silence(episode: Episode, given: Circumstances) -> Decision | None:
    """An episode is not told while a silence matches it, or somebody has snoozed it."""
    for one in given.silences:
        if one.starts_at <= given.now < one.ends_at and matches(one.match, episode):
            said = f": {one.comment}" if one.comment else ""
            return Decision(
                stage="silence", suppressed=f"silenced until {moment.text(one.ends_at)} by {one.created_by}{said}", silenced_by=one.id
            )
    until = given.handling.get(episode.id, Handling())
    if until.snoozed_until is not None and given.now < until.snoozed_until:
        return Decision(stage="silence", suppressed=f"snoozed until {moment.text(until.snoozed_until)} by {until.snoozed_by}")
    return None


def mute(episode: Episode, given: Circumstances) -> Decision | None:
    """An episode is not told in the hours of a mute."""
    for one in given.policy.mute:
        if matches(one.match, episode) and muted(one, given.now):
            return Decision(stage="mute", suppressed=f"muted: {hours(one)}")
    return None


def _unit(length: int) -> int:
    """The largest unit of which a length of time has at least two; what is less than that says nothing to people."""
    return next((unit for unit in (moment.DAY, moment.HOUR, moment.MINUTE, moment.SECOND) if length >= 2 * unit), 1)


STAGES: tuple[Stage, ...] = (expired, inhibit, silence, mute)


def held(episode: Episode, given: Circumstances) -> Decision | None:
    """The decision of the first stage that holds an episode back; None if it may be told."""
    return next((found for stage in STAGES if (found := stage(episode, given)) is not None), None)


def muted(one: Mute, now: int) -> bool:
    """Whether a time is among the hours of a mute. Hours that pass midnight belong to the day on which they begin."""
    local = datetime.fromtimestamp(now // moment.SECOND, ZoneInfo(one.timezone))
    minute = local.hour * 60 + local.minute
    if one.start < one.end:
        return local.weekday() in one.days and one.start <= minute < one.end
    before = (local - timedelta(days=1)).weekday()
    return (local.weekday() in one.days and minute >= one.start) or (before in one.days and minute < one.end)


def hours(one: Mute) -> str:
    """The hours of a mute in words."""
    days = "every day" if len(one.days) == 7 else ", ".join(_DAYS[day] for day in one.days)
    return f"{days} from {_clock(one.start)} to {_clock(one.end)} ({one.timezone})"


def changes(given: Circumstances) -> Iterable[int]:
    """The next times at which a stage may say something else of an open episode."""
    for one in given.silences:
        yield from (time for time in (one.starts_at, one.ends_at) if time > given.now)
    for episode in given.open:
        until = given.handling.get(episode.id, Handling()).snoozed_until
        if until is not None and until > given.now:
            yield until
    if given.open:
        yield from (edge(one, given.now) for one in given.policy.mute)


def edge(one: Mute, now: int) -> int:
    """When `muted` may change next: where the hours begin or end. Within a day of a change of the clocks it is the next minute."""
    zone = ZoneInfo(one.timezone)
    local, later = (datetime.fromtimestamp(time // moment.SECOND, zone) for time in (now, now + 2 * moment.DAY))
    start = now - now % moment.MINUTE
    if local.utcoffset() != later.utcoffset():
        return start + moment.MINUTE
    minute = local.hour * 60 + local.minute
    return start + min((time - minute) % _DAY or _DAY for time in (one.start, one.end)) * moment.MINUTE


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
