"""Streams that keep their promised coverage, and streams that break it (the long form is in `make calibration`)."""

from __future__ import annotations

import numpy as np

from validation.promise import measured
from validation.report import HELD


def test_kept_promises_alarm_as_seldom_as_is_said_and_broken_ones_are_found() -> None:
    """Of 200 streams of each kind: no more than 5 % alarm by chance; nearly all that break from 90 % to 80 % are found, half of independent rows within a week of windows."""
    kept = measured(np.random.default_rng(7), 200)
    assert all(one.p >= HELD for one in kept)
    assert all(np.quantile(one.delays, 0.95, method="inverted_cdf") <= 30 for one in kept)
    assert float(np.median(kept[0].delays)) <= 7
