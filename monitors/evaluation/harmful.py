"""Computes readings of harmful change: bets over all windows so far, on labelled rows as they were known when each was due.

What is told of a window depends on all windows before it, and on none after it. Labels that come later than they are due change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import msgspec
import numpy as np

from core import duration, moment
from core.block import Floats, Ints
from core.contract import Contract
from core.monitor import Monitor
from core.segment import ALL, Segments
from core.span import Flags, Spans
from core.window.kind import Window
from detectors import catalogue
from detectors.change.harmful import ANYTHING, MOST, NO_REFERENCE, Bets, HarmfulParams, Usual, play, started, usual
from detectors.change.unit_loss import unit_loss
from detectors.spec import GONE, Places
from monitors.evaluation import plan
from monitors.evaluation.frame import NONE, Frame, Part
from monitors.evaluation.verdict import Judgement, judge
from monitors.evidence.due_losses import DueLosses, due_losses, losses_of_reference
from monitors.evidence.reads import Reads


def harmful(monitor: Monitor, windows: Spans, reads: Reads) -> Frame:
    """The readings of windows, for all segments of the scope."""
    found = _life(monitor, windows, reads)
    at, segments = found.history.find(windows), reads.scope.segments
    value, n = found.value[at], found.losses.n[at].astype(np.int64)
    nothing = np.full(value.shape, np.nan)
    known = np.array([one.n > 0 or one.bound == one.risk for one in found.usual])
    why = np.where(found.losses.gone[at][:, None], GONE, np.where(known, ANYTHING, NO_REFERENCE)).astype(object)
    about = catalogue.spec(monitor.measure).about
    empty = np.full(value.shape, "no predictions that were labelled in time", object)
    given = Judgement(value, nothing, nothing, nothing, 1)
    verdict, reason = judge(monitor, about, given, n, np.full(value.shape, NONE), why, empty)
    arrays: dict[str, Any] = {"value": value, "n_target": n, "verdict": verdict, "reason": reason}
    blank = dict.fromkeys(("lower", "upper", "baseline_value", "n_effective"), nothing) | {"n_baseline": np.full(value.shape, NONE)}
    return Frame(
        monitor=monitor,
        contract=reads.scope.model.contract.version,
        windows=windows,
        threshold=monitor.threshold,
        columns=("",),
        segments=segments,
        evidence=((Part(0, len(windows), lambda places: found.evidence((at[places[0]], places[1]))),),),
        few=np.zeros((len(windows), 1, len(segments)), np.bool_),
        there=np.ones((1, len(segments)), np.bool_),
        **{name: array[:, None] for name, array in {**arrays, **blank}.items()},
    )


@dataclass(frozen=True)
class _Life:
    """The bets of a monitor over the history of some windows, for each segment; arrays are (windows of the history, segments)."""

    history: Spans
    params: HarmfulParams
    alpha: float
    limit: float  # what bets must be worth
    usual: list[Usual]
    losses: DueLosses
    bets: Bets  # (segments, windows)

    @property
    def value(self) -> Floats:
        """What bets are worth over the limit, NaN where no rows, no reference or no raw events are there."""
        over = np.exp(np.minimum(self.bets.worth.T - np.log(self.limit), np.log(MOST)))
        bound = np.array([one.bound for one in self.usual])
        return np.where((self.losses.n > 0) & ~self.losses.gone[:, None] & ~np.isnan(bound), over, np.nan)

    def evidence(self, places: Places) -> list[dict[str, Any]]:
        """What the bets of some places are on, against which risk, and at a detection since when the change most likely is."""
        return [self._told(window, segment) for window, segment in zip(*(axis.tolist() for axis in places), strict=True)]

    def _told(self, window: int, segment: int) -> dict[str, Any]:
        one, n = self.usual[segment], self.losses.n[window, segment]
        own: dict[str, Any] = {"of": self.params.of, "risk": float(self.losses.total[window, segment] / n) if n else None}
        reference = {"risk": one.risk, "n": one.n} | ({} if np.isnan(one.between) else {"between_sd": one.between})
        held: dict[str, Any] = (
            {} if np.isnan(one.risk) else {"reference": reference} | ({} if np.isnan(one.bound) else {"bound": one.bound})
        )
        first = int(self.bets.first[segment, window])
        state = {
            "alpha": self.alpha,
            "limit": self.limit,
            "since": moment.text(int(self.history.start[first])),
            "windows": window - first + 1,
        }
        return {**own, **held, **state, **self._detected(window, segment, first)}

    def _detected(self, window: int, segment: int, first: int) -> dict[str, Any]:
        """The first window without interruption in which bets are worth the limit, and from when on they won."""
        over = self.bets.worth[segment, first : window + 1] >= np.log(self.limit)
        if not over[-1]:
            return {}
        at = first + (0 if over.all() else int(np.flatnonzero(~over)[-1]) + 1)
        n, total = self.losses.n[first : at + 1, segment], self.losses.total[first : at + 1, segment]
        place = started(self.losses.gains[first : at + 1, segment], n > 0)
        return {
            "detected_at": moment.text(int(self.history.end[at])),
            "onset": moment.text(int(self.history.start[first + place])),
            "before": _mean(total[:place], n[:place]),
            "after": _mean(total[place:], n[place:]),
        }


def _mean(total: Floats, n: Floats) -> float | None:
    return float(total.sum() / n.sum()) if n.sum() else None


def _life(monitor: Monitor, windows: Spans, reads: Reads) -> _Life:
    params = msgspec.convert(monitor.params, HarmfulParams)
    contract, segments = reads.scope.model.contract, reads.scope.segments
    loss = unit_loss(params.harmed, contract)
    own = _referenced(reads, segments, params)
    sharing = int(own.sum()) if params.risk is None else _possible(contract, monitor.segments)
    alpha = params.alpha / monitor.challengers / max(1, sharing)
    held = [_NOTHING] * len(segments)
    if params.risk is None and own.any():
        held = reads.once(("losses of the reference", str(params.of)), lambda: losses_of_reference(reads, loss))
    usual_ = [_usual(*one, monitor.window, params, alpha) for one in held]
    history = plan.existing(monitor.window, reads.slots, int(windows.end.max()), live=False).join(windows)
    bound = np.array([one.bound for one in usual_])
    losses = due_losses(reads, history, loss, params.of, duration.parse(params.wait), bound)
    gains = np.where(np.isnan(bound)[:, None], 0.0, np.where(losses.gone[:, None, None], -np.inf, losses.gains)).swapaxes(0, 1)
    arl = None if params.arl is None else _windows_in(params.arl, monitor.window)
    return _Life(history, params, alpha, arl or 2 / alpha, usual_, losses, play(gains, losses.n.T > 0, arl))


_NOTHING: tuple[Ints, Floats] = (np.zeros(0, np.int64), np.zeros(0))


def _referenced(reads: Reads, segments: tuple[str, ...], params: HarmfulParams) -> Flags:
    """Which segments can alarm: those that the reference has, or all where the risk is given."""
    reference = reads.scope.model.reference
    if params.risk is not None:
        return np.ones(len(segments), np.bool_)
    return np.array([reference is not None and (one == ALL or one in reference.segments) for one in segments], np.bool_)


def _windows_in(time: str, window: Window) -> float:
    """How many windows a mean time between false alarms has, 2 at least. By the shortest step, so that the time is no shorter than promised: the longest day has 25 hours."""
    return max(2.0, duration.parse(time) / window.step)


def _possible(contract: Contract, groupings: Sequence[str]) -> int:
    """How many segments a contract can have in some groupings, `all` among them. Where each can alarm they share alpha, also those that have not come up: else alpha would be spent again by each that does."""
    dimensions = Segments(contract).dimensions
    parts = [one.split("*") for one in dict.fromkeys(groupings) if one != ALL]
    return 1 + sum(prod(len(dimensions[name].texts) for name in part) for part in parts if dimensions.keys() >= set(part))


def _usual(times: Ints, losses: Floats, window: Window, params: HarmfulParams, alpha: float) -> Usual:
    """What the reference tells, cut into windows of the monitor's length."""
    if not len(times):
        return usual(losses, times, params, alpha)
    spans = window.between(int(times.min()), int(times.max()))
    return usual(losses, np.searchsorted(spans.start, times, "right"), params, alpha)
