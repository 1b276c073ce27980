"""What a measure's change in a window comes from: segments, columns, and the split of a performance change."""

from __future__ import annotations

from typing import Any

import msgspec

from core import moment

LEVEL = 0.05  # of p: a slice above it may be there by chance


class CauseQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The change whose causes are asked for: that of a measure in the window `[start, end)`, in microseconds, against a baseline, as it is written in a monitor; None is the usual one.

    `column` is that of a measure of columns, or the attribute of a fairness measure. `segment` is a segment, or any slice of the model's columns.
    """

    model: str
    measure: str
    start: int
    end: int
    baseline: Any = None
    segment: str = "all"
    column: str = ""
    version: str | None = None


class SegmentCause(msgspec.Struct, frozen=True):
    """A segment or another slice of rows, as `detectors.cause.slices.Slice` has it."""

    segment: str
    share: float
    value: float | None
    baseline: float | None
    n: int
    contribution: float
    p: float | None

    @property
    def certain(self) -> bool:
        """Whether it contributes more than its share of rows beyond chance."""
        return self.p is not None and self.p <= LEVEL


class BinCause(msgspec.Struct, frozen=True):
    """A bin of a column: its share of the rows of either side, and what it contributes."""

    bin: str
    target: float
    baseline: float
    contribution: float


class ColumnCause(msgspec.Struct, frozen=True):
    """A column: what its bins contribute beyond their share of rows, its PSI, and the shares of rows without a value now and in the baseline."""

    column: str
    contribution: float
    psi: float | None
    missing: float
    missing_baseline: float
    bins: tuple[BinCause, ...] = ()

    @property
    def grown(self) -> BinCause | None:
        """The bin with more rows than in the baseline in which most of the change stands; None if there is none."""
        return max((one for one in self.bins if one.target > one.baseline), key=lambda one: one.contribution, default=None)


class SplitCause(msgspec.Struct, frozen=True):
    """The parts of a performance change in the measure's unit, above 0 where they make it worse; None of other changes, and where the rows are too few."""

    covariate: float | None = None
    concept: float | None = None
    unexplained: float | None = None


class Causes(msgspec.Struct, frozen=True, kw_only=True):
    """The causes of a change. `n` and `n_baseline` are the rows that count on either side, `rows` those of the window that were read, with a label where the measure needs one: fewer where they were drawn."""

    asked: CauseQuery
    sentence: str
    value: float | None
    baseline_value: float | None
    n: int
    n_baseline: int | None
    rows: int
    segments: tuple[SegmentCause, ...] = ()
    columns: tuple[ColumnCause, ...] = ()
    split: SplitCause = SplitCause()
    examples: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The causes as the API gives them."""
        asked = self.asked
        named = {name: getattr(asked, name) for name in ("model", "measure", "column", "segment")}
        times = {"from": moment.text(asked.start), "to": moment.text(asked.end)}
        found = {name: getattr(self, name) for name in ("sentence", "segments", "columns", "split", "examples")}
        return {**found, **named, **times, "baseline": asked.baseline} | {
            name: getattr(self, name) for name in ("value", "baseline_value", "n", "n_baseline", "rows")
        }
