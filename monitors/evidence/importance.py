"""How important a model's features are to its predictions, by the attributions of its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.block import Floats
from core.segment import ALL
from detectors.summary.signal import ATTRIBUTION
from monitors.evidence import moments
from monitors.evidence.reads import Scope


def importance(scope: Scope, features: Sequence[str]) -> Floats | None:
    """The mean |attribution| of each feature in the reference, NaN where there is no number (features,); None if not all have attributions."""
    names = [f"{ATTRIBUTION}{name}" for name in features]
    if not {column.name for column in scope.model.contract.signals}.issuperset(names):
        return None
    held = [moments.reference(replace(scope, segments=(ALL,)), name) for name in names]
    with np.errstate(invalid="ignore"):
        return np.array([float((one.absolute / one.finite).item()) for one in held])
