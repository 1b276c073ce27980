"""The step that turns a batch of records into blocks, by model."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from core.block import Labels, Predictions
from core.contract import Contract
from ingest.decode.label import decode_labels
from ingest.decode.prediction import decode_predictions
from ingest.record import Batch, Events, Record, Reject

_log = logging.getLogger(__name__)

B = TypeVar("B", Predictions, Labels)


class Decode:
    """Decodes batches. What was decoded when it was appended is taken as it is, if the contracts have not moved since."""

    def __init__(self, contracts: Callable[[str], Contract | None]) -> None:
        self._contracts = contracts

    def __call__(self, batch: Batch) -> Events:
        """The blocks of a batch, rows in the order of the log."""
        return self._predictions(batch) if batch.topic == "predictions" else self._labels(batch)

    def _predictions(self, batch: Batch) -> Events:
        blocks: dict[str, tuple[Contract, list[Predictions]]] = {}
        rejects: list[Reject] = []
        for record in batch.records:
            decoded = record.decoded
            if decoded is None or not all(self._holds(contract) for contract, _ in decoded.blocks.values()):
                try:
                    decoded = decode_predictions(record.body, record.kind, self._contracts, record.logged)
                except Exception as error:  # one record that breaks the decoder must not stop the stream
                    rejects.append(_broken(record, error))
                    continue
            for model, (contract, block) in decoded.blocks.items():
                blocks.setdefault(model, (contract, []))[1].append(_placed(block, record))
            rejects += _rejects(decoded, record)
        return Events(batch, predictions=[(contract, Predictions.concat(parts)) for contract, parts in blocks.values()], rejects=rejects)

    def _holds(self, contract: Contract) -> bool:
        newest = self._contracts(contract.model)
        return newest is not None and newest.version == contract.version

    def _labels(self, batch: Batch) -> Events:
        blocks: dict[str, list[Labels]] = {}
        rejects: list[Reject] = []
        for record in batch.records:
            decoded = record.decoded
            if decoded is None:
                try:
                    decoded = decode_labels(record.body, record.kind, self._contracts, record.logged)
                except Exception as error:  # as above
                    rejects.append(_broken(record, error))
                    continue
            for model, block in decoded.blocks.items():
                blocks.setdefault(model, []).append(_placed(block, record))
            rejects += _rejects(decoded, record)
        return Events(batch, labels={model: Labels.concat(parts) for model, parts in blocks.items()}, rejects=rejects)


def _placed(block: B, record: Record) -> B:
    """The block at its place in the log."""
    rows = len(block)
    return replace(block, position=np.full(rows, record.position), logged=np.full(rows, record.logged))


def _rejects(decoded: object, record: Record) -> list[Reject]:
    return [
        Reject(record.position, reject.row, "", reject.field, reject.reason, record.logged)
        for reject in decoded.rejects  # type: ignore[attr-defined]
    ]


def _broken(record: Record, error: Exception) -> Reject:
    _log.exception("record %d could not be decoded; it goes to the dead letters", record.position)
    return Reject(record.position, 0, "", "", f"the record could not be decoded: {error!r}"[:500], record.logged)
