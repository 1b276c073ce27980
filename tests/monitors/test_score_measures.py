"""Measures of scores: curves and other thresholds, from rows and from score bins, against scikit-learn."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from core import moment
from core.block import Floats
from core.error import ConfigError
from core.span import Spans
from core.window.tumbling import Tumbling
from monitors.evaluation.evaluate import Evaluate
from monitors.evidence import ranked
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Scope
from monitors.model import Model
from tests.monitors.outcomes import Store, binary, multiclass, readings, value

ROWS = st.lists(st.tuples(st.booleans(), st.one_of(st.integers(0, 8).map(lambda n: n / 8), st.floats(0, 1))), min_size=1, max_size=40)


def store(rows: list[tuple[bool, float]]) -> tuple[list[bool], Floats, Store]:
    """Labels and scores, and the outcomes of a binary model that predicted 0."""
    true, score = [row[0] for row in rows], np.array([row[1] for row in rows])
    return true, score, binary(["0"] * len(rows), ["1" if one else "0" for one in true], score)


def lifted(true: list[bool], score: Floats, share: float) -> float:
    """The expected lift if rows of one score come in any order."""
    label, most = np.array(true, float), int(np.ceil(round(share * len(true), 9)))
    mean = np.array([label[score == one].mean() for one in score])
    return float(mean[np.argsort(-score, kind="stable")][:most].sum() / most / label.mean()) if label.any() else np.nan


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_average_precision_and_lift_are_those_of_rows(rows: list[tuple[bool, float]]) -> None:
    """Rows of one score count together. Without a positive there is no value."""
    true, score, held = store(rows)
    wanted = metrics.average_precision_score(true, score) if any(true) else np.nan
    assert value(held, "performance.pr_auc") == pytest.approx(wanted, abs=1e-12, nan_ok=True)
    for share in (0.1, 0.5):
        found = value(held, "performance.lift_at_k", {"share": share})
        assert found == pytest.approx(lifted(true, score, share), abs=1e-12, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.sampled_from([0.0, 0.25, 0.3, 1.0]))
def test_another_threshold_judges_the_score(rows: list[tuple[bool, float]], threshold: float) -> None:
    """A row is predicted positive from the threshold on, whatever was sent."""
    true, score, held = store(rows)
    said, params = score >= threshold, {"threshold": threshold}
    assert value(held, "performance.accuracy", params) == pytest.approx(metrics.accuracy_score(true, said))
    recall = metrics.recall_score(true, said) if any(true) else np.nan
    assert value(held, "performance.recall", params) == pytest.approx(recall, nan_ok=True)
    negative = metrics.precision_score(true, said, pos_label=False) if (~said).any() else np.nan
    assert value(held, "performance.precision", {"class": 0, **params}) == pytest.approx(negative, nan_ok=True)
    cost = np.mean([7.0 if a and not b else 0.0 for a, b in zip(said, true, strict=True)])
    assert value(held, "performance.value", {"fp": 7, **params}) == pytest.approx(cost)


@pytest.mark.parametrize("seed", range(3))
def test_score_bins_keep_their_bound(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value of rows is within it."""
    rng = np.random.default_rng(seed)
    score = rng.beta(1 + seed, 2, 3_000)
    _, _, held = store(list(zip((rng.random(3_000) < score).tolist(), score.tolist(), strict=True)))
    asked: list[tuple[str, dict[str, Any]]] = [
        ("pr_auc", {}),
        ("lift_at_k", {}),
        ("accuracy", {"threshold": 0.37}),
        ("accuracy", {"threshold": 0.5}),
    ]
    exact = [value(held, f"performance.{name}", params) for name, params in asked]
    monkeypatch.setattr(ranked, "MOST", 1_000)
    for (name, params), wanted in zip(asked, exact, strict=True):
        (reading,) = readings(held, f"performance.{name}", params)
        assert reading.value is not None
        assert abs(reading.value - wanted) <= reading.evidence.get("bound", 0.0) + 1e-12
    assert reading.evidence.get("bound") is None  # 0.5 is an edge


