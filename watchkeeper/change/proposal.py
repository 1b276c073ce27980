"""The command that takes the proposed contract of a model that has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from core import moment
from core.clock import SystemClock
from core.error import ConfigError
from core.name import Named, check
from monitors.reference.option import Options
from monitors.reference.production import options_of, table_of
from watchkeeper import learning
from watchkeeper.change.context import Context
from watchkeeper.change.reference import take_reference


class TakenProposal(msgspec.Struct, frozen=True, kw_only=True):
    """The model, options that decide otherwise than the proposal, as texts, and the period whose events are the reference: `start <= ts < end` in microseconds; None is no bound."""

    model: str
    options: dict[str, str] = {}
    start: int | None = None
    end: int | None = None


def take_proposal(context: Context, given: TakenProposal) -> Mapping[str, Any]:
    """Derive and save the contract of a model, with its first events that wait and their labels as its reference. All that wait then become its events.

    The answer is that of `give_reference`. Raises Missing if the model has a contract, or if nothing waits, and ConfigError if too little does.
    """
    stores, model = context.stores, check(Named.MODEL, given.model)
    ingest, counts = stores.settings.ingest, learning.require_waiting(stores, model)
    since = stores.waiting.first(model, "predictions", 1, 0)[0][0]
    if not learning.enough(ingest, counts["predictions"], since, SystemClock().now()):
        raise ConfigError(
            f"`{model}` has {counts['predictions']:,} predictions, and {ingest.propose_rows:,} are needed for a contract",
            remedy="wait for more, or give a reference as a file; `ingest.propose_rows` and `ingest.propose_after` say when a contract is proposed",
        )
    learned, events, labels = learning.read(stores, model, given.options)
    low, high = moment.EARLIEST if given.start is None else given.start, moment.LATEST if given.end is None else given.end
    events = events.take(np.flatnonzero((events.ts >= low) & (events.ts < high)))
    if not len(events):
        raise ConfigError(
            f"no prediction of `{model}` that waits can be used for its contract",
            remedy="see GET /v1/models/{model}/proposal; give another period, or another `task`",
        )
    table = table_of(learned.contract, events, labels)
    return take_reference(context, model, table, _options(learned.options, options_of(learned.contract, table)))


def _options(wished: Options, found: Options) -> Options:
    """The options that read the table, with segments and protected attributes as wished."""
    return msgspec.structs.replace(
        found, segments=wished.segments, protected=wished.protected, signals=wished.signals, multivariate=wished.multivariate
    )
