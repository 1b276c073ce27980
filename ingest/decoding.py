"""The stage that turns a batch of records into blocks, by model.

A batch from Kafka has tens of thousands of records of one event each. They are decoded together, and the result for a record does not depend on the others.
A record that is not one JSON object (a request, an array, an empty record) is decoded alone.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import numpy as np

from core.block import Labels, Predictions
from core.contract import Contract
from core.error import Retryable
from ingest.decode.decoded import Contracts, Decoded, Unclaimed
from ingest.decode.fault import Fault
from ingest.decode.label import decode_labels, read_labels
from ingest.decode.payload import LARGEST, PayloadError, shallow
from ingest.decode.prediction import decode_predictions, read_predictions
from ingest.record import Batch, Events, LogRecord, Reject, Waiting

_log = logging.getLogger(__name__)

B = TypeVar("B", Predictions, Labels)

_NO_FAULT = (MemoryError, Retryable)  # of the store, not of a record: the batch is tried again
_MODEL = re.compile(rb'"model" ?: ?"([^"\\]*)"')  # records of probably one model are decoded together, which is quicker


class Decode:
    """Decodes batches. A record that was decoded when it was appended is not decoded again, unless its contracts have changed since.

    With `keep` events of models without a contract are `waiting`, and not rejected.
    """

    def __init__(self, contracts: Contracts, *, keep: bool = False) -> None:
        self._contracts, self._keep = contracts, keep

    def __call__(self, batch: Batch) -> Events:
        """The blocks of a batch, rows in the order of the log."""
        contracts: Contracts = cache(self._contract)  # a contract does not change within a batch
        rejects: list[Reject] = []
        outside: Counter[str] = Counter()
        waiting: list[Waiting] = []
        if batch.topic == "predictions":
            blocks: dict[str, tuple[Contract, list[Predictions]]] = {}
            one = _Pass(decode_predictions, read_predictions, contracts, rejects, outside, waiting, keep=self._keep)
            for records, decoded in one.over(batch.records):
                for model, (contract, block) in decoded.items():
                    blocks.setdefault(model, (contract, []))[1].append(_located(block, records))
            joined = [(contract, _in_order(Predictions.concat(parts))) for contract, parts in blocks.values()]
            return Events(batch, predictions=joined, rejects=sorted(rejects), outside=outside, waiting=sorted(waiting))
        labels: dict[str, list[Labels]] = {}
        other = _Pass(decode_labels, read_labels, contracts, rejects, outside, waiting, keep=self._keep)
        for records, found in other.over(batch.records):
            for model, part in found.items():
                labels.setdefault(model, []).append(_located(part, records))
        joined_labels = {model: _in_order(Labels.concat(parts)) for model, parts in labels.items()}
        return Events(batch, labels=joined_labels, rejects=sorted(rejects), outside=outside, waiting=sorted(waiting))

    def _contract(self, model: str) -> Contract | None:
        try:
            return self._contracts(model)
        except Exception as error:  # the record is not at fault if a store is away
            raise Retryable(f"the contract of {model!r} cannot be read: {error}") from error


class _Pass:
    """One pass over a batch. `over` gives the blocks of one request, or of records that are one event each."""

    def __init__(
        self,
        request: Callable[..., Decoded[Any]],
        events: Callable[..., Decoded[Any]],
        contracts: Contracts,
        rejects: list[Reject],
        outside: Counter[str],
        waiting: list[Waiting],
        *,
        keep: bool,
    ) -> None:
        self._request, self._read, self._contracts, self._rejects, self._outside = request, events, contracts, rejects, outside
        self._waiting, self._keep = waiting, keep

    def over(self, records: Sequence[LogRecord]) -> Iterator[tuple[Sequence[LogRecord], Mapping[str, Any]]]:
        """The blocks, with the records that they come from; rejects, rows outside the classes and events that wait are noted."""
        alike: dict[bytes, list[LogRecord]] = {}
        for record in records:
            if _is_event(record):
                found = _MODEL.search(record.body)
                alike.setdefault(found[1] if found else b"", []).append(record)
            else:
                yield from self._alone(record)
        for some in alike.values():
            yield from self._events(some)

    def _events(self, records: Sequence[LogRecord]) -> Iterator[tuple[Sequence[LogRecord], Mapping[str, Any]]]:
        logged = np.fromiter((record.logged for record in records), np.int64, len(records))
        try:
            decoded = self._read(shallow([record.body for record in records]), self._contracts, logged, keep=self._keep)
        except _NO_FAULT:
            raise
        except Exception as error:  # a record that breaks the decoder must not stop the stream, nor reject other records
            if len(records) == 1:
                self._broken(records[0], error)
                return
            half = len(records) // 2
            yield from self._events(records[:half])
            yield from self._events(records[half:])
            return
        self._rejects += [_reject(records[fault.row], 0, fault) for fault in decoded.rejects]
        self._waiting += [_waiting(records[one.row], 0, one) for one in decoded.waiting]
        self._outside.update(decoded.outside)
        yield records, decoded.blocks

    def _alone(self, record: LogRecord) -> Iterator[tuple[Sequence[LogRecord], Mapping[str, Any]]]:
        decoded = record.decoded
        if decoded is None or not all(map(self._holds, decoded.blocks.values())):
            try:
                decoded = self._request(_body(record), record.kind, self._contracts, record.logged, keep=self._keep)
            except PayloadError as error:
                self._rejects.append(_reject(record, 0, Fault(0, "", str(error))))
                return
            except _NO_FAULT:
                raise
            except Exception as error:  # as above
                self._broken(record, error)
                return
        self._rejects += [_reject(record, fault.row, fault) for fault in decoded.rejects]
        self._waiting += [_waiting(record, one.row, one) for one in decoded.waiting]
        self._outside.update(decoded.outside)
        yield [record], decoded.blocks

    def _holds(self, block: tuple[Contract, Predictions] | Labels) -> bool:
        if isinstance(block, Labels):
            return True
        newest = self._contracts(block[0].model)
        return newest is not None and newest.version == block[0].version

    def _broken(self, record: LogRecord, error: Exception) -> None:
        _log.exception("record %d could not be decoded; it goes to the dead letters", record.position)
        self._rejects.append(_reject(record, 0, Fault(0, "", f"the record could not be decoded: {error!r}"[:500])))


def _is_event(record: LogRecord) -> bool:
    """Whether the record is one JSON object that is not too large."""
    return record.decoded is None and record.kind == "json" and record.body[:1] == b"{" and len(record.body) <= LARGEST


def _body(record: LogRecord) -> bytes:
    """The bytes of a record; PayloadError if there are none, or too many."""
    if not record.body:
        raise PayloadError("the record is empty; send an event")
    if len(record.body) > LARGEST:
        raise PayloadError(f"the record is larger than {LARGEST >> 20} MiB", status=413)
    return record.body


def _located(block: B, records: Sequence[LogRecord]) -> B:
    """The block with its positions in the log: those of its request, or of the records whose indices its rows have."""
    if len(records) == 1:
        rows = len(block)
        return replace(block, position=np.full(rows, records[0].position), logged=np.full(rows, records[0].logged))
    position = np.fromiter((record.position for record in records), np.int64, len(records))
    logged = np.fromiter((record.logged for record in records), np.int64, len(records))
    return replace(block, position=position[block.row], logged=logged[block.row], row=np.zeros_like(block.row))


def _in_order(block: B) -> B:
    """The block's rows in the order of the log."""
    if (np.diff(block.position) >= 0).all():
        return block
    return block.take(np.lexsort((block.row, block.position)))


def _reject(record: LogRecord, row: int, fault: Fault) -> Reject:
    return Reject(record.position, row, fault.model, fault.field, fault.reason, record.logged)


def _waiting(record: LogRecord, row: int, event: Unclaimed) -> Waiting:
    return Waiting(record.position, row, event.model, event.body, record.logged)
