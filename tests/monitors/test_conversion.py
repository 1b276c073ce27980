"""Events keep their meaning under another contract's layout."""

from __future__ import annotations

import msgspec
import numpy as np

from core.block import Categories, Floats, Outcomes, Predictions
from core.contract import LABEL, PREDICTION, Column, Contract, Kind, Task
from core.segment import Segments
from detectors.summary.performance import PerformanceSummary
from detectors.summary.score import scores
from monitors.evidence.conversion import convert, convert_outcomes


def contract(*columns: tuple[str, Kind], classes: tuple[str, ...] = (), task: Task = Task.MULTICLASS) -> Contract:
    kind = Kind.NUMERIC if task == Task.REGRESSION else Kind.CATEGORICAL
    return Contract(
        model="m",
        version=len(columns),
        task=task,
        features=tuple(Column(name=n, kind=k) for n, k in columns),
        outputs=tuple(Column(name=name, kind=kind) for name in (PREDICTION, LABEL)),
        classes=classes,
    )


def outcomes(
    prediction: Categories | Floats, label: Categories | Floats, *, score: float = np.nan, probabilities: Floats | None = None
) -> Outcomes:
    n = len(label)
    same = Categories.of(["1"] * n)
    return Outcomes(
        ts=np.arange(n),
        version=same,
        role=same,
        dimensions={},
        prediction=prediction,
        label=label,
        score=np.full(n, score),
        probabilities=probabilities,
    )


def texts(values: Categories) -> list[str]:
    return [values.texts[code] for code in values.codes]


def test_columns_follow_their_names() -> None:
    """Order and kinds change, a new column is null, reserved meanings stay."""
    source = contract(("a", Kind.NUMERIC), ("b", Kind.CATEGORICAL), ("c", Kind.NUMERIC), classes=("x", "y"))
    target = contract(
        ("new", Kind.NUMERIC), ("c", Kind.CATEGORICAL), ("b", Kind.NUMERIC), ("fresh", Kind.CATEGORICAL), classes=("y", "z", "x")
    )
    block = Predictions(
        id=np.array(["1", "2", "3"], object),
        ts=np.arange(3),
        version=Categories.of(["1"] * 3),
        role=Categories.of(["r"] * 3),
        prediction=Categories.of(["x", "y", "x"]),
        score=np.full(3, np.nan),
        probabilities=np.array([[0.1, 0.9]] * 3),
        numbers=(np.zeros(3), np.array([5.0, np.nan, np.inf])),
        texts=(Categories.of(["7", "null", "word"]),),
        extra=np.array([""] * 3, object),
        position=np.ones(3, np.int64),
        row=np.arange(3),
        logged=np.zeros(3, np.int64),
    )
    moved = convert(block, source, target)
    np.testing.assert_array_equal(moved.numbers[0], [np.nan] * 3)
    np.testing.assert_array_equal(moved.numbers[1], [7, np.nan, np.inf])
    assert texts(moved.texts[0]) == ["5", "null", "invalid"]
    assert texts(moved.texts[1]) == ["null"] * 3
    np.testing.assert_array_equal(moved.probabilities, [[0.9, np.nan, 0.1]] * 3)
    assert convert(block, source, source) is block


def test_probabilities_follow_their_classes() -> None:
    """A class that comes or goes moves no other class's; a row keeps its scores for those that it has."""
    source = contract(classes=("a", "b", "d"))
    block = outcomes(Categories.of(["a", "b"]), Categories.of(["a", "d"]), probabilities=np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3]]))
    for classes, held in {
        ("a", "b", "c", "d"): [[0.7, 0.2, np.nan, 0.1], [0.2, 0.5, np.nan, 0.3]],
        ("a", "b", "c"): [[0.7, 0.2, np.nan], [0.2, 0.5, np.nan]],
        ("b", "d"): [[0.2, 0.1], [0.5, 0.3]],
    }.items():
        target = contract(("x", Kind.NUMERIC), classes=classes)
        moved = convert_outcomes(block, source, target)
        np.testing.assert_array_equal(moved.probabilities, held)
        np.testing.assert_array_equal(scores(target, moved), held)
        assert PerformanceSummary.of(target, Segments(target), moved).to_columns()["n"].to_pylist() == [2]
    assert convert_outcomes(block, source, source) is block


def test_probabilities_follow_a_class_that_was_written_otherwise() -> None:
    """Of two classes that are one now, whichever has a probability."""
    source, target = contract(classes=("0", "0.0", "1.0")), contract(("x", Kind.NUMERIC), classes=("0", "1"))
    block = outcomes(
        Categories.of(["0", "1"]), Categories.of(["0", "1"]), probabilities=np.array([[np.nan, 0.2, 0.8], [0.4, np.nan, np.nan]])
    )
    np.testing.assert_array_equal(convert_outcomes(block, source, target).probabilities, [[0.2, 0.8], [0.4, np.nan]])


def test_a_score_follows_the_positive_class() -> None:
    """With the other class as the positive one it is the rest to 1; another text for the same class changes nothing, nor does another name for one of
    the two, for the other tells which it is. Where both have other names nobody knows.
    """
    block = outcomes(Categories.of(["1", "0"]), Categories.of(["1", "1"]), score=0.75)
    for (before, classes_before), (after, classes), score in (
        (("1", ("0", "1")), ("0", ("0", "1")), 0.25),
        (("1", ("0", "1")), ("1.0", ("0.0", "1.0")), 0.75),
        (("dog", ("cat", "dog")), ("wolf", ("cat", "wolf")), 0.75),
        (("dog", ("cat", "dog")), ("cat", ("cat", "wolf")), 0.25),
        (("dog", ("cat", "dog")), ("wolf", ("dog", "wolf")), 0.25),
        (("dog", ("cat", "dog")), ("dog", ("dog", "wolf")), 0.75),
        (("yes", ("no", "yes")), ("1", ("0", "1")), np.nan),
    ):
        source = msgspec.structs.replace(contract(classes=classes_before, task=Task.BINARY), positive=before)
        target = msgspec.structs.replace(source, version=2, positive=after, classes=classes)
        np.testing.assert_array_equal(convert_outcomes(block, source, target).score, [score] * 2)


def test_another_task_reads_the_same_outputs() -> None:
    """Numbers are classes by their texts and back; the score is the positive class's probability, as far as that was kept."""
    classes, numbers = contract(classes=("0", "1")), contract(task=Task.REGRESSION)
    binary = contract(classes=("0", "1"), task=Task.BINARY)
    block = outcomes(np.array([1.0, 2.5]), np.array([0.0, np.nan]))
    moved = convert_outcomes(block, numbers, classes)
    assert isinstance(moved.prediction, Categories)
    assert isinstance(moved.label, Categories)
    assert (texts(moved.prediction), texts(moved.label)) == (["1", "2.5"], ["0", "null"])
    assert len(PerformanceSummary.of(classes, Segments(classes), moved).to_columns())
    back = convert_outcomes(outcomes(Categories.of(["1", "x"]), Categories.of(["0", "1"])), classes, numbers)
    np.testing.assert_array_equal([back.prediction, back.label], [[1, np.inf], [0, 1]])
    rows = outcomes(Categories.of(["1", "0"]), Categories.of(["1", "1"]), probabilities=np.array([[0.2, 0.8], [0.6, 0.4]]))
    np.testing.assert_array_equal(convert_outcomes(rows, classes, binary).score, [0.8, 0.4])
    np.testing.assert_array_equal(convert_outcomes(outcomes(rows.prediction, rows.label, score=0.8), binary, classes).score, [np.nan] * 2)
    assert convert_outcomes(rows, classes, binary).probabilities is None
