"""Cuts of scores, against the rows themselves; and the parts of the page Performance that are made of them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, recall_score

from core.contract import Task
from dashboard.cut import cuts, groups, nearest
from dashboard.ports import LabelledRows, ScoreBins
from dashboard.route import page
from dashboard.state import PageState
from tests.dashboard.test_page import figures, text
from tests.dashboard.test_texts import changed
from tests.dashboard.twin import Twin

PAGE = "/ui/models/departs-late/performance"
EDGES = np.array([0.1, 0.25, 0.5, 0.8])


def binned(score: Any, own: Any) -> ScoreBins:
    """Rows by the bin of their score."""
    place = np.searchsorted(EDGES, score, side="right")
    sides = [np.bincount(place, weight, len(EDGES) + 1) for weight in (own, ~own, score)]
    own_rows, others = (side.astype(int).tolist() for side in sides[:2])
    return ScoreBins(EDGES.tolist(), own_rows, others, sides[2].tolist())


ROWS = st.lists(st.tuples(st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.25, 0.5, 0.6, 0.8, 1.0]), st.booleans()), min_size=1, max_size=40)


@given(ROWS)
def test_a_cut_at_an_edge_is_exact(rows: list[tuple[float, bool]]) -> None:
    """As scikit-learn computes it from the rows, also where there is one class only, or nothing is taken."""
    score, own = np.array([one for one, _ in rows]), np.array([side for _, side in rows])
    for cut in cuts(binned(score, own)):
        taken = score >= cut.score
        assert (cut.taken, cut.n) == (int(taken.sum()), len(rows))
        for value, measure in ((cut.precision, precision_score), (cut.recall, recall_score), (cut.f1, f1_score)):
            expected = measure(own, taken, zero_division=np.nan)
            assert (value is None and np.isnan(expected)) or value == pytest.approx(expected)
        others = ~own
        assert cut.fall_out == (pytest.approx((taken & others).sum() / others.sum()) if others.any() else None)
        if cut.precision is not None and own.any():
            assert cut.lift == pytest.approx(own[taken].mean() / own.mean())


@given(ROWS, st.integers(1, 10))
def test_groups_hold_every_row(rows: list[tuple[float, bool]], most: int) -> None:
    """None is empty, and their means are those of the rows."""
    score, own = np.array([one for one, _ in rows]), np.array([side for _, side in rows])
    found = groups(binned(score, own), most)
    assert sum(one.n for one in found) == len(rows)
    assert all(one.n for one in found)
    assert sum(one.n * one.score for one in found) == pytest.approx(score.sum())
    assert sum(one.n * one.share for one in found) == pytest.approx(own.sum())


def test_the_nearest_edge() -> None:
    """Of two edges the one that is less far, beyond the ends the last."""
    bins = binned(np.zeros(1), np.ones(1, bool))
    assert [nearest(bins, score) for score in (-5, 0.12, 0.3, 0.45, 7)] == [0, 0, 1, 2, 3]


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


def scored(twin: Twin, rows: LabelledRows, **parts: Any) -> Twin:
    """A reader with these labelled rows in every window."""

    class Labelled(Twin):
        def labelled(self, *_: Any) -> LabelledRows:
            return rows

    reader = changed(twin, **parts)
    reader.__class__ = Labelled
    return reader


CELLS = {("1", "1"): 30, ("0", "1"): 10, ("1", "0"): 20, ("0", "0"): 40}
BINS = ScoreBins((0.2, 0.5, 0.8), (2, 8, 10, 20), (25, 15, 12, 8), (2.7, 8.0, 14.0, 25.0))


async def test_the_slider_selects_the_cut(twin: Twin) -> None:
    """Its sentence, its numbers, and the line in the picture; without a choice the cut is at 0.5, and a bin that is not there is not taken."""
    reader = scored(twin, LabelledRows(100, CELLS, {"1": BINS}))
    usual = "If rows with a score from 0.5 on are taken for class 1, 50 are: 30 rightly and 20 wrongly, and 10 are missed."
    for search in ("", "?bin=1", "?bin=77", "?bin=x"):
        assert usual in text(await page(reader, PAGE, search)), search
    said = text(await page(reader, PAGE, "?bin=2"))
    assert "a score from 0.8 on are taken for class 1, 28 are: 20 rightly and 8 wrongly, and 20 are missed." in said
    (explorer,) = [one for one in figures(json.loads(said)) if any(trace.get("name") == "F1" for trace in one["data"])]
    assert [shape["x0"] for shape in explorer["layout"]["shapes"]] == [0.8]
    assert '"id": {"pick": "bin=1"}' in said


async def test_the_curves_begin_and_end_where_they_must(twin: Twin) -> None:
    """ROC from nothing taken to all taken; lift ends at 1."""
    said = text(await page(scored(twin, LabelledRows(100, CELLS, {"1": BINS})), PAGE, ""))
    traces = {trace.get("name"): trace for one in figures(json.loads(said)) for trace in one["data"]}
    roc, lift = traces["ROC"], traces["Lift"]
    assert sorted((roc["x"][end], roc["y"][end]) for end in (0, -1)) == [(0, 0), (1, 1)]
    assert (lift["x"][0], lift["y"][0]) == (1, 1)
    assert traces["Calibration"]["y"] == pytest.approx([2 / 27, 8 / 23, 10 / 22, 20 / 28], rel=1e-4)


async def test_scores_that_are_no_probabilities_have_no_calibration(twin: Twin) -> None:
    """Their order is judged all the same."""
    far = ScoreBins((20.0, 50.0), (2, 8, 10), (25, 15, 2), (270.0, 800.0, 990.0))
    said = text(await page(scored(twin, LabelledRows(62, CELLS, {"1": far})), PAGE, ""))
    assert '"roc"' in said
    assert "Calibration of scores" not in said


async def test_each_thing_that_is_missing_is_said(twin: Twin) -> None:
    """No score, no labelled score, one class only."""
    unscored = msgspec.structs.replace(twin._contracts["departs-late"], scored=False)
    rows = LabelledRows(100, CELLS, {"1": BINS})
    assert "The model sends no scores" in text(await page(scored(twin, rows, _contracts={"departs-late": unscored}), PAGE, ""))
    assert "both a label and a score" in text(await page(scored(twin, LabelledRows(100, CELLS, {})), PAGE, ""))
    single = ScoreBins((0.5,), (3, 4), (0, 0), (0.9, 3.1))
    assert "All labels are alike" in text(await page(scored(twin, LabelledRows(7, CELLS, {"1": single})), PAGE, ""))


async def test_of_several_classes_one_is_chosen(twin: Twin) -> None:
    """The first of the contract that has rows, unless the address names another; a name that is none is not taken."""
    contract = msgspec.structs.replace(twin._contracts["departs-late"], task=Task.MULTICLASS, classes=("a", "b", "c"))
    none = ScoreBins((0.5,), (0, 0), (3, 4), (0.9, 3.1))
    reader = scored(twin, LabelledRows(100, CELLS, {"a": none, "b": BINS, "c": BINS}), _contracts={"departs-late": contract})
    for search, name in (("", "b"), ("?positive=c", "c"), ("?positive=a", "b"), ("?positive=nobody", "b")):
        assert f"are taken for class {name}, 50 are" in text(await page(reader, PAGE, search)), search


def test_the_cut_and_its_class_are_in_the_address() -> None:
    """They are read back, and other pages do not keep them."""
    state = PageState(positive="a b", bin=0)
    assert state.query == "?positive=a%20b&bin=0"
    assert PageState.of(state.query) == state
    assert state.shared == PageState()
