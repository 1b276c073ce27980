"""Computes control charts: from the readings of another measure in all windows so far, which are computed for it.

A chart depends on all windows before, so the whole history is read each time, as panes; nothing that is told of a window depends on a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import numpy as np

from core import moment
from core.block import Ints
from core.monitor import Compare, Gate, Monitor
from core.reading import Verdict
from core.span import Spans
from detectors import catalogue
from detectors.change.chart import LEARNS, ChartParams, Course, course
from detectors.spec import Places
from monitors.evaluation import plan
from monitors.evaluation.frame import NONE, VERDICTS, Frame, Part
from monitors.evaluation.verdict import Judgement, judge
from monitors.evaluation.watched import most, scope_of
from monitors.evidence.reads import Reads, Scope

Evaluated = Callable[[Monitor, Spans, Reads], Frame]
_KNOWN = [VERDICTS.index(one) for one in (Verdict.OK, Verdict.WARN, Verdict.CRITICAL)]


def of_chart(monitor: Monitor) -> Monitor:
    """The monitor of the measure that is charted."""
    of = msgspec.convert(monitor.params, catalogue.spec(monitor.measure).params).charted
    protected, named = catalogue.spec(of.measure).about.subject.protected, (of.column,) if of.column else ()
    kept = {"columns": () if protected else named, "attributes": named if protected else ()}
    plainly = {"warn": None, "critical": None, "clear": None, "compare": Compare.VALUE, "gate": Gate.NONE}
    return msgspec.structs.replace(monitor, measure=of.measure, params=of.params, **kept, **plainly)


def charted(evaluate: Evaluated, reads_of: Callable[[Scope], Reads], monitor: Monitor, windows: Spans, reads: Reads) -> Frame:
    """The readings of windows, for all segments of the scope."""
    of, scope = of_chart(monitor), reads.scope
    own = reads_of(scope_of(of, scope.model, scope.segments))
    history = plan.existing(monitor.window, reads.slots, int(windows.end.max()), live=True).join(windows)  # also those after the last event
    frames = [evaluate(of, chunk, own) for chunk in plan.chunks(history, most(own.scope, of.window))]
    value, n, verdict, reason = (
        np.concatenate([getattr(frame, name)[:, 0] for frame in frames]) for name in ("value", "n_target", "verdict", "reason")
    )
    known = np.where(np.isin(verdict, _KNOWN), value, np.nan)
    params: ChartParams = msgspec.convert(monitor.params, catalogue.spec(monitor.measure).params)
    found, at = [course(one, params) for one in known.T], history.find(windows)
    over = np.stack([one.value for one in found], axis=1)[at]
    learning = np.isnan(over) & ~np.isnan(known[at])
    nothing = np.full(over.shape, np.nan)
    own_reason = np.where(reason[at].astype(np.bool_), reason[at], "no rows").astype(object)
    why = np.where(learning, np.array(LEARNS, object), own_reason)
    given = Judgement(over, nothing, nothing, nothing, 1, few=learning, baseline_why=own_reason)
    about = catalogue.spec(monitor.measure).about
    judged, said = judge(monitor, about, given, n[at], np.full(over.shape, NONE), why, own_reason)
    arrays = {"value": over, "n_target": n[at], "verdict": judged, "reason": said}
    blank = dict.fromkeys(("lower", "upper", "baseline_value", "n_effective"), nothing) | {"n_baseline": np.full(over.shape, NONE)}
    return Frame(
        monitor=monitor,
        contract=scope.model.contract.version,
        windows=windows,
        threshold=monitor.threshold,
        columns=("",),
        segments=scope.segments,
        evidence=((Part(0, len(windows), partial(_evidence, found, known, history, at)),),),
        few=np.zeros((len(windows), 1, len(scope.segments)), np.bool_),
        there=np.ones((1, len(scope.segments)), np.bool_),
        **{name: array[:, None] for name, array in {**arrays, **blank}.items()},
    )


def _evidence(
    found: list[Course], known: np.ndarray[Any, np.dtype[np.float64]], history: Spans, at: Ints, places: Places
) -> list[dict[str, Any]]:
    """What the chart is of in a window: the value, what it is held against, and since when; and of a detection when the change most likely began."""
    told = []
    for window, segment in zip(at[places[0]].tolist(), places[1].tolist(), strict=True):
        one = found[segment]
        first = int(one.first[window])
        own = {"of_value": float(known[window, segment]), "mean": float(one.mean[window]), "sd": float(one.sd[window])}
        state = {"since": moment.text(int(history.start[first])), "windows": window - first + 1}
        told.append({**own, **state, **_detected(one, history, window)})
    return told


def _detected(one: Course, history: Spans, window: int) -> dict[str, Any]:
    if (detection := one.detections.get(window)) is None:
        return {}
    return {
        "detected_at": moment.text(int(history.end[window])),
        "onset": moment.text(int(history.start[detection.onset])),
        "before": detection.before,
        "after": detection.after,
    }
