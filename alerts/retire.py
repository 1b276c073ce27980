"""Ends the open episodes of a deleted monitor, and one by hand or because a retraining helped."""

from __future__ import annotations

from alerts.ports import Ledger
from alerts.step import AlertStep
from core.episode import Cause, Episode
from core.monitor import Monitor


def end(monitor: Monitor, reason: str, cause: Cause, ledger: Ledger, now: int, address: str) -> None:
    """End the episodes of a monitor, in the transaction of `ledger`. Destinations that were sent the firing are sent the end, once. `now` is wall time."""
    step = AlertStep(monitor, now, 0, address, ledger)
    for rule in ledger.rules(monitor.model, monitor.name):
        step.supersede(rule, reason, cause)
    ledger.write(step.record())


def resolve(episode: Episode, reason: str, ledger: Ledger, now: int, address: str, cause: Cause = Cause.BY_HAND) -> bool:
    """End one open episode by hand or for another cause, in the transaction of `ledger`. The rule fires again by later windows alone. False if it is not open any more."""
    step = AlertStep(episode.definition, now, 0, address, ledger)
    found = [rule for rule in ledger.rules(episode.model, episode.monitor) if rule.episode == episode.id]
    for rule in found:
        step.resolve(rule, reason, cause)
    ledger.write(step.record())
    return bool(found)
