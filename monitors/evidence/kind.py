"""The readers of all kinds of evidence. A new kind is a file in this folder, and a line in `KINDS`.

A reader has `fields`, the fields of panes that it reads; `read`, the evidence of several sides (a target, a baseline; each pools its spans) from one
extent; `reference`, the evidence of the reference; and `parts`, which says how many windows fit into memory at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from core.span import Spans
from detectors import arrival, certainty, estimate, evidence, sample
from detectors.ranked import Ranked
from monitors.evidence import (
    age,
    confusion,
    copies,
    counts,
    delays,
    distinct,
    joint,
    labelling,
    late,
    losses,
    matrix,
    moments,
    orphans,
    predicted,
    ranked,
    rejects,
    schema,
    score_bins,
    score_losses,
    scores,
    separation,
    signals,
    sums,
    vectors,
    volume,
)
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope


class EvidenceKind(Protocol):
    """A module that reads one kind of evidence."""

    def fields(self, column: str, /) -> PaneFields:
        """The fields of panes that are read for a column."""
        ...

    def parts(self, reads: Reads, extent: Extent, windows: Spans, /) -> list[slice]:
        """The windows to evaluate at a time."""
        ...

    def read(self, reads: Reads, extent: Extent, column: str, sides: Sequence[Sequence[Spans]], /) -> Sequence[Any]:
        """The evidence of each side; `column` is "" for a measure of the whole model."""
        ...

    def reference(self, scope: Scope, column: str, /) -> Any:
        """The evidence of the reference."""
        ...


KINDS: Mapping[type[Any], EvidenceKind] = {
    evidence.Counts: counts,
    evidence.Sums: sums,
    evidence.Moments: moments,
    evidence.Distinct: distinct,
    evidence.Confusion: confusion,
    evidence.ConfusionMatrix: matrix,
    evidence.Losses: losses,
    evidence.ScoreLosses: score_losses,
    evidence.Scores: scores,
    Ranked: ranked,
    evidence.Labelling: labelling,
    evidence.Delays: delays,
    arrival.Late: late,
    arrival.Schema: schema,
    arrival.Orphans: orphans,
    arrival.Copies: copies,
    arrival.Rejects: rejects,
    arrival.Age: age,
    arrival.Volume: volume,
    evidence.VectorSums: vectors,
    evidence.Joint: joint,
    estimate.Predicted: predicted,
    certainty.Signals: signals,
    certainty.ScoreTables: score_bins,
    sample.Separation: separation,
}
