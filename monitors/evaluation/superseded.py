"""Whether the version of a model that a monitor names is served no more, because a version that came later has taken its place."""

from __future__ import annotations

from functools import cache

from core import moment
from core.block import Ints
from core.contract import Contract
from core.span import Spans
from monitors.evaluation.task import MonitorTask
from monitors.lease import Lease
from monitors.ports import Alerts, Panes


class Versions:
    """When the versions of a model have events. Each question is asked once, for all monitors of a step."""

    def __init__(self, panes: Panes, contract: Contract) -> None:
        self._slots = cache(lambda version: panes.slots(contract, version)[0])
        self._came = cache(lambda: {name: first for name, first, _ in panes.versions(contract)})

    def slots(self, version: str) -> Ints:
        """The slots with events of a version, ascending."""
        found: Ints = self._slots(version)
        return found

    def came(self) -> dict[str, int]:
        """By version its first slot, the one that came last behind."""
        return self._came()


def end_superseded(alerts: Alerts, versions: Versions, task: MonitorTask, lease: Lease, looked: set[tuple[str, int]]) -> None:
    """End the episodes of a version of the model that is not served any more, after a window of its monitor has closed.

    `looked` are the monitors that this owner has looked at: the first time it looks in any case, since the owner before may have been killed between the two.
    """
    version, key = task.monitor.version, (task.monitor.name, task.monitor.evaluated_revision)
    if version is None or not (len(task.due) or key not in looked):
        return
    if why := superseded(versions, version, task.done.windows):
        alerts.supersede(task.monitor, why, lease.fence)
    looked.add(key)


def superseded(versions: Versions, version: str, evaluated: Spans) -> str:
    """Why episodes on a version end, as a sentence; empty while the version is served: it has events in the newest window that was evaluated, or no later version has events after its last ones.

    The version may come back: its windows are then judged as before.
    """
    own = versions.slots(version)
    if not len(own) or not len(evaluated) or int(own[-1]) >= int(evaluated.start.max()):
        return ""
    came = versions.came()
    later = [name for name, first in came.items() if first > came.get(version, first)]
    if not any(int(versions.slots(name)[-1]) > int(own[-1]) for name in later):
        return ""
    return f"version {version} is not served any more: its last events are of {moment.text(int(own[-1]))}, and version {later[-1]} came after it"
