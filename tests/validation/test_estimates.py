"""Estimates from rows to readings: a move to where the reference has no rows is said at once, and labels that are flipped while nothing else moves once they come."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.baseline.reference import Reference
from core.moment import DAY, HOUR
from core.monitor import Monitor
from core.reading import Reading
from core.window.tumbling import Tumbling
from detectors import catalogue
from monitors.definition import field
from validation.public import Data
from validation.replay import replay

ROWS, WINDOWS = 2_000, 11
MOVED, FLIPPED = 1, 3  # the window whose inputs moved, and the first one whose labels are flipped


def readings(*, labelled: int) -> list[Reading]:
    """The estimated accuracy of each window, when the labels of the first windows have come."""
    rng, rows = np.random.default_rng(4), ROWS * (WINDOWS + 2)
    window = np.maximum(np.arange(rows) // ROWS - 2, -1)  # -1: the reference
    x = rng.random(rows)
    score = 1 / (1 + np.exp(-6 * (x - 0.5)))
    flipped = (window >= FLIPPED) & (x > 0.5) & (rng.random(rows) < 0.4)
    label: npt.NDArray[Any] = ((rng.random(rows) < score) ^ flipped).astype(np.int64)
    columns = {
        "ts": pa.array(np.where(window < 0, 9_000 * DAY + np.arange(rows) * HOUR, 10_000 * DAY + window * HOUR), pa.timestamp("us", "UTC")),
        "prediction_id": [str(row) for row in range(rows)],
        "set": np.where(window < 0, "reference", "production"),
        "x": np.where((window == MOVED) & (rng.random(rows) < 0.2), 9.0, x),
        "prediction": (score >= 0.5).astype(np.int64),
        "score": score,
        "label": pa.array(label, mask=window >= labelled),
    }
    held = replay(Data("made", {"task": "binary", "features_num": ["x"], "features_cat": []}, pa.table(columns)), signals=("outside",))
    spec = catalogue.spec("performance.estimated_accuracy")
    params = field.params({}, spec, held.model.contract)
    monitor = Monitor(
        name="m", model="made", measure=spec.about.name, params=params, window=Tumbling(HOUR), baseline=Reference(), warn=0.05
    )
    return [reading for _, reading in held.readings(monitor)]


def covers(one: Reading) -> bool:
    """Whether what labels give lies in the interval of the estimate."""
    assert one.lower is not None
    assert one.upper is not None
    return bool(one.lower <= one.evidence["realised"] <= one.upper)


def test_a_move_is_said_at_once_and_a_flip_with_its_labels() -> None:
    """Without labels a flip shows nowhere, and rows outside of the reference do. Labels break the assumption in the first window that has them, and in the end intervals are as wide as estimates are wrong."""
    before, after = readings(labelled=0), readings(labelled=WINDOWS)
    broken = ["assumptions_broken" if at == MOVED else "ok" for at in range(WINDOWS)]
    assert [one.verdict for one in before] == broken
    assert re.fullmatch(r"features of (19|20|21)(\.\d)? % of the rows lie where the reference has none", before[MOVED].reason or "")
    assert [one.verdict for one in after[:FLIPPED]] == broken[:FLIPPED]
    assert after[FLIPPED].verdict == "assumptions_broken"
    assert f"labels of {ROWS} of {ROWS} rows give" in (after[FLIPPED].reason or "")
    assert [covers(one) for one in after[:FLIPPED]] == [True] * FLIPPED
    assert not covers(after[FLIPPED])
    assert covers(after[-1])
    wide = [math.fabs((one.upper or 0) - (one.lower or 0)) for one in after]
    assert wide[-1] > 3 * wide[FLIPPED]
