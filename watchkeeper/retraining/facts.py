"""What retraining asks of the events of a model: the window to train on, its versions, and how good a new one is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec
import numpy as np

from alerts.retrain.verify import Watched, began
from core import duration
from core.baseline.rows import Version
from core.clock import Clock
from core.comparison import Comparison, ComparisonQuery
from core.contract import Contract
from core.error import ConfigError
from core.hook import Hook, Verify
from core.measure import Measure
from core.monitor import Monitor
from core.reading import Reading, Verdict
from core.retrain import Beside, Manifest, Retrain, RetrainState, Verified
from core.segment import ALL, grouping_of
from core.trial import Trial
from core.window.tumbling import Tumbling
from detectors.catalogue import MEASURES
from storage.facts.progress import NEVER, Progress
from watchkeeper.reader.comparison import ComparisonReader
from watchkeeper.stores import Stores
from watchkeeper.training_manifest import manifest, query

_NAME = "verification"  # of the monitor where the model has none of the measure
_JUDGED = frozenset({Verdict.OK, Verdict.WARN, Verdict.CRITICAL, Verdict.ASSUMPTIONS_BROKEN})
_COMPARED = frozenset({Verdict.READY, Verdict.WORSE, Verdict.KEEP_WAITING})
_BEFORE = 28  # windows before the onset in which the last ones with a value are looked for, unless more must be good; a measure that trains trees is computed for few
_MOST = 60  # windows that are judged beside as many as must be good


class _Held:
    """The part of a backend that reading needs."""

    def __init__(self, stores: Stores, clock: Clock) -> None:
        self.stores, self.clock = stores, clock
        self._asked = itertools.count()

    def tag(self) -> str:
        """Another text each time, so that nothing is kept: a verdict is about what is there now."""
        return str(next(self._asked))


class RetrainFacts(ComparisonReader):
    """Reads facts. It changes nothing. Safe to share between threads."""

    def __init__(self, stores: Stores, clock: Clock) -> None:
        super().__init__(_Held(stores, clock))
        self._clock = clock

    def manifest(self, request: Retrain, trained: int | None) -> Manifest:
        """From the onset, or else from the end of the last training or the first event, up to the newest event, in whole panes."""
        since = request.onset if request.onset is not None else trained
        made = manifest(self._stores, request.model, since, self._clock.now(), segments=request.segments)
        contract = self._known(request.model)
        slots, _ = self._stores.panes.slots(contract)
        end = min(made.end, int(slots[-1]) + contract.pane) if len(slots) else made.end
        if end <= made.start:
            return made
        return msgspec.structs.replace(made, end=end, sql=query(request.model, contract.task, made.start, end))

    def versions(self, model: str) -> Sequence[str]:
        """The versions that have events."""
        return [name for name, _, _ in self._stores.panes.versions(self._known(model))]

    def watched(self, request: Retrain, hook: Hook) -> Watched:
        """What there is of the new version. Windows are judged only once the run has ended."""
        contract = self._known(request.model)
        versions = [(name, first) for name, first, _ in self._stores.panes.versions(contract) if name]
        version = request.version or next((name for name, _ in reversed(versions) if name not in request.known), None)
        if hook.verify is None or version is None or request.state not in {RetrainState.SUCCEEDED, RetrainState.VERIFYING}:
            return Watched(versions)
        closed = self._closed(request.model)
        before = self._before(request, hook.verify, contract)
        first = dict(versions).get(version)
        if first is None:
            return Watched(versions, (), closed, before)
        first = began(request, version, first)
        monitor, end = self._monitor(request.model, hook.verify, version), min(closed, first + hook.verify.within)
        lowest = first if version in request.known else 0  # the window in which a known version was trained again is of both
        readings = [one for one in self._readings(monitor, hook.verify, first, end) if one.window_start >= lowest and one.window_end <= end]
        about = MEASURES[hook.verify.measure]
        windows = [_judged(one, before, about) for one in readings if one.verdict in _JUDGED]
        return Watched(versions, windows, closed, before, self._beside(request, hook.verify, contract, version, (first, end)))

    def _beside(self, request: Retrain, verify: Verify, contract: Contract, version: str, span: tuple[int, int]) -> Beside | None:
        """What the new version is beside the one that served most of the window that was trained on, in windows that both served; None where there is none, or the measure is not one that is compared."""
        old = None if request.manifest is None else request.manifest.version
        if not old or old == version or all(name != old for name, *_ in self._stores.panes.versions(contract, span)):
            return None
        start = span[0] - span[0] % verify.window
        asked = ComparisonQuery(
            model=request.model,
            a=Version(old),
            b=Version(version),
            of=verify.measure,
            segment=verify.segment,
            window=duration.text(verify.window),
            start=start,
            end=span[1],
        )
        try:
            found = self.compared(asked)
        except ConfigError:
            return None
        return told_beside(old, [one for one in found if one.window_end <= span[1]])

    def _before(self, request: Retrain, verify: Verify, contract: Contract) -> float | None:
        """The mean value over as many windows as are verified, the last that closed before the onset, or else before the target was asked."""
        onset = request.onset if request.onset is not None else request.manifest.end if request.manifest is not None else None
        if onset is None:
            return None
        monitor = self._monitor(request.model, verify, None)
        looked = max(verify.windows, min(4 * verify.windows, _BEFORE))
        readings = self._readings(monitor, verify, onset - looked * verify.window, onset)
        values = [one.value for one in readings if one.window_end <= onset and one.value is not None]
        return float(np.mean(values[-verify.windows :])) if values else None

    def _monitor(self, model: str, verify: Verify, version: str | None) -> Monitor:
        """The model's monitor of the measure with thresholds, of one version and over the windows of the verification; else one that only computes the value."""
        found = next((one for one in self._stores.control.monitors(model) if one.measure == verify.measure and one.alarms), None)
        monitor = found or Monitor(name=_NAME, model=model, measure=verify.measure, baseline=MEASURES[verify.measure].usual_baseline)
        groupings = (ALL,) if verify.segment == ALL else (ALL, "*".join(grouping_of(verify.segment)))
        return msgspec.structs.replace(monitor, version=version, window=Tumbling(verify.window), segments=groupings)

    def _readings(self, monitor: Monitor, verify: Verify, start: int, end: int) -> list[Reading]:
        """The readings of windows that begin in a span: those of the whole model; of a measure of columns the worst column of each window."""
        start -= start % verify.window
        found = [
            one
            for frame in self._frames(monitor, Trial(monitor={}, start=start, end=end, segment=verify.segment))
            for one in frame.readings(frame.every, np.ones(frame.value.shape, np.int64))
        ]
        about, windows = MEASURES[verify.measure], dict[int, Reading]()
        for one in found:
            held = windows.get(one.window_start)
            if held is None or _size(one, about) > _size(held, about):
                windows[one.window_start] = one
        return [windows[at] for at in sorted(windows)][-_MOST - verify.windows :]

    def _closed(self, model: str) -> int:
        """Until when windows have closed: the watermark, or the clock where nothing has come for a while."""
        settings, now = self._stores.settings.ingest, self._clock.now()
        seen = self._stores.batches.progress(now, [model]).get(model, Progress())
        return now if seen.logged == NEVER or now - seen.logged >= settings.silence else seen.watermark - settings.lateness