def test_the_last_score_bin_holds_a_score_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a threshold of 1 cuts it."""
    _, _, held = store([(True, 1.0), (True, 0.9), (False, 0.2), (True, 1.0)])
    monkeypatch.setattr(ranked, "MOST", 1)
    (reading,) = readings(held, "performance.accuracy", {"threshold": 1.0})
    assert reading.value is not None
    assert abs(reading.value - 0.75) <= reading.evidence["bound"]


def test_curves_of_several_classes_are_means_over_those_that_rows_have() -> None:
    """Each class against the rest."""
    rng = np.random.default_rng(5)
    scores, true = rng.dirichlet([1, 1, 1], 60).round(1), rng.choice(["a", "b"], 60)
    held = multiclass(("a", "b", "c"), ["a"] * 60, true.tolist(), scores)
    wanted = np.mean([metrics.average_precision_score(true == name, scores[:, place]) for place, name in enumerate("ab")])
    assert value(held, "performance.pr_auc") == pytest.approx(wanted, abs=1e-12)


def test_a_threshold_is_for_binary_models() -> None:
    """And a probability."""
    three = multiclass(("a", "b", "c"), ["a"], ["a"], np.array([[1.0, 0, 0]]))
    with pytest.raises(ConfigError, match="is for a binary model"):
        value(three, "performance.accuracy", {"threshold": 0.5})
    with pytest.raises(ConfigError, match=r"`params\.threshold`"):
        value(binary(["1"], ["1"], np.ones(1)), "performance.accuracy", {"threshold": 1.5})


def test_a_label_that_is_no_class_of_a_binary_model_is_left_out_of_losses_of_scores() -> None:
    """And told: the score says nothing of it."""
    held = binary(["1", "0", "1", "0"], ["1", "0", "x", "null"], np.array([0.9, 0.2, 0.7, 0.4]))
    for name, wanted in (("log_loss", metrics.log_loss([1, 0], [0.9, 0.2])), ("brier", (0.1**2 + 0.2**2) / 2)):
        (reading,) = readings(held, f"performance.{name}")
        assert reading.value == pytest.approx(wanted)
        assert (reading.n_target, reading.evidence["left_out"]) == (4, 2)


def test_brier_says_that_it_needs_all_scores() -> None:
    """Events with the highest probability alone have a log loss and no Brier score."""
    held = multiclass(("a", "b", "c"), ["a", "b"], ["a", "b"], np.array([[0.8, np.nan, np.nan], [np.nan, 0.6, np.nan]]))
    assert value(held, "performance.log_loss") == pytest.approx(-np.log([0.8, 0.6]).mean())
    (reading,) = readings(held, "performance.brier")
    assert (reading.value, reading.reason) == (None, "no row has a score for each class, and a label of these")


def test_windows_are_read_so_that_their_baselines_fit_into_memory_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pooled baseline may hold many more rows than its window."""
    rows, hours = 200, np.repeat(np.arange(20), 10)
    score = np.random.default_rng(2).random(rows)
    held = binary(["0"] * rows, ["1" if one > 0.5 else "0" for one in score], score, hour=hours)
    monkeypatch.setattr(ranked, "_ROWS", 400)
    evaluate = Evaluate(cast("Any", held), cast("Any", held), cast("Any", None), lambda _model, _version: held.contract)
    reads = evaluate.reads(Scope(Model(held.contract, None), ("all",), ("",), ()))
    windows = Tumbling(moment.HOUR).between(10 * moment.HOUR, 19 * moment.HOUR)
    rolling = Spans(windows.start - 10 * moment.HOUR, windows.start)
    alone, together = (Extent.of(one) for one in (windows, windows.join(rolling)))
    assert [part.stop - part.start for part in ranked.parts(reads, alone, windows)] == [10]
    assert max(part.stop - part.start for part in ranked.parts(reads, together, windows)) <= 2


@pytest.mark.parametrize("measure", ["performance.roc_auc", "performance.pr_auc"])
def test_a_window_whose_raw_events_are_gone_says_so(measure: str) -> None:
    """Panes count more rows than there are; one without any is no window without rows."""

    class Gone(Store):
        kept = 0

        def outcomes(self, *args: Any, **more: Any) -> Any:
            return super().outcomes(*args, **more).take(np.arange(self.kept))

    _, _, held = store([(True, 0.9), (False, 0.1), (True, 0.4), (False, 0.7)])
    gone = Gone(held.contract, held.rows)
    for gone.kept in (0, 2):
        (reading,) = readings(gone, measure)
        assert (reading.value, reading.reason) == (None, "raw events of the window are not there any more")
        assert (reading.n_target, reading.verdict) == (4, "not_estimable")
    gone.kept = 4
    assert readings(gone, measure)[0].value is not None
