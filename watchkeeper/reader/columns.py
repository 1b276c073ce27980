"""Reads about columns: segments, counts by bin, traffic."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core import moment
from core.contract import LABEL
from core.error import ConfigError
from watchkeeper.reader.sources import Sources

_EVER = (moment.EARLIEST, moment.LATEST)


class ColumnReader(Sources):
    """Reads panes and the reference."""

    def segments(self, model: str) -> list[str]:
        """Segments with predictions, or in the reference."""
        contract = self._known(model)
        reference = self._reference(contract)
        return sorted({*self._stores.panes.segments(contract), *(reference.segments if reference else ())})

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
