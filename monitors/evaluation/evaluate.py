"""Computes the readings of monitors for many windows at once, from evidence."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.baseline.rows import Role, Version
from core.baseline.source import Source
from core.block import Floats, Ints
from core.monitor import Compare, Gate, Monitor
from core.span import Flags, Spans
from detectors import catalogue
from detectors.by_group import gone_of
from detectors.change.chart import charts
from detectors.change.harmful import harms
from detectors.dispersion import Dispersion, p_value
from detectors.documents import Documents, joined, numbers
from detectors.evidence import ColumnDrift
from detectors.sample import Train, here
from detectors.spec import AnySpec, Places, Result, without_gone
from monitors.evaluation.background import Lane, Rank
from monitors.evaluation.calibration import Calibration
from monitors.evaluation.calibrations import Calibrations
from monitors.evaluation.charted import charted
from monitors.evaluation.comparison import compared
from monitors.evaluation.frame import NONE, Evidence, Frame, Part
from monitors.evaluation.harmful import harmful
from monitors.evaluation.maturity import Maturity, maturity
from monitors.evaluation.pool import pool
from monitors.evaluation.verdict import Judgement, judge
from monitors.evaluation.watched import columns_of, cumulates, earlier, extent, finer, of_columns, of_others, places, unsuited
from monitors.evidence.extent import Extent
from monitors.evidence.history import History
from monitors.evidence.importance import importance
from monitors.evidence.kind import KINDS
from monitors.evidence.reader import reference_of
from monitors.evidence.reads import Reads, Scope
from monitors.evidence.shared_reads import SharedReads
from monitors.ports import Contracts, Panes, Raw, Stream

Texts = npt.NDArray[np.object_]


class _Block(NamedTuple):
    """What is found for some windows of a column, each (windows, segments). `why` says why there is no value, `baseline_why` why the baseline has none, `empty` why there are no rows, `note` what is said of a value.

    `p` is NaN, and `phi` too, if the measure has no statistic whose law is known; `p` also without a baseline. `coverage` and `delay` are those of labels
    (`monitors.evaluation.maturity`), NaN if the measure needs none. `few` and `baseline_few` are where too few rows are left to compare.
    """

    value: Floats
    lower: Floats
    upper: Floats
    baseline_value: Floats
    n_target: Ints
    n_baseline: Ints
    why: Texts
    baseline_why: Texts
    empty: Texts
    p: Floats
    phi: Floats
    excess: Floats
    note: Texts
    broken: npt.NDArray[np.bool_]
    coverage: Floats
    delay: Floats
    few: Flags
    baseline_few: Flags


@dataclass(frozen=True)
class _Asked:
    """What is the same for all columns of a monitor over some windows: the measure with its evidence and its params, the pool of the baseline, the windows before, what is read, and the calibration."""

    spec: AnySpec
    evidence: type[Any]
    params: Any
    pool: tuple[Spans, ...]
    others: Version | Role | None  # whose rows the pool is of, None: those of the target
    earlier: tuple[Spans, ...]
    referenced: bool  # whether the baseline is the reference
    extent: Extent
    calibration: Calibration | None
    compare: Compare


class Evaluate(Calibrations):
    """Computes readings. It reads panes, outcomes and raw events, and writes nothing. `train` trains trees, `lane` is the background."""

    def __init__(  # the default parts are those of tests
        self,
        panes: Panes,
        raw: Raw,
        stream: Stream,
        contracts: Contracts,
        train: Train = here,
        lane: Lane | None = None,
        shared: SharedReads | None = None,
    ) -> None:
        super().__init__(panes)
        self._history, self._stream, self._train = History(raw, contracts), stream, train
        self._lane, self._shared = lane or Lane(), shared

    def reads(self, scope: Scope, held: tuple[Ints, Ints] | None = None) -> Reads:
        """The reads that monitors of one scope share while they are evaluated over the same windows. `held` are the slots with predictions, and how many each holds, if that is known."""
        return Reads(self._panes, self._history, self._stream, scope, self._train, held)

    def reads_of(self, scope: Scope, windows: int, stamp: Hashable, held: tuple[Ints, Ints] | None = None) -> Reads:
        """The reads of a scope over so many windows; with `shared`, others of the same stamp share their answers."""
        make = partial(self.reads, held=held)
        return self._shared.of(scope, windows, stamp, make) if self._shared else make(scope)

    def later(self, monitor: Monitor, windows: Spans, scope: Scope, rank: Rank) -> Future[Frame]:
        """The readings of windows, computed in the background when it is their turn."""
        return self._lane.submit(rank, lambda: self(monitor, windows, self.reads(scope)))

    def __call__(self, monitor: Monitor, windows: Spans, reads: Reads, early: Spans | None = None) -> Frame:
        """The readings of these windows for all columns of the monitor and all segments of the scope; `early` as in `calibration`."""
        if cumulates(monitor):
            return compared(self, self.reads, monitor, windows, reads)
        if charts(catalogue.known(monitor.measure)):
            return charted(self, self.reads, monitor, windows, reads)
        if harms(catalogue.known(monitor.measure)):
            return harmful(monitor, windows, reads)
        contract = reads.scope.model.contract
        columns = columns_of(monitor, contract)
        asked, parts = self._asked(monitor, windows, reads, early), of_columns(monitor)
        if parts is None:
            blocks, evidence = zip(*(_column(asked, name, windows, reads) for name in columns), strict=True)
        else:
            asked_of = self._asked(parts, windows, reads, early)
            blocks, evidence = _of_columns(asked, asked_of, columns_of(parts, contract), windows, reads)
        found = _Block._make(np.stack(arrays, axis=1) for arrays in zip(*blocks, strict=True))
        allowed = None if asked.calibration is None else asked.calibration.allowance
        verdict, reason = _judged(monitor, asked, found, len(columns), of_parts=parts is not None)
        return Frame(
            monitor=monitor,
            contract=contract.version,
            windows=windows,
            threshold={"p": allowed.p} if allowed else monitor.threshold,
            columns=columns,
            segments=reads.scope.segments,
            value=found.value,
            lower=found.lower,
            upper=found.upper,
            baseline_value=found.baseline_value,
            n_target=found.n_target,
            n_baseline=found.n_baseline,
            n_effective=found.n_target / found.phi,
            verdict=verdict,
            reason=reason,
            evidence=evidence,
            few=found.few,
            there=places(monitor, columns, reads.scope.segments),
        )

    def _asked(self, monitor: Monitor, windows: Spans, reads: Reads, early: Spans | None) -> _Asked:
        spec = catalogue.spec(monitor.measure)
        return _Asked(
            spec=spec,
            evidence=spec.reads(monitor.params),
            params=msgspec.convert(monitor.params, spec.params),
            pool=pool(monitor, windows),
            others=of_others(monitor),
            earlier=earlier(monitor, windows),
            referenced=monitor.baseline is not None and monitor.baseline.source is Source.REFERENCE,
            extent=extent(monitor, windows),
            calibration=self.calibration(monitor, reads.scope.model, early),
            compare=monitor.compare,
        )


def _judged(monitor: Monitor, asked: _Asked, found: _Block, columns: int, *, of_parts: bool) -> tuple[npt.NDArray[np.int8], Texts]:
    known, evident = asked.calibration, of_parts or monitor.gate is Gate.EVIDENCE or monitor.allowed is not None
    given = Judgement(
        value=found.value,
        baseline_value=found.baseline_value,
        excess=found.excess,
        p=found.p,
        columns=columns,
        allowed=None if known is None or known.allowance is None else known.allowance.p,
        uncalibrated=evident and known is not None and not known.windows,
        note=found.note,
        broken=found.broken,
        coverage=found.coverage,
        few=found.few,
        baseline_why=found.baseline_why,
        baseline_few=found.baseline_few,
    )
    return judge(monitor, asked.spec.about.directed(monitor.params), given, found.n_target, found.n_baseline, found.why, found.empty)


def _of_columns(
    asked: _Asked, parts: _Asked, names: tuple[str, ...], windows: Spans, reads: Reads
) -> tuple[tuple[_Block], tuple[tuple[Part]]]:
    """A measure of the whole model that is made of the readings of its features."""
    blocks = [_column(parts, name, windows, reads)[0] for name in names]
    excess, p = (np.stack([getattr(block, name) for block in blocks], axis=-1) for name in ("excess", "p"))
    first = blocks[0]
    target = ColumnDrift(first.n_target.astype(np.float64), excess, p, names, importance(reads.scope, names))
    result = asked.spec.compute(target, target if parts.referenced or parts.pool else None, asked.params)
    nothing = np.full(result.value.shape, np.nan)
    why = np.full(nothing.shape, asked.spec.no_value, object)
    block = first._replace(
        value=result.value, lower=nothing, upper=nothing, baseline_value=nothing, why=why, baseline_why=why, p=nothing, phi=nothing
    )
    return (block._replace(excess=nothing),), ((Part(0, len(windows), result.evidence),),)


def _column(asked: _Asked, column: str, windows: Spans, reads: Reads) -> tuple[_Block, tuple[Part, ...]]:
    ripe = maturity(reads, asked.extent, windows) if asked.spec.about.matures else None
    cuts = finer(KINDS[asked.evidence].parts(reads, asked.extent, windows), len(asked.earlier))
    blocks, parts = zip(*(_part(asked, column, windows, part, reads, ripe) for part in cuts), strict=True)
    block = _Block._make(np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
    return block, parts


def _part(asked: _Asked, column: str, windows: Spans, part: slice, reads: Reads, ripe: Maturity | None) -> tuple[_Block, Part]:
    spec = asked.spec
    target, baseline = _sides(asked, column, windows, part, reads)
    shape = (len(windows.take(part)), len(reads.scope.segments))
    nothing = np.full(shape, np.nan)
    unfit = unsuited(spec.about, reads.scope.model.contract, column)
    result: Result = Result(nothing, np.full(shape, unfit)) if unfit else _computed(spec, target, baseline, asked.params)
    base = result if unfit or baseline is None or spec.about.compares else _computed(spec, baseline, None, asked.params)
    known = None if asked.calibration is None or unfit else asked.calibration.of(column, reads.scope.segments)
    lower, upper = (nothing, nothing) if result.interval is None else result.interval(np.ones(1) if known is None else known.phi)
    p, phi, excess = (nothing, nothing, nothing) if known is None else _tested(result, known)
    block = _Block(
        value=result.value,
        lower=np.where(np.isnan(result.value), np.nan, lower),
        upper=np.where(np.isnan(result.value), np.nan, upper),
        baseline_value=nothing if base is result else base.value,
        n_target=spec.counted(target).astype(np.int64),
        n_baseline=np.full(1, NONE) if baseline is None else spec.counted(baseline).astype(np.int64),
        why=_why(spec, result),
        baseline_why=_why(spec, base),
        empty=np.asarray(target.empty, object),
        p=p,
        phi=phi,
        excess=excess,
        note=np.array(None, object) if result.note is None else result.note,
        broken=np.array(False) if result.broken is None else result.broken,
        few=_few(result),
        baseline_few=_few(base),
        coverage=nothing if ripe is None else ripe.coverage[part],
        delay=nothing if ripe is None else ripe.delay[part],
    )
    block = _Block._make(array if array.shape == shape else np.broadcast_to(array, shape) for array in block)
    provisional = asked.calibration is not None and asked.calibration.provisional
    evidence = _with_comparison(result.evidence, block, asked.compare, provisional=provisional)
    return block, Part(part.start, part.stop, evidence, result.examples)


def _computed(spec: AnySpec, target: Any, baseline: Any, params: Any) -> Result:
    """The result of a measure, which has no value where raw events of its rows are gone; those of a baseline that has a value of its own tell it there."""
    found: Result = spec.compute(target, baseline, params)
    for side in (target, baseline) if spec.about.compares else (target,):
        found = without_gone(found, gone_of(side))
    return found


def _sides(asked: _Asked, column: str, windows: Spans, part: slice, reads: Reads) -> tuple[Any, Any]:
    """The evidence of windows and that of their baselines, None if there is none."""
    kind = KINDS[asked.evidence]
    sides = [side for side in ((windows,), *((one,) for one in asked.earlier), () if asked.others else asked.pool) if side]
    target, *others = kind.read(reads, asked.extent, column, [[spans.take(part) for spans in side] for side in sides])
    before, pooled = others[: len(asked.earlier)], others[len(asked.earlier) :]
    if asked.others is not None:  # both sides again, since a reader takes the first one as the target
        both = [[spans.take(part) for spans in side] for side in ((windows,), asked.pool)]
        pooled = list(kind.read(reads.of(asked.others), asked.extent, column, both)[1:])
    target = replace(target, earlier=tuple(before)) if before else target
    return target, reference_of(kind, reads, column) if asked.referenced else next(iter(pooled), None)


def _why(spec: AnySpec, result: Result) -> Texts:
    """Why there is no value, where there is none."""
    return np.array(spec.no_value, object) if result.why is None else np.where(result.why.astype(np.bool_), result.why, spec.no_value)


def _few(result: Result) -> Flags:
    """Where too few rows are left to compare."""
    return np.zeros((), np.bool_) if result.few is None else result.few


def _tested(result: Result, known: Dispersion) -> tuple[Floats, Floats, Floats]:
    """The p-value of each place, the dispersion, and by how much the value exceeds what it would be on average if nothing had moved. Without a baseline only the second."""
    if result.law is None:
        nothing = np.full(result.value.shape, np.nan)
        return nothing, known.phi, nothing
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = result.value * known.phi / result.law.statistic
    excess = result.value - np.where(np.isnan(result.law.statistic) | (result.law.statistic == 0), 0.0, expected)
    return p_value(result.expected or result.law, known), known.phi, excess


def _with_comparison(evidence: Evidence | None, block: _Block, compare: Compare, *, provisional: bool) -> Evidence:
    """Evidence with the p-value and the dispersion of each place, where there is one, whether they are provisional, and with what is compared with the thresholds in place of the value."""
    held = {"p": block.p, "phi": block.phi, "label_coverage": block.coverage, "label_delay": block.delay}
    if compare is Compare.EXCESS:
        held["excess"] = block.excess
    elif compare is Compare.RISE:
        held["rise"] = block.value - block.baseline_value

    def found(places: Places) -> Sequence[dict[str, Any]]:
        there = {name: row for name, values in held.items() if not np.isnan(row := values[places]).all()}
        rows = {name: numbers(row) for name, row in there.items()}
        mark = {"provisional": [None if phi is None else True for phi in rows["phi"]]} if provisional and "phi" in rows else {}
        own = Documents(len(places[0]), **rows, **mark)
        return own if evidence is None else joined(own, evidence(places))

    return found
