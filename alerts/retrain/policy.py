"""Whether a request may be dispatched: preconditions, cooldown, budgets, and the mode of its hook. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from alerts.retrain.machine import JUDGED, UNDER_WAY, WAITING, move, note
from core import duration, moment
from core.hook import Hook, Mode
from core.retrain import Manifest, Retrain, RetrainState, Trigger

_MOST_DOUBLINGS = 6
OFF_AFTER = 2  # runs in a row that did not help
_AGAIN = frozenset({RetrainState.INEFFECTIVE, RetrainState.FAILED, RetrainState.TIMED_OUT})


class Asking(NamedTuple):
    """An open episode as hooks see it: its first breaching window, how many windows it has breached for, and when the newest of them ended (event time)."""

    id: str
    family: str
    severity_rank: int
    segment: str
    reason: str
    started_at: int
    windows: int
    newest_end: int


class Situation(NamedTuple):
    """What a decision rests on: the requests of the model, newest last, the manifest, how many episodes of each family are open, how many runs of the model began within the hook's budget,
    and how many began anywhere within the fleet's.
    """

    requests: Sequence[Retrain]
    manifest: Manifest
    open_families: Mapping[str, int]
    ran: int
    fleet: tuple[int, int] | None = None
    begun: int = 0


def asks(hook: Hook, episode: Asking, now: int, horizon: int) -> bool:
    """Whether an open episode asks for a retraining by this hook. Windows that ended longer ago than the horizon do not ask."""
    on = hook.on
    return (
        on is not None
        and hook.enabled
        and episode.family in on.families
        and episode.severity_rank >= on.severity.rank
        and episode.windows >= on.after
        and now - episode.newest_end <= horizon
    )


def may_ask_again(episode: str, requests: Iterable[Retrain], hook: str) -> bool:
    """Whether an episode may make a request: it has made none by this hook, or the last one ended without help."""
    last = next((one for one in reversed(list(requests)) if one.hook == hook and episode in one.episodes), None)
    return last is None or (last.ended_at is not None and last.state in _AGAIN)


def off(requests: Sequence[Retrain], hook: Hook) -> bool:
    """Whether automatic retraining of the model is off: its last two judged runs did not help, and the hook was not changed since."""
    judged = sorted((one for one in requests if one.state in JUDGED), key=lambda one: one.ended_at or 0)[-OFF_AFTER:]
    failed = len(judged) == OFF_AFTER and all(one.state is RetrainState.INEFFECTIVE for one in judged)
    return failed and (judged[-1].ended_at or 0) >= hook.since


def cooled(hook: Hook, requests: Sequence[Retrain]) -> int:
    """When the cooldown after the hook's last run is over; 0 if it had none. It doubles with each run in a row that did not help, up to 64 times."""
    ran = [one for one in requests if one.hook == hook.name and one.dispatched_at is not None and one.ended_at is not None]
    if not ran or not hook.cooldown:
        return 0
    in_vain = 0
    for one in reversed([one for one in ran if one.state in JUDGED]):
        if one.state is not RetrainState.INEFFECTIVE:
            break
        in_vain += 1
    return (ran[-1].ended_at or 0) + (hook.cooldown << min(in_vain, _MOST_DOUBLINGS))


def obstacles(request: Retrain, hook: Hook, given: Situation, now: int) -> list[str]:
    """Sentences that say why the target may not be asked now; none if it may."""
    others = [one for one in given.requests if one.id != request.id]
    found = []
    if not hook.enabled:
        found.append("the hook is paused")
    if families := [name for name in hook.require.no_open if given.open_families.get(name)]:
        found.append(f"an episode of {', '.join(families)} is open")
    if given.manifest.labelled < hook.require.labels:
        found.append(
            f"{given.manifest.labelled:,} labels since {moment.text(given.manifest.start)}, and {hook.require.labels:,} are needed"
        )
    if hook.require.coverage and given.manifest.coverage < hook.require.coverage:
        found.append(
            f"{100 * given.manifest.coverage:.1f} % of the predictions have a label, and {100 * hook.require.coverage:g} % are needed"
        )
    if busy := [one.id for one in others if one.ended_at is None and one.state not in WAITING]:
        found.append(f"a run is under way: {busy[0]}")
    if request.trigger is not Trigger.HAND and (until := cooled(hook, others)) > now:
        found.append(f"cooldown until {moment.text(until)}")
    most, period = hook.budget
    if given.ran >= most:
        found.append(f"the budget of {most:,} per {duration.text(period)} is used up")
    if given.fleet is not None and given.begun >= given.fleet[0]:
        found.append(f"the budget of all models, {given.fleet[0]:,} per {duration.text(given.fleet[1])}, is used up")
    return found


def admit(request: Retrain, hook: Hook, given: Situation, now: int) -> Retrain:
    """A waiting request, one step further: blocked with the reasons, waiting for a person, dispatched, or ended as what a dry run would have asked for."""
    if request.state not in WAITING:
        return request
    request = msgspec.structs.replace(request, manifest=given.manifest)
    if why := obstacles(request, hook, given, now):
        reason = "; ".join(why)
        return note(request, reason, now) if request.state is RetrainState.BLOCKED else move(request, RetrainState.BLOCKED, reason, now)
    if hook.mode is Mode.DRY_RUN:
        return move(request, RetrainState.CANCELLED, "dry run: the target would have been asked now", now)
    stopped = off(given.requests, hook)
    if (hook.mode is Mode.APPROVAL or stopped) and request.approved_by is None:
        if request.state is RetrainState.AWAITING_APPROVAL:
            return request
        why_asked = f"the last {OFF_AFTER} runs did not help, so automatic retraining is off" if stopped else "the hook's mode is approval"
        return move(request, RetrainState.AWAITING_APPROVAL, why_asked, now)
    approved = f"approved by {request.approved_by}" if request.approved_by else "all conditions hold"
    return move(request, RetrainState.DISPATCHED, approved, now, dispatched_at=now, deadline=now + hook.timeout, due=now)


def overdue(request: Retrain, now: int) -> Retrain:
    """The request, timed out if its run has not ended by its deadline."""
    if request.state in UNDER_WAY and request.deadline is not None and now >= request.deadline:
        return move(request, RetrainState.TIMED_OUT, "the run has not ended by its deadline", now)
    return request
