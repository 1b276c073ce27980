"""Performance estimated before labels: against scikit-learn with weights, and on made streams of which the truth is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from core.block import Floats
from core.contract import Contract, Task
from core.error import ConfigError
from detectors import catalogue
from detectors.estimate import ClassScores, Predicted
from detectors.evidence import Confusion
from detectors.performance import cbpe
from detectors.performance.calibrator import calibrator
from detectors.performance.estimated import EstimateParams
from detectors.spec import Result
from monitors.definition import field

BINS = 40
NAMES = ("accuracy", "f1", "roc_auc")


def expanded(counts: Floats, chance: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Label, prediction, bin and weight of rows that are of the class with a chance, and else not."""
    said, place = (one.ravel() for one in np.meshgrid([0, 1], np.arange(counts.shape[-1]), indexing="ij"))
    p, many = chance[place], counts.ravel()
    return np.repeat([1.0, 0.0], len(said)), np.tile(said, 2), np.tile(place, 2), np.concatenate([many * p, many * (1 - p)])


@settings(max_examples=30, deadline=None)
@given(data=st.data(), bins=st.integers(2, 12))
def test_expected_values_are_those_of_weighted_rows(data: st.DataObject, bins: int) -> None:
    """Accuracy, F1 and AUC are scikit-learn's if each row comes twice, with the chance of either label as its weight; chances may be 0 and 1, bins empty."""
    counts = data.draw(arrays(np.float64, (2, bins), elements=st.integers(0, 50).map(float)))
    chance = data.draw(arrays(np.float64, bins, elements=st.sampled_from([0.0, 0.001, 0.2, 0.5, 0.97, 1.0])))
    label, said, place, weight = expanded(counts, chance)
    n, own = counts.sum(), (counts.sum(0) * chance).sum()
    if n:
        assert cbpe.right_of_two(counts, chance)[0] / n == pytest.approx(accuracy_score(label, said, sample_weight=weight), abs=1e-12)
    f1, auc = cbpe.f1(counts, chance)[0], cbpe.roc_auc(counts, chance)[0]
    if own + counts[1].sum():
        assert f1 == pytest.approx(f1_score(label, said, sample_weight=weight), abs=1e-12)
    else:
        assert np.isnan(f1)
    if own > 0 and own < n:
        assert auc == pytest.approx(roc_auc_score(label, place, sample_weight=weight), abs=1e-9)
    else:
        assert np.isnan(auc)


