"""Budgets on made streams in which nothing moves. `make calibration` does the same on more streams and windows."""

from __future__ import annotations

import numpy as np

from core.monitor import Monitor
from validation.alarm import BUDGET, alarmed
from validation.replicate import resampled
from validation.stream import levels
from validation.world import budgeted, default_watch


def test_categories_that_the_reference_has_not_seen_keep_to_the_budget() -> None:
    """A fifth of the rows of each window has a category that none of the reference's 1,500 rows has. One window in 30 may alarm; all would by PSI as it is."""
    rng = np.random.default_rng(7)
    stream, alarms, windows = resampled(levels(rng), 50), 0, 0
    for _ in range(15):
        world = stream.replicate(rng, 10).world()
        monitor: Monitor = next(one for one in default_watch(world.model.contract) if one.measure == "drift.psi")
        found = alarmed(world.frame(budgeted(monitor, BUDGET)))
        alarms, windows = alarms + int(found.sum()), windows + len(found)
    assert windows == 150
    assert alarms <= 15
