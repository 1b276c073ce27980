"""Whether the version of a model that a monitor names is served no more, because a version that came later has taken its place."""

from __future__ import annotations

from core import moment
from core.contract import Contract
from core.span import Spans
from monitors.evaluation.task import MonitorTask
from monitors.lease import Lease
from monitors.ports import Alerts, Panes


def end_superseded(alerts: Alerts, panes: Panes, contract: Contract, task: MonitorTask, lease: Lease) -> None:
    """End the episodes of a version of the model that is not served any more, after a window of its monitor has closed."""
    version = task.monitor.version
    if version is not None and len(task.due) and (why := superseded(panes, contract, version, task.done.windows)):
        alerts.supersede(task.monitor, why, lease.fence)


def superseded(panes: Panes, contract: Contract, version: str, evaluated: Spans) -> str:
    """Why episodes on a version end, as a sentence; empty while the version is served: it has events in the newest window that was evaluated, or no later version has events after its last ones.

    The version may come back: its windows are then judged as before.
    """
    own, _ = panes.slots(contract, version)
    if not len(own) or not len(evaluated) or int(own[-1]) >= int(evaluated.start.max()):
        return ""
    came = {name: first for name, first, _ in panes.versions(contract)}
    later = [name for name, first in came.items() if first > came.get(version, first)]
    if not later or not any(int(panes.slots(contract, name)[0][-1]) > int(own[-1]) for name in later):
        return ""
    return f"version {version} is not served any more: its last events are of {moment.text(int(own[-1]))}, and version {later[-1]} came after it"
