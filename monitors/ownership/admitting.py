"""Admits events that waited for the model's contract, before anything else is done with its events.

The portion is saved as an intent first: so whoever continues after a kill, and a former owner that writes late, write the same rows under the same token. The positions of these
events are lower than those that the owner has seen. So its cursor goes back before them, and what follows is done again: that changes nothing but what they change. Only then do
they wait no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.contract import Contract
from monitors.lease import Lease
from monitors.ownership.audit import fresh
from monitors.ports import Admission, Committed, Ranges, Topic

_CURSORS: dict[Topic, tuple[str, ...]] = {
    "predictions": ("predictions", "audit"),
    "labels": ("labels",),
}  # parts of a cursor, by the topic whose positions they follow
_INTENT = "admitting"


class Admitting:
    """Looks for events that wait: first of all, and if they may begin to wait at any time, after each commit."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._looked: Lease | None = None  # the lease in which nothing was left waiting

    def __call__(self, contract: Contract, committed: Committed, cursor: Mapping[str, Any], lease: Lease) -> bool:
        """Admit a portion of the model's events that wait. Returns whether there were any."""
        positions: dict[Topic, dict[int, int]] = {"predictions": committed.predictions, "labels": committed.labels}
        came = any(fresh(cursor.get(topic, {}), at) for topic, at in positions.items())
        if self._looked is lease and not (came and self._admission.always):
            return False
        portion = _read(cursor.get(_INTENT, {})) or self._admission.portion(contract.model, positions)
        if not portion:
            self._looked = lease
            return False
        lease.save({**cursor, _INTENT: portion})
        self._admission.admit(contract, portion, lease.check)
        lease.save(_before(cursor, portion))
        self._admission.forget(contract.model, portion)
        return True


def _before(cursor: Mapping[str, Any], portion: Mapping[Topic, Ranges]) -> dict[str, Any]:
    """The cursor without an intent, and before the positions of a portion."""
    back = {name: held for name, held in cursor.items() if name != _INTENT}
    for topic, ranges in portion.items():
        for name in _CURSORS[topic]:
            seen = back.get(name, {})
            back[name] = {
                **seen,
                **{str(part): min(seen[str(part)], first - 1) for part, (first, _) in ranges.items() if str(part) in seen},
            }
    return back


def _read(intent: Mapping[Topic, Mapping[str, Any]]) -> dict[Topic, Ranges]:
    return {topic: {int(part): (first, last) for part, (first, last) in ranges.items()} for topic, ranges in intent.items()}
