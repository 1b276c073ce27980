"""Detectors of change against river itself, and where a change began."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from river import drift
from scipy.stats import ks_2samp

from core.contract import Task
from core.error import ConfigError
from core.span import Spans
from detectors import catalogue
from detectors.change import kswin, loss
from detectors.change.river import (
    AdwinParams,
    DdmParams,
    EddmParams,
    HddmAParams,
    HddmWParams,
    KswinParams,
    PageHinkleyParams,
    RowParams,
    detected,
)
from detectors.change.sequence import LossRuns, Run, located, onset
from tests.detectors import blocks

_STEP, _MORE = random.Random(12345), random.Random(42)
STEP = np.array(_STEP.choices([0, 1], k=1000) + _STEP.choices(range(4, 8), k=1000), np.float64)
MORE = np.array(_MORE.choices([0, 1], k=1000) + _MORE.choices([0, 1], k=1000, weights=[0.3, 0.7]), np.float64)


@pytest.mark.parametrize(
    ("name", "params", "stream", "documented"),
    [
        ("ADWIN", AdwinParams(), STEP, [1023]),
        ("KSWIN", KswinParams(alpha=0.0001, seed=42), STEP, [1016]),
        ("PageHinkley", PageHinkleyParams(), STEP, [1006]),
        ("DDM", DdmParams(), MORE, [1334]),
        ("EDDM", EddmParams(alpha=0.8, beta=0.75), MORE, [1278]),
        ("HDDMA", HddmAParams(), MORE, [1206]),
        ("HDDMW", HddmWParams(), MORE, [1077]),
    ],
)
def test_rivers_published_detections_are_found(name: str, params: RowParams, stream: Any, documented: list[int]) -> None:
    """At the rows that its documentation names."""
    assert detected(name, params, stream) == documented


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: np.concatenate([rng.normal(0, 1, 700), rng.normal(2, 1, 700), rng.normal(0, 1, 300)]),
        lambda rng: (rng.random(1_500) < np.repeat([0.1, 0.4, 0.05], 500)).astype(float),
        lambda rng: rng.normal(0, 1, 99),
    ],
    ids=["normal", "errors", "too short"],
)
def test_kswin_finds_what_rivers_finds(draw: Callable[[np.random.Generator], Any]) -> None:
    """Though the p-value of each distance is worked out once: of ties, and again after a detection."""
    values = draw(np.random.default_rng(7))
    ours, theirs = kswin.detected(drift.KSWIN(alpha=0.01, seed=5), values), []
    detector: Any = drift.KSWIN(alpha=0.01, seed=5)
    for row, value in enumerate(values.tolist()):
        detector.update(value)
        if detector.drift_detected:
            theirs.append(row)
    assert ours == theirs
    assert bool(theirs) == (len(values) > 100)


def test_the_p_value_of_a_distance_is_scipys() -> None:
    """Of samples of one size."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        one, other = rng.normal(0, 1, 30), rng.normal(rng.random(), 1, 30)
        exact = ks_2samp(one, other)
        assert kswin.p_of(round(exact.statistic * 30), 30) == pytest.approx(exact.pvalue, rel=1e-12)


