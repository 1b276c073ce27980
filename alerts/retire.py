"""Ends the open episodes of a deleted monitor."""

from __future__ import annotations

from alerts.ports import Ledger
from alerts.step import AlertStep
from core.episode import Cause
from core.monitor import Monitor


def end(monitor: Monitor, reason: str, cause: Cause, ledger: Ledger, now: int, address: str) -> None:
    """End the episodes of a monitor, in the transaction of `ledger`. Destinations that were sent the firing are sent the end, once. `now` is wall time."""
    step = AlertStep(monitor, now, 0, address, ledger)
    for rule in ledger.rules(monitor.model, monitor.name):
        step.supersede(rule, reason, cause)
    ledger.write(step.record())
