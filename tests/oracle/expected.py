"""Every reading that must be there once the stream is quiet: window x column x segment value of each monitor.

Written from the text of the interfaces and of the statistics page alone, plainly: it imports nothing that it measures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import config_context

from tests.oracle import certainty, change, chart, dispersion, estimate, expected_error, fairness, harmful, joint, quality, serving, user
from tests.oracle import column as measures
from tests.oracle import explain as attributions
from tests.oracle import late_labels as delayed
from tests.oracle import separation as classifier
from tests.oracle import versus as roles
from tests.oracle.column import COMPARES
from tests.oracle.dispersion import Basis
from tests.oracle.found import NOTHING, Asked, Found, Lookup, earlier
from tests.oracle.frequent import frequent, groupings
from tests.oracle.performance import measure
from tests.oracle.rows import Rows, events
from tests.oracle.sample import Known, Sample, Value
from tests.oracle.spec import Spec, duration
from tests.oracle.sureness import of_model
from tests.oracle.unseen import new_to_it

COLUMNS = (
    "monitor", "measure", "column", "segment", "window_start", "window_end", "value", "lower", "upper", "baseline_value", "n_target",
    "n_baseline", "n_effective", "verdict",
)  # fmt: skip
LONGEST_GAP = 1_000
OF_FEATURES = {"drift.share_drifted", "drift.weighted"}
_KEPT = 50_000  # rows of a reference; streams are read in windows
_LESS_IS_BETTER = {
    *(f"performance.{name}" for name in ("fpr", "fnr", "value", "log_loss", "brier", "mae", "rmse", "mse", "bias", "mape", "smape", "wape")),
    *user.MEASURES, "performance.max_error", "performance.quantile_loss", *expected_error.MEASURES,
    "uncertainty.entropy", "uncertainty.interval_width", "uncertainty.set_size",
    "uncertainty.pit_uniformity", "uncertainty.quantile_loss", "uncertainty.ensemble_variance", "uncertainty.ece", "uncertainty.mce", "uncertainty.brier_reliability",
}  # fmt: skip


def expected(reference: pd.DataFrame, stream: pd.DataFrame, spec: Spec, whole: Rows | None = None) -> pd.DataFrame:
    """The readings of `stream` (one row a prediction, its final label beside it) against `reference`; see COLUMNS, times in microseconds.

    Duplicates of an id count once, the first by time. Rows that the server must reject (no id, time or prediction) are no events. `whole`: the rows of the
    reference under the same `spec`, which remember how their windows differ.
    """
    whole, live = whole or Rows(reference, reference, spec), Rows(events(stream, spec), reference, spec)
    with config_context(assume_finite=True, skip_parameter_validation=True):  # of thousands of small groups the checks take the most
        rows = [reading for monitor in spec.monitors for reading in _readings(monitor, whole, live, spec)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(("value", "lower", "upper", "baseline_value", "n_effective"), float) | {"n_baseline": "Int64"})


def windows(occupied: npt.NDArray[np.int64], length: int, every: int, until: int | None) -> list[int]:
    """Starts of the windows from the first event to the last; of more than 1,000 empty ones in a row only the first is there."""
    present = sorted(set(occupied.tolist()))
    starts = present[:1]
    for before, start in pairwise(present):
        empty = list(range(before + every, start, every))
        starts += [*(empty if len(empty) <= LONGEST_GAP else empty[:1]), start]
    return [start for start in starts if until is None or start + length <= until]


def verdict(monitor: Mapping[str, Any], target: Found, baseline: Found | None, baseline_value: float | None) -> str:
    """What a reading says: first whether there is anything to say, then the thresholds."""
    (value, n, *_), least = target, monitor.get("min_samples", 200)
    if monitor["measure"] in roles.MEASURES:
        return target.said or "nodata"
    monitor = {"critical": 1, **monitor} if monitor["measure"].startswith("change.") else monitor
    sampled = monitor["measure"] not in {"quality.freshness", "quality.volume", serving.THROUGHPUT}
    if n == 0 and sampled:
        return "nodata"
    if target.coverage < monitor.get("min_label_coverage", 0):
        return "immature"
    if (n < least and sampled) or (baseline is not None and baseline[1] < max(least, 1)):
        return "insufficient"
    if value is None:
        return "insufficient" if target.few else "not_estimable"
    if target.uncalibrated:
        return "insufficient"
    if target.broken:
        return "assumptions_broken"
    compared = value
    if (promise := monitor.get("params", {}).get("promise")) is not None and monitor["measure"] in certainty.COVERAGES:
        compared = abs(value - promise)
    if monitor["measure"].startswith(("performance.", "uncertainty.", "fairness.", "user.")) and baseline is not None:
        if baseline_value is None:
            return "insufficient" if baseline.few else "not_estimable"
        sizes = (abs(value), abs(baseline_value)) if monitor["measure"] == "performance.bias" else (value, baseline_value)
        compared = (
            compared - abs(baseline_value - promise)
            if promise is not None and monitor["measure"] in certainty.COVERAGES
            else sizes[0] - sizes[1]
            if monitor["measure"] in {*_LESS_IS_BETTER, *fairness.LESS_IS_BETTER}
            else sizes[1] - sizes[0]
        )
    if monitor["measure"] in {"drift.mean_shift", "drift.quantile_shift", "drift.embedding"}:
        compared = abs(value)
    elif monitor["measure"] in {"drift.variance_ratio", "quality.volume"}:
        compared = max(value, 1 / value) if value else np.inf
    for level in ("critical", "warn"):
        if (limit := monitor.get(level)) is not None and _reached(limit, value, compared):
            return level
    return "ok"


def _reached(limit: float | Mapping[str, float], value: float, compared: float) -> bool:
    if not isinstance(limit, Mapping):
        return round(compared, 12) >= round(float(limit), 12)
    if "below" in limit:
        return round(value, 12) <= round(float(limit["below"]), 12)
    return round(value, 12) >= round(float(limit["above"]), 12)


def _readings(monitor: Mapping[str, Any], whole: Rows, live: Rows, spec: Spec) -> Iterator[tuple[Any, ...]]:
    """The readings of one monitor."""
    length = duration(monitor.get("target", {}).get("window", "1d"))
    every = duration(monitor.get("target", {}).get("every", monitor.get("target", {}).get("window", "1d")))
    starts = windows(live.windows(np.arange(live.size), length, every)[1], length, every, spec.until)
    of_features = monitor["measure"] in OF_FEATURES
    together = monitor["measure"] in joint.MEASURES
    sure = monitor["measure"] in certainty.MEASURES
    separated = monitor["measure"] == classifier.MEASURE
    own = monitor["measure"] in user.MEASURES
    of_rows = {*serving.MEASURES, *change.MEASURES, *chart.MEASURES, *harmful.MEASURES, *roles.MEASURES, attributions.DRIFT}
    whole_model = own or monitor["measure"] in {*of_rows, *quality.MEASURES} or of_features or together or sure or separated
    performance = monitor["measure"].startswith("performance.")
    fair, of_groups = monitor["measure"].startswith("fairness."), monitor["measure"] == "fairness.selection_rate"
    columns = [""] if performance or whole_model else monitor.get("columns") or spec.watched(whole.reference)
    columns = fairness.attributes(monitor, spec) if fair else columns
    named, found = (columns, None) if of_groups else groupings(monitor.get("segments") or ["all"])

    @cache
    def basis() -> Basis:
        read = ({**monitor, "measure": "drift.psi"}, spec.watched(whole.reference)) if of_features else (monitor, columns)
        return dispersion.basis(*read, whole, live, starts, length, every)

    for grouping in spec.groupings:
        if (grouping or of_groups) and "*".join(grouping) not in named:
            continue
        segments = sorted({*whole.segments[grouping], *live.segments[grouping]})
        segments = frequent(segments, whole.segments[grouping], found) if found and grouping else segments
        for column in [one for one in columns if not of_groups or one == "*".join(grouping)]:
            find = lookup_of(monitor["measure"])(Asked(monitor, column, whole, live, grouping, length, every, basis))
            for start in starts:
                for segment in segments:
                    target, baseline = find(start, segment)
                    before = (
                        None
                        if baseline is None
                        or monitor["measure"]
                        in {*COMPARES, *OF_FEATURES, *joint.MEASURES, *attributions.MEASURES, classifier.MEASURE, "quality.volume"}
                        else baseline.value
                    )
                    yield (
                        monitor["monitor"], monitor["measure"], column, segment, start, start + length, target.value, target.lower,
                        target.upper, before, target.n, None if baseline is None else baseline.n, target.worth,
                        verdict(monitor, target, baseline, before),
                    )  # fmt: skip


def lookup_of(measured: str) -> Callable[[Asked], Lookup]:
    """How readings of a measure are looked up."""
    performance, of_features = measured.startswith("performance."), measured in OF_FEATURES
    kinds: list[tuple[bool, Callable[[Asked], Lookup]]] = [
        (measured in user.MEASURES, user.lookup),
        (measured.startswith("fairness."), fairness.lookup),
        (measured == classifier.MEASURE, classifier.of_rows),
        (measured in certainty.MEASURES, of_model),
        (measured in joint.MEASURES, _together),
        *((measured in one.MEASURES, one.lookup) for one in (serving, change, chart, harmful, attributions, roles, delayed)),
        (measured in estimate.MEASURES, _estimated),
        (measured in expected_error.MEASURES, expected_error.of_errors),
        (performance, _performance),
        (of_features, _features),
        (measured in quality.MEASURES, _quality),
    ]
    return next((one for holds, one in kinds if holds), _columnwise)


def _performance(asked: Asked) -> Lookup:
    """Performance of labelled rows, and of the reference or of the window before."""
    monitor, _, whole, live, grouping, length, every, _ = asked
    name, against = monitor["measure"].removeprefix("performance."), monitor.get("baseline")
    positive = live.spec.positive if live.spec.task == "binary" else None

    def found(rows: Rows, span: int, every: int = 0) -> dict[tuple[int, str], Found]:
        outcomes = rows.outcomes()
        places = rows.groups(grouping, span, every)
        params = dict(monitor.get("params", {}))
        weights = rows.frame["weight"].to_numpy() if params.pop("weighted", False) else None  # whole numbers: a row is there so often

        def of(held: npt.NDArray[np.int64]) -> tuple[Value, int]:
            if weights is None:
                return measure(name, outcomes.take(held), params, positive=positive)
            return measure(name, outcomes.take(np.repeat(held, weights[held])), params, positive=positive)[0], len(held)

        each = {key: of(held) for key, held in places.items()}
        every_row = rows.members(grouping, span, every, False)
        return {key: Found(None, 0, coverage=0.0) for key in every_row} | {
            key: Found(value.value, n, value.lower, value.upper, coverage=len(places[key]) / len(every_row[key]))
            for key, (value, n) in each.items()
        }

    targets, references = found(live, length, every), found(whole, 0) if against == "reference" else {}

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        target = targets.get((start, segment), NOTHING)
        if against is None:
            return target, None
        baseline = references.get((0, segment)) if against == "reference" else targets.get((start - earlier(against, length), segment))
        return target, baseline or NOTHING

    return find


def _estimated(asked: Asked) -> Lookup:
    """Performance that scores let expect, and that of the reference or of an earlier window."""
    monitor, _, whole, live, grouping, length, every, _ = asked
    find = estimate.lookup(monitor, (whole, live), grouping, length, every, earlier(monitor.get("baseline"), length))

    def pair(start: int, segment: str) -> tuple[Found, Found | None]:
        target, baseline = (one and Found(*one[:4], broken=one.broken) for one in find(start, segment))
        return target or NOTHING, baseline

    return pair


def _quality(asked: Asked) -> Lookup:
    """Quality of all rows, and of the reference or of an earlier window."""
    monitor, _, whole, live, grouping, length, every, basis = asked
    name, against, params = monitor["measure"], monitor.get("baseline"), monitor.get("params", {})
    against = monitor.get("baseline", "reference") if name == "quality.volume" else against

    def volume(n: int, start: int, segment: str, baseline: Found) -> Found:
        if against == "reference":
            held = whole.times[whole.members(grouping, 0, 0, False).get((0, segment), np.zeros(0, np.int64))] // 3_600_000_000
            expected = quality.expected_rows(held, whole.times // 3_600_000_000, start, start + length)
        else:
            expected = float(baseline.n)
        return Found(n / expected if expected else None, n)

    @cache
    def phi(segment: str) -> float:
        return dispersion.phi(dispersion.statistics(monitor, "", basis(), grouping, segment))

    def found(rows: Rows, place: tuple[int, str], span: int) -> Found:
        delayed = name == "quality.label_delay"
        held = rows.members(grouping, span, every if span else 0, delayed).get(place, np.zeros(0, np.int64))
        many = phi(place[1]) if name == "quality.label_coverage" else None
        if name == "quality.orphan_label_rate":
            true, orphans = (
                int(((at >= place[0]) & (at < place[0] + span)).sum()) for at in (rows.label_times, np.array(rows.spec.orphans))
            )
            value, n = quality.rate(orphans, true + orphans)
        elif name == "quality.late_rate":  # events of the past, that are sent now
            value, n = quality.rate(len(held), len(held))
        elif name == "quality.volume":
            value, n = Value(None), len(held)
        elif name == "quality.schema_changes":
            binned = [(rows.binned(one), whole.binned(one)[1]) for one in whole.spec.watched(whole.reference)]
            value, n = quality.schema_changes([(codes[held], before, bins.null) for (bins, codes), before in binned])
        elif name == "quality.freshness":
            value, n = quality.age(rows.times, place[0] + span), len(held)
        else:
            value, n = (
                quality.label_delay(rows.delays[held], params) if delayed else quality.label_coverage(rows.labelled[held], many or 1.0)
            )
        return Found(value.value, n, value.lower, value.upper, None if many is None else n / many)

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        target = found(live, (start, segment), length)
        if against is None:
            return target, None
        reference = against == "reference"
        baseline = found(whole, (0, segment), 0) if reference else found(live, (start - earlier(against, length), segment), length)
        return (volume(target.n, start, segment, baseline) if name == "quality.volume" else target), baseline

    return find


def _features(asked: Asked) -> Lookup:
    """What the PSI of all features makes."""
    monitor, whole, basis = asked.monitor, asked.whole, asked.basis
    params, names = monitor.get("params", {}), whole.spec.watched(whole.reference)
    psi = {**monitor, "measure": "drift.psi", "params": {}}
    each = [_columnwise(asked._replace(monitor=psi, column=name)) for name in names]
    weights = [params["weights"].get(name, 0.0) if "weights" in params else 1.0 for name in names]

    @cache
    def uncalibrated() -> bool:
        return not any(dispersion.statistics(psi, name, basis(), (), "all") for name in names)

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        found = [lookup(start, segment) for lookup in each]
        target, baseline = found[0]
        if target.value is None:
            return Found(None, target.n), baseline
        moved = [one.p < params.get("alpha", 0.05) for one, _ in found]
        if monitor["measure"] == "drift.share_drifted":
            high = [one.excess >= params.get("floor", 0.1) for one, _ in found]
            return Found(float(np.mean(np.logical_and(moved, high))), target.n, uncalibrated=uncalibrated()), baseline
        excess = [max(0.0, one.excess) if there else 0.0 for (one, _), there in zip(found, moved, strict=True)]
        return Found(float(np.average(excess, weights=weights)), target.n, uncalibrated=uncalibrated()), baseline

    return find


def _together(asked: Asked) -> Lookup:
    """What the rows of all features together make."""
    monitor, _, whole, live, grouping, length, every, basis = asked
    measured, against = monitor["measure"], monitor.get("baseline", "reference")
    here, there, degrees = joint.held(live, measured), joint.held(whole, measured), joint.of(whole).degrees

    @cache
    def phi(segment: str) -> float:
        return dispersion.phi(dispersion.statistics(monitor, "", basis(), grouping, segment))

    def rows_of(rows: Rows, place: tuple[int, str], span: int) -> npt.NDArray[np.int64]:
        return rows.members(grouping, span, every if span else 0, False).get(place, np.zeros(0, np.int64))

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        target = here[rows_of(live, (start, segment), length)]
        if against == "reference":
            baseline = there[rows_of(whole, (0, segment), 0)]
        else:
            baseline = here[rows_of(live, (start - earlier(against, length), segment), length)]
        value = joint.MEASURES[measured](target, baseline, degrees).value
        return Found(value, len(target), worth=len(target) / phi(segment)), Found(None, len(baseline))

    return find


def _columnwise(asked: Asked) -> Lookup:
    """A measure of a column, and where it compares something, what that has."""
    monitor, column, whole, live, grouping, length, every, basis = asked
    measured, params = monitor["measure"], monitor.get("params", {})
    against = monitor.get("baseline", "reference" if measured.startswith("drift.") else None)
    known = Known(live.binned(column)[0], whole.contract.values(column))
    targets, references = live.table(column, grouping, length, every), whole.table(column, grouping, 0)
    empty = [0] * known.bins.size

    @cache  # windows share baselines, and what is made of a sample
    def sample(rows: Rows, place: tuple[int, str]) -> Sample:
        table, span = (targets, length) if rows is live else (references, 0)

        def values() -> npt.NDArray[Any]:
            return rows.values(column)[rows.members(grouping, span, every if span else 0, column == "@label")[place]]

        return Sample(table.get(place, empty), values, rows=column != "@label" and (rows is live or rows.size <= _KEPT))

    @cache
    def known_at(phi: float) -> Known:  # which keeps what is made of the reference
        return replace(known, phi=phi)

    @cache
    def held_of(segment: str) -> tuple[float, ...] | None:
        tested = measured in measures.TESTED and measures.fits(measured, known)
        return dispersion.statistics(monitor, column, basis(), grouping, segment) if tested else None

    def found(target: Sample, baseline: Sample | None, segment: str) -> Found:
        held = held_of(segment)
        many = None if held is None else dispersion.phi(held)
        value = measures.of(measured, target, baseline, known_at(many or 1.0), params)
        found = Found(value.value, target.n, value.lower, value.upper, None if many is None else target.n / many)
        if held is None or many is None or value.value is None:
            return found
        if value.statistic is None:
            return found._replace(excess=value.value)
        excess = value.value - (many * value.value / value.statistic if value.statistic else 0.0)
        statistic, degrees = (
            new_to_it(measured, target, baseline, known, value) if against == "reference" else (value.statistic, value.degrees)
        )
        return found._replace(excess=excess, p=dispersion.p_value(statistic, degrees, held))

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        target = sample(live, (start, segment))
        if against is None:
            return found(target, None, segment), None
        there = (whole, (0, segment)) if against == "reference" else (live, (start - earlier(against, length), segment))
        baseline = sample(*there)
        return found(target, baseline, segment), found(baseline, None, segment)

    return find