def test_the_onset_is_where_two_means_explain_most() -> None:
    """By brute force, and at the planted row where the change is large."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        values = rng.normal(0, 1, 40)
        explained = [k * (40 - k) / 40 * (values[:k].mean() - values[k:].mean()) ** 2 for k in range(1, 40)]
        assert onset(values)[0] == int(np.argmax(explained)) + 1
    place, before, after = onset(np.array([0.0] * 30 + [1.0] * 5))
    assert (place, before, after) == (30, 0.0, 1.0)


def test_each_detection_has_its_own_onset() -> None:
    """A detector starts anew after a detection, so the second one knows nothing of the first change."""
    values = np.array([0.0] * 20 + [1.0] * 20 + [5.0] * 10)
    first, second = located(values, np.array([24, 44]))
    assert (first.first, first.onset, first.before, first.after) == (0, 20, 0.0, 1.0)
    assert (second.first, second.onset, second.before, second.after) == (25, 40, 1.0, 5.0)
    (alone,) = located(values[:1], np.array([0]))
    assert (alone.onset, alone.after) == (0, 0.0)


def _evidence(values: Any, windows: list[tuple[int, int]], *runs: tuple[int, int, int]) -> LossRuns:
    """Rows a second apart, in one segment; each run is the first row, the row from which it counts, and the one after the last."""
    times = np.arange(len(values)) * 1_000_000
    made = [
        Run(times[first:last], np.asarray(values[first:last], np.float64), since * 1_000_000, last * 1_000_000)
        for first, since, last in runs
    ]
    spans = Spans.of([(low * 1_000_000, high * 1_000_000) for low, high in windows])
    n = np.array([[max(0, min(high, len(values)) - low)] for low, high in windows], np.float64)
    return LossRuns(n, spans, lambda _of, _rows: [made])


def test_a_window_counts_its_detections_and_tells_the_first() -> None:
    """The detection of ADWIN at row 1,023, in the windows that hold it; a window without rows has no value."""
    params = AdwinParams(of="performance.mae")
    found = catalogue.spec("change.adwin").compute(
        _evidence(STEP, [(0, 1_000), (900, 1_024), (1_000, 2_000), (2_000, 3_000)], (0, 0, 2_000)), None, params
    )
    assert found.value[:3, 0].tolist() == [0.0, 1.0, 1.0]
    assert np.isnan(found.value[3, 0])
    assert found.evidence is not None
    quiet, told = found.evidence((np.array([0, 2]), np.array([0, 0])))
    assert quiet == {"of": "performance.mae", "rows": 1_000, "since": "1970-01-01T00:00:00Z"}
    assert told == {
        "of": "performance.mae",
        "detected_at": "1970-01-01T00:17:03Z",
        "onset": "1970-01-01T00:16:40Z",
        "before": pytest.approx(STEP[:1_000].mean()),
        "after": pytest.approx(STEP[1_000:1_024].mean()),
        "rows": 976,
        "since": "1970-01-01T00:17:04Z",
    }


def test_a_run_counts_only_after_its_beginning() -> None:
    """What comes before is what the detector learns from, and counts in the run before."""
    params, windows = AdwinParams(of="performance.mae"), [(0, 1_500), (1_500, 2_000)]
    found = catalogue.spec("change.adwin").compute(_evidence(STEP, windows, (0, 0, 1_500), (0, 1_500, 2_000)), None, params)
    assert found.value.tolist() == [[1.0], [0.0]]


def test_rows_that_are_gone_leave_no_value() -> None:
    """In all windows of their run, since what the detector knows depends on them."""
    held = _evidence(STEP, [(0, 500), (500, 2_000)], (0, 0, 500), (0, 500, 2_000))
    runs = held.runs("", 0)
    gone = [Run(**{name: getattr(runs[0][1], name) for name in ("times", "values", "since", "until")}, gone=True)]
    found = catalogue.spec("change.adwin").compute(
        LossRuns(held.n, held.windows, lambda _of, _rows: [[runs[0][0], *gone]]), None, AdwinParams(of="performance.mae")
    )
    assert (found.value[0, 0], bool(np.isnan(found.value[1, 0]))) == (0.0, True)


@pytest.mark.parametrize(
    ("measure", "of", "task", "says"),
    [
        ("change.ddm", None, Task.BINARY, "performance.accuracy"),
        ("change.adwin", None, Task.REGRESSION, "performance.mae"),
        ("change.adwin", "performance.brier", Task.BINARY, "performance.brier"),
        ("change.adwin", "performance.mae", Task.BINARY, None),
        ("change.adwin", "drift.psi", Task.REGRESSION, None),
        ("change.ddm", "performance.brier", Task.BINARY, None),
        ("change.eddm", None, Task.REGRESSION, None),
    ],
)
def test_a_detector_takes_losses_of_rows_that_suit_it(measure: str, of: str | None, task: Task, says: str | None) -> None:
    """Detectors of errors take errors, and others any loss that the model has."""
    spec, contract = catalogue.spec(measure), blocks.contract(task)
    params = spec.params(of=of, wait="1440m")
    if says is None:
        with pytest.raises(ConfigError):
            spec.settle(params, contract)
        return
    settled = spec.settle(params, contract)
    assert (settled.of, settled.wait, spec.wait(settled)) == (says, "1d", 86_400_000_000)


def test_every_loss_has_the_measure_that_is_its_mean() -> None:
    """The names are measures of the catalogue."""
    assert {name for name in loss.OF if catalogue.known(name) is None} == set()


def test_river_is_imported_only_where_a_detector_runs() -> None:
    """A process starts without it."""
    code = "import sys; from monitors.evidence import kind; sys.exit('river' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
