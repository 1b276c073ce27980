"""Throughput: predictions a second, and who asks for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.measure import Measure
from detectors.serving import Traffic
from detectors.spec import NoParams, Places, Result, Spec

MOST = 8  # callers that are named
NO_TIMES = "the reference does not say how long its rows took to come"


def _compute(target: Traffic, _baseline: Traffic | None, _params: NoParams) -> Result:
    value = np.asarray(target.n / target.seconds)

    def evidence(places: Places) -> list[dict[str, Any]]:
        names = list(target.callers)
        if not names:
            return [{} for _ in places[0]]
        counts = np.stack([np.broadcast_to(target.callers[name], value.shape)[places] for name in names], axis=-1)
        return [{"callers": _most(names, each.tolist())} for each in counts]

    return Result(value, evidence=evidence)


def _most(names: list[str], counts: list[float]) -> list[dict[str, Any]]:
    """The callers with most predictions, the first by name of equals."""
    ordered = sorted((-many, name) for name, many in zip(names, counts, strict=True) if many)[:MOST]
    whole = sum(counts)
    return [{"caller": name, "n": int(-many), "share": -many / whole} for many, name in ordered]


SPEC: Spec[Traffic, NoParams] = Spec(
    about=Measure(
        name="service.throughput", title="Throughput", formula="predictions / the window's length", unit="events/s", better=1, sampled=False
    ),
    evidence=Traffic,
    compute=_compute,
    no_value=NO_TIMES,
)
