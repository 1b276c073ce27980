"""A decoded request: blocks by model, and all of its faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from core.contract import Contract
from ingest.decode.fault import Fault

LISTED = 100  # bad cells that are listed by row; the blocks hold all of them as invalid

Contracts = Callable[[str], Contract | None]
B = TypeVar("B")


class Unclaimed(NamedTuple):
    """An event of a model that has no contract: its row in the request, its model, its id, and its JSON."""

    row: int
    model: str
    id: str
    body: bytes


@dataclass(frozen=True)
class Decoded(Generic[B]):
    """A decoded request of `rows` rows. `accepted` of them are in `blocks`; the others are in `rejects`, in order.

    With `ingest.unknown_models: keep` events of models without a contract are accepted too; they are in `waiting`, and in no block.
    `cells` are the first `LISTED` bad cells of accepted rows; `unknown` counts columns that are not in the contract, by
    (model, column); `outside` counts accepted rows by model whose prediction or label is none of the contract's classes.
    """

    rows: int
    accepted: int
    blocks: Mapping[str, B]
    rejects: Sequence[Fault]
    cells: Sequence[Fault]
    unknown: Mapping[tuple[str, str], int]
    outside: Mapping[str, int] = field(default_factory=dict)
    waiting: Sequence[Unclaimed] = ()
