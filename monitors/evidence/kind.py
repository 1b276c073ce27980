"""The readers of all kinds of evidence. A new kind is a file in this folder, and a line in `KINDS`.

`reader.EvidenceKind` says what a reader has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.contract import PREDICTION
from detectors import arrival, by_group, certainty, estimate, evidence, expected_error, sample, serving
from detectors.change import chart, harmful, sequence
from detectors.compare.difference import Compared
from detectors.explain.attributions import Attributions, Influence
from detectors.labelled_rows import LabelledRows
from detectors.late_labels import LateLabels
from detectors.ranked import Ranked, ScoredPredictions
from detectors.tails import Tails
from monitors.evidence import (
    age,
    attributions,
    compared,
    confusion,
    copies,
    counts,
    coverages,
    delays,
    distinct,
    group_predictions,
    influence,
    joint,
    labelled_rows,
    labelling,
    late,
    late_labels,
    latencies,
    loss_runs,
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
    scored_predictions,
    scores,
    separation,
    signals,
    statuses,
    sums,
    tails,
    traffic,
    vectors,
    volume,
    weighted,
)
from monitors.evidence.expected_error import OfErrors
from monitors.evidence.groups import OfGroups
from monitors.evidence.reader import EvidenceKind

KINDS: Mapping[type[Any], EvidenceKind] = {
    evidence.Counts: counts,
    evidence.Sums: sums,
    Tails: tails,
    evidence.Moments: moments,
    evidence.Distinct: distinct,
    evidence.Confusion: confusion,
    evidence.ConfusionMatrix: matrix,
    evidence.Losses: losses,
    evidence.ScoreLosses: score_losses,
    evidence.Scores: scores,
    Ranked: ranked,
    LabelledRows: labelled_rows,
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
    expected_error.AbsoluteErrors: OfErrors(expected_error.AbsoluteErrors, "absolute"),
    expected_error.SquaredErrors: OfErrors(expected_error.SquaredErrors, "square"),
    certainty.Signals: signals,
    certainty.Coverages: coverages,
    certainty.ScoreTables: score_bins,
    serving.Latencies: latencies,
    serving.Statuses: statuses,
    serving.Traffic: traffic,
    sample.Separation: separation,
    Compared: compared,
    sequence.LossRuns: loss_runs,
    chart.Charted: compared,
    harmful.Harm: compared,
    Attributions: attributions,
    Influence: influence,
    **weighted.READERS,
    LateLabels: late_labels,
    by_group.GroupPredictions: group_predictions,
    by_group.PredictionsByGroup: OfGroups(counts, by_group.PredictionsByGroup, PREDICTION),
    by_group.OutcomesByGroup: OfGroups(confusion, by_group.OutcomesByGroup),
    by_group.ScoresByGroup: OfGroups(score_bins, by_group.ScoresByGroup),
    by_group.RankedByGroup: OfGroups(ranked, by_group.RankedByGroup),
    by_group.ScoredByGroup: OfGroups(scored_predictions, by_group.ScoredByGroup),
    ScoredPredictions: scored_predictions,
    by_group.LossesByGroup: OfGroups(losses, by_group.LossesByGroup),
    by_group.MomentsByGroup: OfGroups(moments, by_group.MomentsByGroup, PREDICTION),
}
