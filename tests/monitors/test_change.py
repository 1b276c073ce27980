"""Changes in the losses of stored outcomes, from panes and raw events to readings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from river import drift

from core import moment
from core.error import ConfigError
from monitors.definition.grammar import parse
from monitors.evidence.loss_runs import _cut
from tests.monitors import outcomes
from tests.monitors.contracts import CONTRACTS

HOURS, EACH = 60, 100
_ADWIN: Any = drift.ADWIN


def _stream() -> tuple[outcomes.Store, Any]:
    """Absolute errors that rise twice, 100 an hour, and the errors themselves in order of time."""
    rng = np.random.default_rng(4)
    size = np.concatenate([rng.normal(2, 1, 2_500), rng.normal(4, 1, 2_000), rng.normal(7, 1, 1_500)])
    store = outcomes.numbers(size, np.zeros(len(size)), np.repeat(np.arange(HOURS), EACH))
    store.rows.ts[:] += np.tile(np.arange(EACH), HOURS)  # microseconds apart
    return store, np.abs(size)


def _expected(errors: Any, rows: int) -> list[float]:
    """Detections by hour, of a detector that begins anew with each block of so many rows, which has read the block before."""
    found, hour = np.zeros(HOURS), np.arange(len(errors)) // EACH
    block = hour * EACH // rows
    for one in range(block.max() + 1):
        detector = _ADWIN()
        for row in np.flatnonzero((block == one) | (block == one - 1)).tolist():
            detector.update(errors[row])
            if detector.drift_detected and block[row] == one:
                found[hour[row]] += 1
    return found.tolist()


def test_detections_are_those_of_river_on_the_rows_in_order_of_time() -> None:
    """Of one detector where the stream is short, and of one that begins anew where it is long."""
    store, errors = _stream()
    for rows in (50_000, 1_000, 1_500):
        found = outcomes.readings(store, "change.adwin", {"rows": rows}, HOURS)
        assert [one.value for one in found] == _expected(errors, rows)
    found = outcomes.readings(store, "change.adwin", {}, HOURS)
    told = [one.evidence for one in found if one.value]
    assert [one["onset"][:13] for one in told] == ["1970-01-02T01", "1970-01-02T21"]


def test_the_order_in_which_rows_come_does_not_matter() -> None:
    """Rows have an order by their time, and a drawn one where that is one: an order by their loss would look like a change in every hour."""
    store, _ = _stream()
    store.rows.ts[:] -= store.rows.ts % moment.HOUR  # all rows of an hour at its beginning
    found = outcomes.readings(store, "change.adwin", {}, HOURS)
    again = outcomes.Store(store.contract, replace(store.rows.take(np.random.default_rng(1).permutation(len(store.rows)))))
    assert outcomes.readings(again, "change.adwin", {}, HOURS) == found
    assert sum(one.value or 0 for one in found) == 2


def test_rows_that_panes_count_and_raw_events_lack_leave_no_value() -> None:
    """In the windows of their run."""
    store, _ = _stream()

    class Lost(outcomes.Store):
        def outcomes(self, *args: Any, **more: Any) -> Any:
            held = super().outcomes(*args, **more)
            return held.take(np.flatnonzero(held.ts >= moment.HOUR))

    found = outcomes.readings(Lost(store.contract, store.rows), "change.adwin", {"rows": 1_000}, HOURS)
    assert [one.value is None for one in found] == [True] * 20 + [False] * 40
    assert found[0].reason == "raw events of the window are not there any more"


def test_runs_are_cut_by_counting_rows() -> None:
    """In whole slots: the first that is read, the first that counts, the one after the last that is needed; a slot that is larger than a run is one."""
    counts, every = np.array([400.0, 700, 0, 300, 2_500, 100]), np.ones(6, np.bool_)
    assert _cut(counts, every, 1_000) == [(0, 0, 2), (0, 2, 5), (2, 5, 6)]
    assert _cut(counts, np.array([0, 0, 0, 1, 0, 0], np.bool_), 1_000) == [(0, 2, 4)]
    assert _cut(np.zeros(2), np.ones(2, np.bool_), 1_000) == [(0, 0, 2)]


def test_a_monitor_of_change_is_critical_at_a_detection_and_has_no_baseline() -> None:
    """It needs neither a threshold nor many rows in a window."""
    text = "- {monitor: c, model: delay, measure: change.ddm}\n- {monitor: w, model: delay, measure: change.ddm, warn: 1, min_samples: 50}"
    first, second = parse(text, contract=CONTRACTS.get).monitors
    assert (first.critical, first.warn, first.min_samples) == (1.0, None, 1)
    assert (second.critical, second.warn, second.min_samples) == (None, 1.0, 50)
    with pytest.raises(ConfigError, match=r"`change.ddm` compares the stream with itself \(leave `baseline` out\)"):
        parse("- {monitor: c, model: delay, measure: change.ddm, baseline: reference}", contract=CONTRACTS.get)


def test_a_window_of_kswin_holds_two_samples() -> None:
    """Else river draws more rows than there are, at the first evaluation."""
    text = "- {monitor: a, model: delay, measure: change.kswin, params: {window_size: 59}}"
    with pytest.raises(ConfigError, match="holds no 30 rows before the last 30"):
        parse(text, contract=CONTRACTS.get)
    assert parse(text.replace("59", "60"), contract=CONTRACTS.get).monitors[0].params["window_size"] == 60
