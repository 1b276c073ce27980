"""Reads about columns: segments, counts by bin, traffic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core import moment
from core.contract import LABEL, Kind
from core.error import ConfigError
from core.segment import ALL, grouping_of
from detectors.summary.signal import ATTRIBUTION
from monitors.evidence.history import History
from watchkeeper.reader.sources import Sources

_TOLD = 10  # columns with new values, and values of each
_EVER = (moment.EARLIEST, moment.LATEST)


class ColumnReader(Sources):
    """Reads panes and the reference."""

    def histogram(
        self, model: str, column: str, segment: str, start: int | None = None, end: int | None = None
    ) -> tuple[list[int], list[int]]:
        """Counts of all bins of a column: in the span, and in the reference."""
        contract = self._known(model)
        try:
            bins = contract.column(column).bins
        except KeyError:
            raise ConfigError(f"`{model}` has no column `{column}`", remedy="see its contract") from None
        reference = self._reference(contract)
        baseline = np.zeros(bins) if reference is None else reference.counts(column).get(segment, np.zeros(bins))
        span = (start if start is not None else _EVER[0], end if end is not None else _EVER[1])
        target = (
            self._stores.panes.labels(contract, segment, span)
            if column == LABEL
            else self._stores.panes.histogram(contract, column, segment, span)
        )
        return target.tolist(), baseline.astype(np.int64).tolist()

    def traffic(self, model: str, segment: str, start: int | None, end: int | None, step: int) -> pa.Table:
        """Predictions of a segment by step: start (int64 microseconds), n."""
        span = (start if start is not None else _EVER[0], end if end is not None else _EVER[1])
        starts, rows = self._stores.panes.traffic(self._known(model), segment, step, span)
        return pa.table({"start": starts, "n": rows})

    def counts(self, asked: Sequence[tuple[str, str, int, int]]) -> list[int]:
        """How many predictions came of each (model, segment) in a span of whole panes; 0 of a model that is not there. One question for all."""
        defined = self._defined.read()
        known = [(defined[model].contract, segment, (start, end)) for model, segment, start, end in asked if model in defined]
        counts = iter(self._stores.panes.counts(known))
        return [next(counts) if model in defined else 0 for model, *_ in asked]

    def use(self, model: str, start: int, end: int) -> list[tuple[str, str, int]]:
        """Versions and roles of a model, each with how many predictions it has in a span of whole panes."""
        return self._stores.panes.use(self._known(model), (start, end))

    def importance(self, model: str, segment: str, start: int, end: int) -> dict[str, float]:
        """By feature, the mean size of its attributions in a span of whole panes; features without any are left out."""
        contract = self._known(model)
        signals = [column.name for column in contract.signals if column.name.startswith(ATTRIBUTION)]
        if not signals:
            return {}
        grouping = "" if segment == ALL else "*".join(grouping_of(segment))
        found = self._stores.panes.inputs(
            contract, signals, ("absolute", "bin", "count"), (grouping,), end - start, (start, end), phase=start
        )
        means: dict[str, float] = {}
        for row in found.filter(pc.equal(found["segment"], segment)).to_pylist():
            null = contract.column(row["column"]).null
            counted = sum(count for place, count in zip(row["bin"], row["count"], strict=True) if place < null)
            means |= {row["column"].removeprefix(ATTRIBUTION): row["absolute"] / counted} if counted else {}
        return means

    def new_categories(self, model: str, start: int, end: int) -> list[tuple[str, int, list[tuple[str, int]]]]:
        """The categorical features with values in a span of whole panes that the reference does not have: name, how many events have one, and the most frequent of these values.

        Each value comes with its number of events; there are no values where raw events are not kept any more. All traffic, the columns with most events first.
        """
        contract = self._known(model)
        unseen = {column.name: column.values + 1 for column in contract.features if column.kind is Kind.CATEGORICAL}
        found = self._stores.panes.held_by(contract, unseen, (start, end))
        most = sorted(found, key=lambda name: (-found[name], name))[:_TOLD]
        slots = np.arange(start, end, contract.pane)
        told = History(self._stores.raw, self._stores.control.contract_version).unseen(contract, most, slots, _TOLD) if most else {}
        return [(name, found[name], told[name]) for name in most]
