"""Freshness: the time since the last event."""

from __future__ import annotations

from core.measure import Measure
from detectors.arrival import Age
from detectors.spec import NoParams, Result, Spec

SPEC: Spec[Age, NoParams] = Spec(
    about=Measure(
        name="quality.freshness",
        title="Time since the last event",
        formula="the window's end - the ts of the last prediction before it",
        brief="Freshness",
        unit="s",
        better=-1,
        of_stream=True,
        sampled=False,
    ),
    evidence=Age,
    compute=lambda target, _baseline, _params: Result(target.age),
    no_value="no event is kept from before the window's end",
)
