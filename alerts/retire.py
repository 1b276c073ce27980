"""Ends the open episodes of a deleted monitor, and one by hand or because a retraining helped."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.ports import Ledger
from alerts.step import AlertStep
from alerts.step_reads import StepReads
from core.episode import Cause, Episode, Rule
from core.monitor import Monitor


def end(monitor: Monitor, reason: str, cause: Cause, ledger: Ledger, now: int, address: str) -> None:
    """End the episodes of a monitor, in the transaction of `ledger`. Destinations that were sent the firing are sent the end, once. `now` is wall time."""
    step = AlertStep(monitor, now, 0, address, StepReads(ledger))
    for rule in ledger.rules(monitor.model, monitor.name):
        step.supersede(rule, reason, cause)
    ledger.write(step.record())


def resolve(
    episode: Episode,
    reason: str,
    ledger: Ledger,
    now: int,
    address: str,
    cause: Cause = Cause.BY_HAND,
    rules: Sequence[Rule] | None = None,
) -> bool:
    """End one open episode by hand or for another cause, in the transaction of `ledger`. The rule fires again by later windows alone. False if it is not open any more.

    `rules` are those of its monitor, for who ends many episodes of it; None: they are read.
    """
    step = AlertStep(episode.definition, now, 0, address, StepReads(ledger))
    held = ledger.rules(episode.model, episode.monitor) if rules is None else rules
    found = [rule for rule in held if rule.episode == episode.id]
    for rule in found:
        step.resolve(rule, reason, cause)
    ledger.write(step.record())
    return bool(found)
