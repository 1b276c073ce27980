"""The proposal of a contract for a model that has none: what is seen in its events that wait, and whether they are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from core import duration, moment
from core.block import Predictions
from core.error import Missing
from ingest.decode.label import read_labels
from ingest.decode.payload import PayloadError, parse, shallow
from ingest.decode.prediction import read_predictions
from monitors.reference.learned import Learned, learn
from watchkeeper.settings.section import IngestSettings
from watchkeeper.stores import Stores

MOST = 200_000  # events from which a contract is learned: the first ones
MOST_LABELS = 1_000_000
MOST_BYTES = 128 << 20  # of the JSON of either, which is held in memory
_SHOWN, _SHOWN_BYTES = 20_000, 32 << 20  # from which a proposal is made that is only shown
_ONE = Lock()  # one proposal is made at a time: the events that are read for it take some ten times the memory of their JSON

Labels = dict[str, tuple[str, float, int]]  # by id: text, number, time in microseconds


class WaitingEvents(NamedTuple):
    """The first events of a model that wait, as they were sent, with when the log took each, and its place (partition, position, row)."""

    bodies: Sequence[bytes]
    logged: Sequence[int]
    places: Sequence[tuple[int, int, int]]

    @staticmethod
    def of(stores: Stores, model: str, topic: Any, most: int, size: int) -> WaitingEvents:
        """At most `most` of one topic, and of about `size` bytes."""
        rows = stores.waiting.first(model, topic, most, size)
        return WaitingEvents([row[4] for row in rows], [row[0] for row in rows], [row[1:4] for row in rows])

    def parsed(self) -> list[dict[str, Any]]:
        """The events as JSON objects; those that cannot be read are left out."""
        found = []
        for body in self.bodies:
            try:
                event = parse(body)
            except PayloadError:
                continue
            found += [event] if isinstance(event, dict) else []
        return found


def proposal(stores: Stores, model: str, now: int) -> dict[str, Any]:
    """What `GET /v1/models/{m}/proposal` answers. Raises Missing if the model has a contract, or no prediction of it waits."""
    counts, ingest = require_waiting(stores, model), stores.settings.ingest
    with _ONE:
        events = WaitingEvents.of(stores, model, "predictions", _SHOWN, _SHOWN_BYTES)
        labels = WaitingEvents.of(stores, model, "labels", _SHOWN, _SHOWN_BYTES)
        learned = learn(model, events.parsed(), _values(labels), {})
    ready = enough(ingest, counts["predictions"], min(events.logged), now)
    return {
        "model": model,
        "ready": ready,
        "predictions": counts["predictions"],
        "labels": counts.get("labels", 0),
        "since": moment.text(min(events.logged)),
        "needed": {"predictions": ingest.propose_rows, "after": duration.text(ingest.propose_after)},
        "seen": learned.events,
        **learned.described(),
    }


def require_waiting(stores: Stores, model: str) -> dict[str, int]:
    """By topic, how many events of a model wait for its contract. Raises Missing if it has one, or no prediction waits."""
    if stores.control.contract(model) is not None:
        raise Missing(
            f"{model[:100]!r} has a contract, so none is proposed",
            remedy="`watchkeeper reference MODEL --from-production` makes a later period its reference",
        )
    counts = stores.waiting.counts(model).get(model, {})
    if not counts.get("predictions"):
        raise Missing(
            f"there is no model {model[:100]!r}, and no prediction of it waits", remedy="set `ingest.unknown_models: keep`, and send events"
        )
    return counts


def waiting(stores: Stores) -> dict[str, int]:
    """How many events wait of each model that has no contract; none are looked for where they are refused."""
    if stores.settings.ingest.unknown_models == "refuse":
        return {}
    found = {model: sum(counts.values()) for model, counts in stores.waiting.counts().items()}
    return {model: n for model, n in found.items() if stores.control.contract(model) is None}


def waiting_advice(stores: Stores) -> list[str]:
    """A sentence for each of these models."""
    return [
        f"{n:,} events of {model} wait for its contract; GET /v1/models/{model}/proposal shows what was seen, and `watchkeeper reference {model} --from-production` takes it"
        for model, n in waiting(stores).items()
    ]


def enough(ingest: IngestSettings, predictions: int, since: int, now: int) -> bool:
    """Whether the events that wait are enough to propose a contract."""
    return predictions >= ingest.propose_rows or now - since >= ingest.propose_after


def read(stores: Stores, model: str, given: Mapping[str, str]) -> tuple[Learned, Predictions, Labels]:
    """The contract that is learned from the first events that wait, these events (one of each id, the one that counts), and the labels that hold of them."""
    with _ONE:
        events = WaitingEvents.of(stores, model, "predictions", MOST, MOST_BYTES)
        truths = WaitingEvents.of(stores, model, "labels", MOST_LABELS, MOST_BYTES)
        learned = learn(model, events.parsed(), _values(truths), given)
        return learned, _counting(learned, events), _holding(learned, truths)


def _values(labels: WaitingEvents) -> list[Any]:
    return [event.get("label") for event in labels.parsed()]


def _counting(learned: Learned, events: WaitingEvents) -> Predictions:
    """Of each id the event that counts: the first of each partition, and of these the one that the log took first. In order of time and id."""
    found = read_predictions(
        shallow(list(events.bodies)), {learned.contract.model: learned.contract}.get, np.array(events.logged, np.int64)
    )
    if learned.contract.model not in found.blocks:
        return Predictions.concat([])
    block = found.blocks[learned.contract.model][1]
    first: dict[tuple[str, int], tuple[tuple[int, int], int]] = {}
    for row, (key, at) in enumerate(zip(block.id.tolist(), block.row.tolist(), strict=True)):
        part, *place = events.places[at]
        known = first.get((key, part))
        if known is None or place < list(events.places[block.row[known[1]]][1:]):
            first[key, part] = ((events.logged[at], part), row)
    held: dict[str, tuple[tuple[int, int], int]] = {}
    for (key, _), one in first.items():
        held[key] = min(held.get(key, one), one)
    rows = np.array(sorted(row for _, row in held.values()), np.intp)
    taken = block.take(rows)
    return taken.take(np.lexsort((taken.id.astype(str), taken.ts)))


def _holding(learned: Learned, truths: WaitingEvents) -> Labels:
    """Of each id the label with the highest time and place, unless that retracts."""
    contract = learned.contract
    found = (
        read_labels(shallow(list(truths.bodies)), {contract.model: contract}.get, np.array(truths.logged, np.int64))
        if truths.bodies
        else None
    )
    block = found.blocks.get(contract.model) if found else None
    if block is None:
        return {}
    last: dict[str, tuple[tuple[int, ...], int]] = {}
    for row, (key, at, ts) in enumerate(zip(block.id.tolist(), block.row.tolist(), block.ts.tolist(), strict=True)):
        one = ((ts, *truths.places[at]), row)
        last[key] = max(last.get(key, one), one)
    return {
        key: (str(block.text[row]), float(block.number[row]), int(block.ts[row]))
        for key, (_, row) in last.items()
        if not block.deleted[row]
    }