@pytest.mark.parametrize("of", [cbpe.right, cbpe.right_of_two, cbpe.f1, cbpe.roc_auc])
def test_influences_are_slopes(of: Any) -> None:
    """The influence of the rows of a bin is by how much the value rises with its chance."""
    rng = np.random.default_rng(1)
    counts, chance, step = rng.integers(1, 90, (2, 9)).astype(float), np.sort(rng.random(9)), 1e-6
    slopes = [(of(counts, chance + move)[0] - of(counts, chance - move)[0]) / (2 * step) for move in step * np.eye(9)]
    assert (counts * of(counts, chance)[1]).sum(0) == pytest.approx(np.array(slopes), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_calibrators_are_isotonic_regressions(seed: int) -> None:
    """Of the rows on their bins, scikit-learn's; between bins with rows, interpolated."""
    rng = np.random.default_rng(seed)
    held = rng.poisson(rng.choice([0.4, 30.0], (2, 25))).astype(float)
    held[0, 3] += 1
    rows, there = held.sum(0), held.sum(0) > 0
    fitted = IsotonicRegression(out_of_bounds="clip").fit(np.flatnonzero(there), held[0, there] / rows[there], sample_weight=rows[there])
    found = calibrator(*held)
    assert found.chance == pytest.approx(fitted.predict(np.arange(25.0)), abs=1e-12)
    assert found.drawn.shape == (100, 25)
    assert (np.diff(found.drawn, axis=1) >= 0).all()
    assert calibrator(*held) is found


def rows_of(rng: np.random.Generator, n: int, *, labels: float = 1.0, flip: float = 0.0, slope: float = 6.0) -> Predicted:
    """Rows of a binary model with so many labels, of which a share in the upper bins is flipped."""
    place = rng.integers(0, BINS, n)
    chance = 1 / (1 + np.exp(-slope * (place / BINS - 0.5)))
    label = (rng.random(n) < chance) ^ ((place > BINS / 2) & (rng.random(n) < flip))
    said, known = place >= BINS / 2, rng.random(n) < labels
    counts = np.stack([np.bincount(place[said == side], minlength=BINS) for side in (False, True)]).astype(float)
    own, others = (np.bincount(place[known & (label == side)], minlength=BINS).astype(float) for side in (True, False))
    classes = [[(said == side)[known] for side in (False, True)], [(label == side)[known] for side in (False, True)]]
    right = [(a & b).sum() for a, b in zip(*classes, strict=True)]
    hits, named, true = (np.array(one, float)[None, None] for one in (right, *([part.sum() for part in side] for side in classes)))
    scores = ClassScores(counts[None, None], own[None, None], others[None, None], np.zeros((1, 2, BINS)), place=1)
    labelled = Confusion(np.full((1, 1), float(known.sum())), ("0", "1"), hits, named, true, positive=1)
    every = np.full((1, 1), float(n))
    return Predicted(
        every,
        every,
        every,
        binary=True,
        classes=(scores,),
        labelled=labelled,
        labels=labelled.n,
        outside={"scores": (np.zeros((1, 1)), 0.0)},
    )


def told(target: Predicted, reference: Predicted, *earlier: Predicted, labels: bool = True) -> Predicted:
    """The rows, with the chances that the reference tells, after some windows; without `labels` none has come yet."""
    known = np.stack([reference.classes[0].own[0, 0], reference.classes[0].others[0, 0]])[None]
    rows, labelled = target.classes[0], target.labelled
    if not labels:
        none, nothing = np.zeros_like(rows.own), np.zeros((1, 1, 2))
        rows = replace(rows, own=none, others=none)
        labelled = replace(labelled, n=np.zeros((1, 1)), right=nothing, predicted=nothing, labelled=nothing)
    before = tuple(told(one, reference) for one in earlier)
    return replace(target, classes=(replace(rows, known=known),), labelled=labelled, labels=labelled.n, earlier=before)


def computed(name: str, target: Predicted) -> Result:
    found: Result = catalogue.spec(f"performance.estimated_{name}").compute(target, None, EstimateParams())
    return found


def bounds(result: Result) -> tuple[float, float, float]:
    assert result.interval is not None
    lower, upper = result.interval(np.ones(1))
    return float(lower[0, 0]), float(result.value[0, 0]), float(upper[0, 0])


@pytest.mark.parametrize("name", NAMES)
def test_intervals_cover_what_labels_give(name: str) -> None:
    """Of 100 windows of 800 rows, each with a reference of 3,000, about 95 % lie in the interval that was there before their labels."""
    rng, hit = np.random.default_rng(5), 0
    for _ in range(100):
        result = computed(name, told(rows_of(rng, 800), rows_of(rng, 3_000)))
        lower, _, upper = bounds(result)
        hit += lower <= realised(result) <= upper
    assert 88 <= hit <= 100


def realised(result: Result) -> float:
    return float(document(result)["realised"])


def document(result: Result) -> dict[str, Any]:
    assert result.evidence is not None
    (found,) = result.evidence((np.zeros(1, int), np.zeros(1, int)))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_flipped_labels_break_the_assumption_and_widen_later_intervals(name: str) -> None:
    """No estimate sees a flip under the same scores; labels tell of it once they come, and intervals after it widen until they cover."""
    rng = np.random.default_rng(6)
    reference, flipped = rows_of(rng, 20_000), [rows_of(rng, 2_000, flip=0.4) for _ in range(9)]
    before = computed(name, told(flipped[0], reference, labels=False))
    assert before.broken is not None
    assert not before.broken.any()
    assert "realised" not in document(before)
    after = computed(name, told(flipped[0], reference))
    assert after.broken is not None
    assert after.note is not None
    assert after.broken.all()
    assert "labels of 2000 of 2000 rows give" in after.note[0, 0]
    assert [one["holds"] for one in document(after)["assumptions"]] == [True, False]
    lower, value, upper = bounds(before)
    assert not lower <= realised(after) <= upper
    later = computed(name, told(flipped[8], reference, *flipped[1:8]))
    lower, found, upper = bounds(later)
    assert lower <= realised(later) <= upper
    assert found == pytest.approx(value, abs=0.02)


def test_calibrated_windows_are_not_broken() -> None:
    """Of 60 windows in which scores mean what they meant, none is broken, with half of the labels or all."""
    rng = np.random.default_rng(7)
    reference = rows_of(rng, 20_000)
    for labels in (0.6, 1.0):
        for _ in range(30):
            found = computed("accuracy", told(rows_of(rng, 3_000, labels=labels), reference)).broken
            assert found is not None
            assert not found.any()


def test_rows_outside_of_the_reference_break_the_assumption_at_once() -> None:
    """Without any label: more than 5 % of the rows beyond what chance gives."""
    rng = np.random.default_rng(8)
    target = told(rows_of(rng, 1_000), rows_of(rng, 10_000), labels=False)
    for rows, broken in ((60.0, False), (70.0, True)):
        result = computed("accuracy", replace(target, outside={"features": (np.full((1, 1), rows), 0.01)}))
        assert result.broken is not None
        assert bool(result.broken[0, 0]) is broken
    assert result.note is not None
    assert result.note[0, 0] == "features of 7 % of the rows lie where the reference has none"


def test_without_labels_in_the_reference_there_is_no_estimate() -> None:
    """And the reason says so; nor is there one where panes do not hold scores."""
    rng = np.random.default_rng(9)
    bare = rows_of(rng, 100)
    result = computed("accuracy", bare)
    assert np.isnan(result.value).all()
    assert result.why is not None
    assert result.why[0, 0] == "the reference does not have 10 labelled rows with a score of a class, and of others"
    older = computed("accuracy", replace(told(bare, bare), measured=np.zeros((1, 1))))
    assert older.why is not None
    assert "watchkeeper rebuild" in older.why[0, 0]


def test_wrong_params_are_refused_with_what_is_allowed() -> None:
    """By the grammar of monitors."""
    spec, known = catalogue.spec("performance.estimated_f1"), Contract(model="m", version=1, task=Task.BINARY, features=(), scored=True)
    assert field.params({}, spec, known) == {"outside": 0.05, "tolerance": 0.05, "earlier": 7}
    for wrong in ({"outside": 0}, {"tolerance": 2}, {"earlier": -1}, {"support": 0.1}):
        with pytest.raises(ConfigError):
            field.params(wrong, spec, known)


def labelled_only_above(target: Predicted, least: int) -> Predicted:
    """The rows, of which those from a score bin on have labels."""
    rows, held = target.classes[0], target.labelled
    keep = (np.arange(BINS) >= least).astype(float)
    rows = replace(rows, own=rows.own * keep, others=rows.others * keep)
    said = (np.arange(BINS) >= BINS / 2).astype(float)  # a prediction follows from its score
    each = [np.stack([(rows.others * (1 - said)).sum(-1), (rows.own * said).sum(-1)], -1)]
    each += [
        np.stack([((rows.own + rows.others) * one).sum(-1) for one in (1 - said, said)], -1),
        np.stack([rows.others.sum(-1), rows.own.sum(-1)], -1),
    ]
    labels = (rows.own + rows.others).sum(-1)
    held = replace(held, n=labels, right=each[0], predicted=each[1], labelled=each[2])
    return replace(target, classes=(rows,), labelled=held, labels=labels)


@pytest.mark.parametrize("name", NAMES)
def test_labels_of_high_scores_are_compared_with_the_estimate_for_these(name: str) -> None:
    """If labels come for the upper 55 % of scores only, nothing is broken while scores mean what they meant, though these rows alone have another accuracy and AUC; a flip still shows."""
    rng = np.random.default_rng(10)
    reference = rows_of(rng, 20_000)
    calm, flipped = (computed(name, told(labelled_only_above(rows_of(rng, 3_000, flip=flip), 18), reference)) for flip in (0.0, 0.4))
    assert calm.broken is not None
    assert flipped.broken is not None
    assert [one["holds"] for one in document(calm)["assumptions"]] == [True, True]
    assert abs(realised(calm) - calm.value[0, 0]) > (0.0 if name == "accuracy" else 0.05)
    assert not calm.broken.any()
    assert flipped.broken.all()
    assert document(computed(name, told(rows_of(rng, 3_000), reference, labelled_only_above(rows_of(rng, 3_000), 18))))["past_error"] < 0.02


@pytest.mark.parametrize("name", NAMES)
def test_labels_of_rows_without_a_score_are_not_held_against_an_estimate(name: str) -> None:
    """An estimate covers rows with a score. Labels of others, all wrong, break nothing; if there are many of these, accuracy and F1 are not compared."""
    rng = np.random.default_rng(11)
    target = told(rows_of(rng, 2_000), rows_of(rng, 20_000))
    for unscored, compared in ((800.0, name == "roc_auc"), (15.0, True)):
        wrong, held = np.array([0.0, unscored]), target.labelled
        labels = replace(held, n=held.n + unscored, predicted=held.predicted + wrong[::-1], labelled=held.labelled + wrong)
        result = computed(name, replace(target, rows=target.rows + unscored, measured=target.rows + unscored, labelled=labels))
        assert result.broken is not None
        assert result.note is not None
        assert not result.broken.any()
        assert (document(result)["assumptions"][1]["holds"] is True) is compared
        assert ("realised" in document(result)) is compared
        assert (result.note[0, 0] is not None) is compared
        assert document(result).get("labelled", 2_000) == 2_000


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_with_too_few_labels_of_a_class_gives_no_estimate(name: str) -> None:
    """40 labelled rows of one class know nothing of the other; nor do 9 beside 400."""
    rng = np.random.default_rng(12)
    target = told(rows_of(rng, 500), rows_of(rng, 5_000))
    for own, others, known in ((40, 0, False), (400, 9, False), (400, 10, True)):
        chances = np.zeros((1, 2, BINS))
        chances[0, :, BINS // 2] = own, others
        result = computed(name, replace(target, classes=(replace(target.classes[0], known=chances),)))
        assert np.isfinite(result.value).all() == known
        assert result.broken is not None
        assert known or not result.broken.any()


def of_many(rng: np.random.Generator, windows: int, n: int, classes: int) -> Predicted:
    """Windows of rows of a model with many classes, whose scores are the chances of its classes; every row has its label."""
    held = [_many(rng, n, classes) for _ in range(windows)]
    counts, own, others, right, said, true = (np.stack([one[part] for one in held])[:, None] for part in range(6))
    every = np.full((windows, 1), float(n))
    labelled = Confusion(every, tuple(str(k) for k in range(classes)), right, said, true)
    scores = [ClassScores(counts[:, :, k], own[:, :, k], others[:, :, k], np.zeros((1, 2, BINS)), place=k) for k in range(classes)]
    return Predicted(every, every, every, binary=False, classes=tuple(scores), labelled=labelled, labels=every, outside={})


def _rows(rng: np.random.Generator, n: int, classes: int) -> tuple[Any, Any, Any]:
    """Rows of a model whose scores are the chances of its classes: the bin of each class's score, the label and the prediction."""
    score = rng.dirichlet(np.full(classes, 0.3), n)
    label = np.minimum((rng.random((n, 1)) > score.cumsum(1)).sum(1), classes - 1)
    return np.minimum((score * BINS).astype(int), BINS - 1), label, score.argmax(1)


def _many(rng: np.random.Generator, n: int, classes: int) -> list[Floats]:
    place, label, said = _rows(rng, n, classes)

    def by_bin(rows: Any, k: int) -> Floats:
        return np.bincount(place[rows, k], minlength=BINS).astype(float)

    counts = np.stack([[by_bin(said != k, k), by_bin(said == k, k)] for k in range(classes)])
    own, others = (np.stack([by_bin((label == k) == side, k) for k in range(classes)]) for side in (True, False))
    totals = [np.bincount(codes, minlength=classes).astype(float) for codes in (label[label == said], said, label)]
    return [counts, own, others, *totals]


@pytest.mark.parametrize("name", NAMES)
def test_many_classes_are_estimated_alike_alone_and_among_windows(name: str) -> None:
    """Of ten classes, too: the estimate is near to what labels give, breaks nothing, and has the same last digit in whatever company a window is computed."""
    rng = np.random.default_rng(13)
    reference, target = of_many(rng, 1, 20_000, 10), of_many(rng, 5, 3_000, 10)
    known = [np.stack([one.own[0, 0], one.others[0, 0]])[None] for one in reference.classes]
    target = replace(target, classes=tuple(replace(one, known=at) for one, at in zip(target.classes, known, strict=True)))
    result = computed(name, target)
    assert result.broken is not None
    assert result.interval is not None
    assert not result.broken.any()
    for window in range(5):
        alone = computed(name, one_of(target, window))
        assert alone.interval is not None
        assert realised(alone) == pytest.approx(float(alone.value[0, 0]), abs=0.03)
        assert alone.value[0, 0] == result.value[window, 0]
        assert [bound[0, 0] for bound in alone.interval(np.ones(1))] == [bound[window, 0] for bound in result.interval(np.ones(1))]


def one_of(target: Predicted, window: int) -> Predicted:
    """One of the windows."""
    cut = slice(window, window + 1)
    classes = tuple(replace(one, counts=one.counts[cut], own=one.own[cut], others=one.others[cut]) for one in target.classes)
    held = target.labelled
    labelled = replace(held, n=held.n[cut], right=held.right[cut], predicted=held.predicted[cut], labelled=held.labelled[cut])
    every = target.n[cut]
    return replace(target, n=every, rows=every, measured=every, labels=every, classes=classes, labelled=labelled)


@pytest.mark.parametrize("name", NAMES)
def test_an_estimate_of_several_classes_is_that_of_scikit_learn_on_rows(name: str) -> None:
    """Each class against the rest, with chances of its own from the reference's rows; each row of the window comes twice, with the chance of either label as its weight."""
    classes = 4
    (known_place, known_label, _), (place, _, said) = (
        _rows(np.random.default_rng(seed), n, classes) for seed, n in ((17, 6_000), (18, 900))
    )
    reference, target = (of_many(np.random.default_rng(seed), 1, n, classes) for seed, n in ((17, 6_000), (18, 900)))
    known = [np.stack([one.own[0, 0], one.others[0, 0]])[None] for one in reference.classes]
    target = replace(target, classes=tuple(replace(one, known=at) for one, at in zip(target.classes, known, strict=True)))
    each = []
    for k in range(classes):
        fitted = IsotonicRegression(out_of_bounds="clip").fit(known_place[:, k], known_label == k)
        chance = np.clip(fitted.predict(place[:, k].astype(float)), 0.0, 1.0)
        truth, weight = np.repeat([1, 0], len(said)), np.concatenate([chance, 1 - chance])
        if name == "accuracy":
            each.append(chance[said == k].sum() / len(said) * classes)
        elif name == "f1":
            each.append(f1_score(truth, np.tile(said == k, 2), sample_weight=weight))
        else:
            each.append(roc_auc_score(truth, np.tile(place[:, k], 2), sample_weight=weight))
    assert computed(name, target).value[0, 0] == pytest.approx(np.mean(each), abs=1e-9)
