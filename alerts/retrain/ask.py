"""Who asks for a retraining: open episodes, schedules and people. One request is open for each hook, and further causes join it. Pure but for the random id and token."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

import msgspec

from alerts.retrain import cron
from alerts.retrain.machine import WAITING, carry, join, move, note
from alerts.retrain.policy import Asking, asks, may_ask_again
from core.episode import Episode, Rule
from core.hook import Hook
from core.retrain import Change, Retrain, RetrainState, Trigger


def asking(episodes: Iterable[tuple[Episode, Rule | None]]) -> list[Asking]:
    """Open episodes, with how long each has breached by the newest window of its rule."""
    found = []
    for one, rule in episodes:
        newest = max([one.window_end, *(window.end for window in rule.windows)] if rule is not None else [one.window_end])
        step = max(one.window_end - one.window_start, 1)
        found.append(
            Asking(
                id=one.id,
                family=one.measure.partition(".")[0],
                severity_rank=one.severity.rank,
                segment=one.segment,
                reason=one.reason,
                started_at=one.started_at,
                windows=-((one.started_at - newest) // step),
                newest_end=newest,
            )
        )
    return found


def by_episodes(hook: Hook, episodes: Sequence[Asking], requests: Sequence[Retrain], now: int, horizon: int) -> Retrain | None:
    """The request that the open episodes of the model make or join by this hook, or that ends because they are over; None if nothing changes."""
    open_ = _open(hook, requests)
    causes = [
        one for one in episodes if asks(hook, one, now, horizon) and (open_ is not None or may_ask_again(one.id, requests, hook.name))
    ]
    if open_ is None:
        if not causes:
            return None
        reason = causes[0].reason + (f", and {len(causes) - 1} more" if len(causes) > 1 else "")
        return carry(request(hook, Trigger.EPISODE, reason, now), [(one.id, one.started_at, one.segment) for one in causes])
    still = {one.id for one in episodes}
    if open_.trigger is Trigger.EPISODE and open_.state in WAITING and not still.intersection(open_.episodes):
        return move(open_, RetrainState.CANCELLED, "its episodes have ended", now)
    joined = join(open_, [(one.id, one.started_at, one.segment) for one in causes], now)
    return None if joined == open_ else joined


def by_schedule(hook: Hook, scheduled: int, requests: Sequence[Retrain], now: int) -> Retrain | None:
    """The request that a schedule makes or joins if a time of it has come since it was looked at; None if none has."""
    if hook.schedule is None or not hook.enabled or cron.following(cron.parse(hook.schedule), hook.timezone, scheduled) > now:
        return None
    open_ = _open(hook, requests)
    if open_ is None:
        return request(hook, Trigger.SCHEDULE, f"scheduled: {hook.schedule} ({hook.timezone})", now)
    joined = note(open_, "the schedule asks, too", now)
    if open_.state in WAITING and open_.trigger is Trigger.EPISODE:  # the end of its episodes does not cancel it any more
        return msgspec.structs.replace(joined, trigger=Trigger.SCHEDULE)
    return joined


def by_hand(hook: Hook, requests: Sequence[Retrain], reason: str, now: int, by: str) -> Retrain:
    """The request that a person makes or joins. One that has not been sent is theirs from then on, so no cooldown holds it back and the end of its episodes does not cancel it."""
    open_ = _open(hook, requests)
    if open_ is None:
        return request(hook, Trigger.HAND, reason, now, by)
    joined = note(open_, f"asked for by {by}, too: {reason}", now, by)
    if open_.state in WAITING and open_.trigger is not Trigger.HAND:
        return msgspec.structs.replace(joined, trigger=Trigger.HAND, by=by, due=now)
    return joined


def request(hook: Hook, trigger: Trigger, reason: str, now: int, by: str = "") -> Retrain:
    """A new request."""
    made = Retrain(
        id=f"rt_{secrets.token_hex(12)}",
        model=hook.model,
        hook=hook.name,
        state=RetrainState.REQUESTED,
        trigger=trigger,
        reason=reason,
        by=by,
        created=now,
        due=now,
        token=secrets.token_urlsafe(24),
    )
    return msgspec.structs.replace(made, history=(Change(at=now, state=RetrainState.REQUESTED, reason=reason, by=by),))


def _open(hook: Hook, requests: Sequence[Retrain]) -> Retrain | None:
    return next((one for one in requests if one.hook == hook.name and one.ended_at is None), None)
