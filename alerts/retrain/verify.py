"""The verdict on whether a retraining helped. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from alerts.retrain.machine import UNDER_WAY, finish, move, note, report
from core import duration, number
from core.hook import Hook, Verify
from core.reading import Verdict
from core.retrain import Beside, Retrain, RetrainState, Verified


class Watched(NamedTuple):
    """What the facts say of a request: the versions of the model that have events, each with its first event, the one that has come last behind; the closed windows of the new version
    in which the measure is judged; until when windows have closed; the value before the onset, None if there is none; and what the new version is beside the one before, None where both served no window together.
    """

    versions: Sequence[tuple[str, int]] = ()
    windows: Sequence[Verified] = ()
    closed: int = 0
    before: float | None = None
    beside: Beside | None = None


def arrived(request: Retrain, watched: Watched) -> tuple[str, int] | None:
    """The new version of a request and its first event: the one that the run has told, else the newest that was not known before the target was asked; None until it has events."""
    if request.version is not None:
        return next((one for one in watched.versions if one[0] == request.version), None)
    return next((one for one in reversed(watched.versions) if one[0] not in request.known), None)


def began(request: Retrain, name: str, first: int) -> int:
    """From when on (event time) a version is the new one: its first event, or the end of the window that was trained on for a version that had events before."""
    return max(first, request.manifest.end) if name in request.known and request.manifest is not None else first


def helped(windows: Sequence[Verified], most: int) -> Sequence[Verified]:
    """The first so many good windows in a row; none if there are not so many."""
    row: list[Verified] = []
    for one in windows:
        row = [*row, one] if one.good else []
        if len(row) == most:
            return row
    return []


def follow(request: Retrain, hook: Hook, watched: Watched, now: int) -> Retrain:
    """A request whose target was asked, one step further by what the facts say."""
    new = arrived(request, watched)
    if request.state in UNDER_WAY and new is not None and new[0] not in request.known:
        request = report(request, RetrainState.SUCCEEDED, now, {"version": new[0]}, said=f"the first event of version {new[0]} came")
    if request.state is RetrainState.SUCCEEDED:
        if hook.verify is None:
            return finish(request, "nothing is verified: the hook has no `verify`", now)
        if new is None:
            return _expired(request, hook.verify, now, f"no event of {_named(request)} came")
        request = move(request, RetrainState.VERIFYING, f"version {new[0]} has events", now, version=new[0])
    if request.state is RetrainState.VERIFYING and hook.verify is None:
        return move(request, RetrainState.CANCELLED, "the hook has no `verify` any more", now)
    if request.state is RetrainState.VERIFYING and hook.verify is not None:
        if new is None:
            return _expired(request, hook.verify, now, f"no window of {_named(request)} could be judged")
        return _judge(request, hook.verify, watched, began(request, *new), now)
    return request


def _judge(request: Retrain, verify: Verify, watched: Watched, first: int, now: int) -> Retrain:
    """The verdict by the windows that ended in time. It is the same whenever it is looked at: a bad window after enough good ones changes nothing."""
    windows = [one for one in watched.windows if one.end <= first + verify.within]
    request = msgspec.structs.replace(request, verified=tuple(windows), beside=watched.beside or request.beside)
    good = sum(one.good for one in windows)
    if row := helped(windows, verify.windows):
        return move(request, RetrainState.EFFECTIVE, _sentence(request, verify, row, watched.before), now)
    if watched.closed - first >= verify.within:
        values = _sentence(request, verify, windows[-verify.windows :], watched.before)
        return move(request, RetrainState.INEFFECTIVE, f"{values}; {good} of {len(windows)} windows were good", now)
    told = f"{good} of {len(windows)} windows are good, and {verify.windows} in a row are needed"
    return _expired(note(request, told, now), verify, now, told)


def _expired(request: Retrain, verify: Verify, now: int, why: str) -> Retrain:
    if request.succeeded_at is not None and now - request.succeeded_at >= verify.within:
        return move(request, RetrainState.INEFFECTIVE, f"{why} within {duration.text(verify.within)}", now)
    return request


def _sentence(request: Retrain, verify: Verify, windows: Sequence[Verified], before: float | None) -> str:
    values = ", ".join("none" if one.value is None else number.rounded(one.value) for one in windows) or "no value"
    was = "" if before is None else f", before the onset {number.rounded(before)}"
    return f"{verify.measure} of version {request.version}: {values}{was}{_beside(request.beside)}"


def _beside(found: Beside | None) -> str:
    if found is None:
        return ""
    least, most = ("unknown" if one is None else number.rounded(one) for one in (found.better, found.better_upper))
    return f"; beside version {found.version} {found.verdict}: better by {least} to {most}"


def _named(request: Retrain) -> str:
    return "a new version" if request.version is None else f"version {request.version}"


def worse(request: Retrain, before: float | None, better: int) -> bool:
    """Whether the new version is worse than what was before the onset, in every window that was judged, or worse than the version before where both served, so that going back to it would help."""
    if request.beside is not None and request.beside.verdict == Verdict.WORSE:
        return True
    values = [one.value for one in request.verified if one.value is not None]
    return before is not None and bool(values) and all((value - before) * (better or -1) < 0 for value in values)
