"""Detectors of river on the losses of labelled rows, in order of their time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from core import duration, moment
from core.block import Floats
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Measure, Need
from detectors.change import kswin, loss
from detectors.change.sequence import Detection, LossRuns, Run, located
from detectors.spec import GONE, Places, Result, Spec

LIMIT = 1.0  # a window with a detection is critical
MOST = 8  # detections of a window that its evidence lists

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class RowParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`of`: the measure whose rows are watched. `wait`: how long after its end a window is evaluated, so that its labels have come. `rows`: a detector begins that many rows before it counts, and goes on for as many."""

    of: str | None = None
    wait: str | None = None
    rows: Annotated[int, msgspec.Meta(ge=1_000, le=1_000_000)] = 50_000


class AdwinParams(RowParams, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Those of `river.drift.ADWIN`."""

    delta: Share = 0.002
    clock: Count = 32
    max_buckets: Count = 5
    min_window_length: Count = 5
    grace_period: Count = 10


class KswinParams(RowParams, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Those of `river.drift.KSWIN`, with a seed."""

    alpha: Share = 0.005
    window_size: Annotated[int, msgspec.Meta(ge=3, le=10_000)] = 100
    stat_size: Annotated[int, msgspec.Meta(ge=1, le=5_000)] = 30
    seed: int = 1


class PageHinkleyParams(RowParams, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Those of `river.drift.PageHinkley`."""

    min_instances: Count = 30
    delta: Annotated[float, msgspec.Meta(ge=0)] = 0.005
    threshold: Positive = 50.0
    alpha: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1 - 0.0001
    mode: Literal["up", "down", "both"] = "both"


class DdmParams(RowParams, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Those of `river.drift.binary.DDM`."""

    warm_start: Count = 30
    warning_threshold: Positive = 2.0
    drift_threshold: Positive = 3.0


class EddmParams(RowParams, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Those of `river.drift.binary.EDDM`."""

    warm_start: Count = 30
    alpha: Share = 0.95
    beta: Share = 0.9


class HddmAParams(RowParams, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Those of `river.drift.binary.HDDMA`."""

    drift_confidence: Share = 0.001
    warning_confidence: Share = 0.005
    two_sided_test: bool = False


class HddmWParams(HddmAParams, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Those of `river.drift.binary.HDDMW`."""

    lambda_val: Share = 0.05


def _make(name: str, params: RowParams) -> Any:
    """A new detector of river."""
    from river import drift

    own = {field: getattr(params, field) for field in params.__struct_fields__ if field not in RowParams.__struct_fields__}
    return getattr(drift if hasattr(drift, name) else drift.binary, name)(**own)


def detected(name: str, params: RowParams, values: Floats) -> list[int]:
    """The indices of the values (n,) at which a new detector, called as river calls it, detects a change."""
    detector, found = _make(name, params), list[int]()
    if name == "KSWIN":
        return kswin.detected(detector, values)
    update = detector.update
    for at, value in enumerate(values.tolist()):
        update(value)
        if detector.drift_detected:
            found.append(at)
    return found


def _runs(name: str, target: LossRuns, params: RowParams) -> Iterator[tuple[int, Run, list[Detection]]]:
    """The runs of all segments, each with the index of its segment and its detections."""
    for segment, runs in enumerate(target.runs(str(params.of), params.rows)):
        for run in runs:
            yield segment, run, located(run.values, np.array(detected(name, params, run.values), np.intp))


def _compute(name: str, target: LossRuns, params: RowParams) -> Result:
    """How many changes were detected in each window: (windows, segments)."""
    value, gone = np.zeros(target.n.shape), np.zeros(target.n.shape, np.bool_)
    found: dict[tuple[int, int], list[tuple[Run, Detection]]] = {}
    states = list[tuple[int, Run, list[Detection]]]()
    for segment, run, detections in _runs(name, target, params):
        states.append((segment, run, detections))
        gone[(target.windows.end > run.since) & (target.windows.start < run.until), segment] |= run.gone
        for one in detections:
            if (time := int(run.times[one.at])) >= run.since:
                for window in np.flatnonzero((target.windows.start <= time) & (time < target.windows.end)).tolist():
                    found.setdefault((window, segment), []).append((run, one))
                    value[window, segment] += 1

    def evidence(places: Places) -> list[dict[str, Any]]:
        return [
            {"of": params.of, **_told(found.get((window, segment), [])), **_state(states, segment, int(target.windows.end[window]))}
            for window, segment in zip(*(axis.tolist() for axis in places), strict=True)
        ]

    value[gone | (target.n == 0)] = np.nan
    return Result(value, np.where(gone, np.array(GONE, object), np.array(None, object)), evidence=evidence)


def _told(found: list[tuple[Run, Detection]]) -> dict[str, Any]:
    """The first detections of a window, the first one of them by itself."""
    each = [
        {
            "detected_at": moment.text(int(run.times[one.at])),
            "onset": moment.text(int(run.times[one.onset])),
            "before": None if np.isnan(one.before) else one.before,
            "after": one.after,
        }
        for run, one in found[:MOST]
    ]
    return {} if not each else each[0] | ({"detections": each} if len(each) > 1 else {})


def _state(states: list[tuple[int, Run, list[Detection]]], segment: int, end: int) -> dict[str, Any]:
    """From which time on the detector that is there at the end of a window has read rows, and how many: its state, from which a replay makes it again."""
    held = [(run, found) for own, run, found in states if own == segment and run.since < end and len(run.times)]
    if not held:
        return {}
    run, found = held[-1]
    rows = int(np.searchsorted(run.times, end))
    first = max((one.at + 1 for one in found if one.at < rows), default=0)
    return {"rows": rows - first} | ({"since": moment.text(int(run.times[first]))} if first < rows else {})


def _settle(params: RowParams, contract: Contract, allowed: tuple[str, ...]) -> RowParams:
    if isinstance(params, KswinParams) and params.window_size < 2 * params.stat_size:
        raise ConfigError(
            f"`params.window_size: {params.window_size}` holds no {params.stat_size} rows before the last {params.stat_size}",
            remedy=f"write a `window_size` of at least {2 * params.stat_size}, or a smaller `stat_size`",
        )
    wait = None if params.wait is None else duration.text(duration.parse(params.wait))
    return msgspec.structs.replace(params, of=loss.settled(params.of, contract, allowed), wait=wait)


def _spec(name: str, title: str, made: str, params: type[RowParams], formula: str, *, binary: bool = False) -> Spec[LossRuns, Any]:
    allowed = (loss.WRONG,) if binary else tuple(loss.OF)
    settle: Callable[[RowParams, Contract], RowParams] = lambda given, contract: _settle(given, contract, allowed)  # noqa: E731
    return Spec(
        about=Measure(
            name=f"change.{name}",
            title=f"Changes by {title}",
            formula=formula,
            brief=title,
            better=-1,
            compares=True,
            tasks=(Task.BINARY, Task.MULTICLASS) if binary else tuple(Task),
            requires=(Need.LABELS,),
            own_limit=LIMIT,
        ),
        evidence=LossRuns,
        compute=lambda target, _baseline, given: _compute(made, target, given),
        no_value="no labelled predictions",
        params=params,
        settle=settle,
        wait=lambda given: 0 if given.wait is None else duration.parse(given.wait),
        sequential=True,
    )


SPECS = (
    _spec("adwin", "ADWIN", "ADWIN", AdwinParams, "changes of the mean loss that adaptive windowing detects"),
    _spec("kswin", "KSWIN", "KSWIN", KswinParams, "changes of the law of losses that a sliding Kolmogorov-Smirnov test detects"),
    _spec("page_hinkley", "Page-Hinkley", "PageHinkley", PageHinkleyParams, "changes of the mean loss that the Page-Hinkley test detects"),
    _spec("ddm", "DDM", "DDM", DdmParams, "rises of the error rate above its least by `drift_threshold` deviations", binary=True),
    _spec("eddm", "EDDM", "EDDM", EddmParams, "falls of the distance between errors below `beta` of its most", binary=True),
    _spec("hddm_a", "HDDM-A", "HDDMA", HddmAParams, "changes of the error rate by Hoeffding's bound of means", binary=True),
    _spec("hddm_w", "HDDM-W", "HDDMW", HddmWParams, "changes of the error rate by McDiarmid's bound of weighted means", binary=True),
)
