"""Power where no column moves: how often a new correlation between two of twenty columns is found, by a budget of `drift.correlation` and by rules that look at columns one at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.baseline.reference import Reference
from core.block import Floats
from core.moment import DAY
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from validation import rule
from validation.alarm import BUDGET, RATE, alarmed
from validation.public import Data
from validation.replay import replay
from validation.stream import Generator, Rows
from validation.world import START, default_watch

COLUMNS, ROWS, REFERENCE, WINDOWS = 20, 1_440, 30, 20
CORRELATIONS = (0.1, 0.2, 0.4)
OURS, WATCH, PSI, P = "budget of drift.correlation", "default watch", "PSI", "KS"


def shares(found: Sequence[dict[str, Floats]]) -> list[tuple[str, list[float]]]:
    """What was correlated, and by rule the share of windows in which it alarms. The usual rules take the limit that as many windows without a correlation exceed as a budget allows."""
    by_rule = []
    for name in (OURS, WATCH, PSI, P):
        held = np.stack([one[name] for one in found])  # (references, 1 + correlations, WINDOWS)
        limit = np.quantile(held[:, 0], 1 - RATE) if name in (PSI, P) else 0.0
        by_rule.append((held > limit).mean(axis=(0, 2)))
    moved = ["nothing moves", *(f"{correlation} between two columns" for correlation in CORRELATIONS)]
    return [(name, [float(one[place]) for one in by_rule]) for place, name in enumerate(moved)]


def one(rng: Generator) -> dict[str, Floats]:
    """Of one reference by rule what it says of windows: (1 + correlations, WINDOWS), those without one first. Flags, or for the usual rules the largest score."""
    parts = 1 + len(CORRELATIONS)
    days = REFERENCE + parts * WINDOWS
    values = rng.normal(size=(days, ROWS, COLUMNS))
    for place, correlation in enumerate(CORRELATIONS, 1):
        moved = values[REFERENCE + place * WINDOWS : REFERENCE + (place + 1) * WINDOWS]
        moved[..., 1] = correlation * moved[..., 0] + np.sqrt(1 - correlation**2) * moved[..., 1]
    flat = values.reshape(-1, COLUMNS)
    day = np.repeat(np.arange(days), ROWS)
    names = [f"x{place}" for place in range(COLUMNS)]
    table = pa.table(
        {
            "ts": pa.array(START + day * DAY, pa.timestamp("us", "UTC")),
            "set": np.where(day < REFERENCE, "reference", "production"),
            **{name: flat[:, place] for place, name in enumerate(names)},
            "prediction": flat[:, 0],
        }
    )
    model = replay(Data("made", {"task": "regression", "features_num": names, "features_cat": []}, table), pane=DAY)
    monitor = Monitor(
        name="m",
        model=model.model.contract.model,
        measure="drift.correlation",
        window=Tumbling(DAY),
        baseline=Reference(),
        min_samples=200,
        budget=BUDGET,
    )

    def flags(monitor: Monitor) -> Floats:
        return np.concatenate([alarmed(frame) for frame in model.windows(monitor)]).astype(np.float64)

    watch = default_watch(model.model.contract)
    psi = next(monitor for monitor in watch if monitor.measure == "drift.psi")
    value = np.concatenate([np.nanmax(frame.value, axis=(1, 2)) for frame in model.windows(psi)])
    rows = Rows(np.arange(len(day)), day, days)
    p = rule.p_values({name: flat[:, place] for place, name in enumerate(names)}, rows.take(0, REFERENCE), rows.take(REFERENCE, days))
    found = {
        OURS: flags(monitor),
        WATCH: np.any([flags(one) for one in watch], axis=0),
        PSI: value,
        P: -p.min(1),
    }
    return {name: held.reshape(parts, WINDOWS).astype(np.float64) for name, held in found.items()}
