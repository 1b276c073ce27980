"""What a page asks of many places at once, which the twin answers one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import pyarrow as pa

from core.contract import Contract
from core.reading import Query


class AtOnce(ABC):
    """The part of a reader that answers for many lines of charts, and for many segments."""

    _contracts: dict[str, Contract]

    @abstractmethod
    def readings(self, query: Query) -> pa.Table:
        """The readings of one query."""

    @abstractmethod
    def traffic(self, model: str, segment: str, start: int, end: int, step: int) -> pa.Table:
        """The predictions of one segment."""

    def charts(self, queries: Sequence[Query]) -> list[pa.Table]:
        """The readings of each."""
        return [self.readings(query) for query in queries]

    def lines(self, queries: Sequence[Query]) -> list[list[float | None]]:
        """The values of each."""
        return [self.readings(query).sort_by("window_start")["value"].to_pylist() for query in queries]

    def counts(self, asked: Sequence[tuple[str, str, int, int]]) -> list[int]:
        """The predictions of each; none of a model that is not there."""
        return [
            sum(self.traffic(model, segment, start, end, end - start)["n"].to_pylist()) if model in self._contracts else 0
            for model, segment, start, end in asked
        ]

    def recent(self, spans: Mapping[str, tuple[int, int]], step: int) -> Mapping[str, Mapping[int, int]]:
        """By model, the predictions of each step of its span."""
        found = {model: self.traffic(model, "all", *span, step).to_pydict() for model, span in spans.items()}
        return {model: dict(zip(table["start"], table["n"], strict=True)) for model, table in found.items()}
