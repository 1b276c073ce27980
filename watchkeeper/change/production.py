"""The command that makes a period of production a model's new reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from core import moment
from core.block import Predictions
from core.contract import Contract
from core.error import ConfigError
from monitors.evidence.history import History
from monitors.reference.production import options_of, table_of
from watchkeeper.change.context import Context
from watchkeeper.change.proposal import TakenProposal, take_proposal
from watchkeeper.change.reference import take_reference

MOST = 1_000_000  # events, which are held in memory


class ProductionReference(msgspec.Struct, frozen=True, kw_only=True):
    """The model, and the period whose events are its new reference: `start <= ts < end` in microseconds; None is no bound. With `version` only the events of that version count."""

    model: str
    start: int | None = None
    end: int | None = None
    version: str | None = None


def refer_to_production(context: Context, given: ProductionReference) -> Mapping[str, Any]:
    """Derive and save the next contract version from the events of a period and the labels that they have now; columns, segments, classes and signals stay.

    A model without a contract gets the one that its events propose. The answer is that of `give_reference`. Raises Missing if there are none, and ConfigError for a period with no events or too many.
    """
    contract = context.stores.control.contract(given.model)
    if contract is None:
        return take_proposal(context, TakenProposal(model=given.model, start=given.start, end=given.end))
    low, high = moment.EARLIEST if given.start is None else given.start, moment.LATEST if given.end is None else given.end
    events = _events(context, contract, low, high)
    if given.version is not None:
        events = events.take(np.flatnonzero(np.array([one == given.version for one in events.version.texts])[events.version.codes]))
    table = table_of(contract, events, context.stores.outcomes.labels(given.model, low, high))
    return take_reference(context, given.model, table, options_of(contract, table))


def _events(context: Context, contract: Contract, low: int, high: int) -> Predictions:
    """The events of the period that count, under this contract, in order of time and id."""
    raw, pane = context.stores.raw, contract.pane
    slots = raw.slots(contract.model, pane)
    slots = slots[(slots + pane > low) & (slots < high)]
    n = sum(found[0] for found in raw.distinct(contract.model, slots, pane).values()) if len(slots) else 0
    span = (
        f"from {moment.text(max(low, int(slots[0])))} to {moment.text(min(high, int(slots[-1]) + pane))}"
        if len(slots)
        else "in that period"
    )
    if n > MOST:
        raise ConfigError(
            f"`{contract.model}` has {n:,} events {span}, and {MOST:,} are the most for a reference",
            remedy="give a shorter period with `from` and `to`",
        )
    blocks = (
        [
            block.take(np.flatnonzero((block.ts >= low) & (block.ts < high)))
            for block in History(raw, context.stores.control.contract_version).predictions(contract, slots)
        ]
        if n
        else []
    )
    if not sum(map(len, blocks)):
        raise ConfigError(
            f"`{contract.model}` has no events {span}",
            remedy="give a period with events; GET /v1/models says when the first and the last one were",
        )
    events = Predictions.concat(blocks)
    return events.take(np.lexsort((events.id.astype(str), events.ts)))
