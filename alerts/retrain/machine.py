"""The states of a request for retraining, and which may follow which. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from core.retrain import Change, Retrain, RetrainState, Sending

R = RetrainState
MOVES: Mapping[RetrainState, frozenset[RetrainState]] = {
    R.REQUESTED: frozenset({R.BLOCKED, R.AWAITING_APPROVAL, R.DISPATCHED, R.CANCELLED}),
    R.BLOCKED: frozenset({R.AWAITING_APPROVAL, R.DISPATCHED, R.CANCELLED}),
    R.AWAITING_APPROVAL: frozenset({R.BLOCKED, R.DISPATCHED, R.CANCELLED}),
    R.DISPATCHED: frozenset({R.RUNNING, R.SUCCEEDED, R.FAILED, R.TIMED_OUT, R.CANCELLED}),
    R.RUNNING: frozenset({R.SUCCEEDED, R.FAILED, R.TIMED_OUT, R.CANCELLED}),
    R.SUCCEEDED: frozenset({R.VERIFYING, R.INEFFECTIVE, R.CANCELLED}),
    R.VERIFYING: frozenset({R.EFFECTIVE, R.INEFFECTIVE, R.CANCELLED}),
    **dict.fromkeys((R.FAILED, R.TIMED_OUT, R.EFFECTIVE, R.INEFFECTIVE, R.CANCELLED), frozenset()),
}
WAITING = frozenset({R.REQUESTED, R.BLOCKED, R.AWAITING_APPROVAL})
"""Nothing was asked of the target yet."""
UNDER_WAY = frozenset({R.DISPATCHED, R.RUNNING})
"""The target was asked, and its run has not ended."""
JUDGED = frozenset({R.EFFECTIVE, R.INEFFECTIVE})
ENDS = frozenset(state for state, after in MOVES.items() if not after)

_REPORTED = {R.RUNNING: "the run has begun", R.SUCCEEDED: "the run has succeeded", R.FAILED: "the run has failed"}
_MOST = 500  # changes that are kept of a request
_NAMED = 5  # episodes that an entry of the history names


def move(request: Retrain, state: RetrainState, reason: str, now: int, by: str = "", **changes: Any) -> Retrain:
    """The request in another state, with other `changes`. Raises ValueError if that state may not follow. The token ends with the run."""
    if request.ended_at is not None or state not in MOVES[request.state]:
        raise ValueError(f"{request.id} is {request.state}, and cannot be {state}")
    ended: dict[str, Any] = {"ended_at": now} if state in ENDS else {}
    token: dict[str, Any] = {} if state in WAITING | UNDER_WAY else {"token": ""}
    return note(msgspec.structs.replace(request, state=state, **ended, **token, **changes), reason, now, by)


def note(request: Retrain, reason: str, now: int, by: str = "") -> Retrain:
    """The request with another entry of its history, in the state that it has; unless the last entry says the same."""
    last = request.history[-1] if request.history else None
    if last is not None and (last.state, last.reason, last.by) == (request.state, reason, by):
        return request
    history = (*request.history, Change(at=now, state=request.state, reason=reason, by=by))
    if len(history) > _MOST:  # changes of the state, and what people did, are kept as long as something else can go
        spare = next((at for at in range(1, _MOST) if history[at].state is history[at - 1].state and not history[at].by), 1)
        history = (*history[:spare], *history[spare + 1 :])
    return msgspec.structs.replace(request, history=history)


def finish(request: Retrain, reason: str, now: int) -> Retrain:
    """A run that succeeded and that nothing verifies: the request ends in its state."""
    return note(msgspec.structs.replace(request, ended_at=now), reason, now)


def carry(request: Retrain, episodes: Iterable[tuple[str, int, str]]) -> Retrain:
    """The request with further episodes, each with its first breaching window and its segment; the onset is the earliest, unless the target was asked already."""
    more = [one for one in episodes if one[0] not in request.episodes]
    if not more:
        return request
    onset = request.onset
    if request.state in WAITING:
        onset = min([started for _, started, _ in more] + ([] if onset is None else [onset]))
    names, segments = (*request.episodes, *(name for name, _, _ in more)), (*request.segments, *(segment for _, _, segment in more))
    return msgspec.structs.replace(request, episodes=names, segments=tuple(dict.fromkeys(segments)), onset=onset)


def join(request: Retrain, episodes: Iterable[tuple[str, int, str]], now: int) -> Retrain:
    """The same, with an entry of the history."""
    joined = carry(request, episodes)
    more = joined.episodes[len(request.episodes) :]
    rest = f" and {len(more) - _NAMED:,} more" if len(more) > _NAMED else ""
    return note(joined, f"joined by {', '.join(more[:_NAMED])}{rest}", now) if more else request


def report(request: Retrain, state: RetrainState, now: int, told: Mapping[str, Any], *, by: str = "", said: str = "") -> Retrain:
    """The request after its run was said to be running, succeeded or failed, by its callback or its target. `told` are `version`, `url` and `metrics`, as far as they were told.

    What comes twice changes nothing. A run that has ended cannot run again: ValueError.
    """
    kept = msgspec.structs.replace(request, sending=Sending.TAKEN, **{name: value for name, value in told.items() if value})
    if state is request.state:
        return kept
    if state is R.SUCCEEDED:
        kept = msgspec.structs.replace(kept, succeeded_at=now)
    return move(kept, state, said or _REPORTED[state], now, by, due=now)