def told_beside(old: str, found: Sequence[Comparison]) -> Beside | None:
    """What comparisons with the version before tell, windows in order: the verdict and bounds of the last one that has a verdict, since both no longer serve together once one has taken over."""
    both = [one for one in found if one.n_target and one.n_baseline]
    last = next((one for one in reversed(both) if one.verdict in _COMPARED), None)
    if last is None:
        return None
    rows = sum(one.n_target for one in both)
    return Beside(version=old, verdict=last.verdict, better=last.better, better_upper=last.better_upper, rows=rows)


def _size(one: Reading, about: Measure) -> float:
    """How bad a reading is, so that the worst column of a window counts; one without a value is the least."""
    return -np.inf if one.value is None else about.size(one.value) * (-about.better or 1)


def _judged(one: Reading, before: float | None, about: Measure) -> Verified:
    """A window of the new version: good within its monitor's thresholds, or where its interval holds nothing that is worse than before the onset."""
    good, why = _good(one, before, about)
    return Verified(start=one.window_start, end=one.window_end, value=one.value, good=good, why=why)


def _good(one: Reading, before: float | None, about: Measure) -> tuple[bool, str]:
    threshold = any(at is not None for at in one.threshold.values())
    if threshold and one.verdict is Verdict.OK:
        return True, "within its thresholds"
    if before is None or one.value is None:
        return False, "outside its thresholds" if threshold else "there is nothing to compare it with"
    better = about.better or -1
    best = one.value if one.lower is None or one.upper is None else one.upper if better > 0 else one.lower
    good = bool((best - before) * better >= 0)
    return good, "not worse than before the onset" if good else "worse than before the onset"
