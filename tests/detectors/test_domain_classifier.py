"""The domain classifier: rows that differ are told apart, rows of one law are not, and its interval covers."""

from __future__ import annotations

import pickle
from multiprocessing.context import SpawnProcess
from typing import Any

import numpy as np
import pytest

from core.draw import digests, drawn, folds
from core.error import ConfigError, Retryable
from detectors.drift.domain_classifier import separate
from detectors.interval import hanley_mcneil
from detectors.performance.dle import expected, known
from detectors.sample import FOLDS, Separated
from watchkeeper.scheduling.training import _HELD, Training, _Received

RNG = np.random.Generator(np.random.PCG64(5))


def rows(many: int = 1_500) -> tuple[Any, Any, Any]:
    """Rows of four columns, with missing values, an even half of them `moved`, and folds."""
    x = RNG.normal(size=(many, 4))
    x[RNG.random(x.shape) < 0.1] = np.nan
    return x, np.arange(many) % 2 == 0, RNG.integers(0, FOLDS, many)


def test_rows_of_one_law_are_not_told_apart() -> None:
    """The area is about a half: out of fold, trees gain nothing from what they have learned by heart."""
    x, moved, fold = rows()
    found = separate(x, moved, fold)
    low, high = hanley_mcneil(np.array(found.auc), np.array(750.0), np.array(750.0))
    assert low < 0.5 < high


def test_a_change_of_one_column_and_one_of_two_together_are_found_and_named() -> None:
    """The second shows in no column alone."""
    x, moved, fold = rows()
    alone, both = x.copy(), x.copy()
    alone[moved, 2] += 1.5
    both[moved, 1] = both[moved, 0]
    found = separate(alone, moved, fold)
    assert found.auc > 0.7
    assert int(found.importance.argmax()) == 2
    found = separate(both, moved, fold)
    assert found.auc > 0.7
    assert {*np.argsort(-found.importance)[:2].tolist()} == {0, 1}


def test_the_same_rows_give_the_same_value() -> None:
    """To the last digit."""
    x, moved, fold = rows(400)
    first, again = separate(x, moved, fold), separate(x.copy(), moved, fold)
    assert first.auc == again.auc
    assert first.importance.tolist() == again.importance.tolist()


def test_rows_of_one_side_only_have_no_area() -> None:
    """There is nothing to tell, and no fold fails."""
    x, moved, fold = rows(100)
    assert np.isnan(separate(x, np.zeros_like(moved), fold).auc)
    assert np.isnan(separate(x, moved, np.zeros_like(fold)).auc)


def test_the_interval_covers_the_area_of_normal_scores() -> None:
    """In 93 % to 97 % of samples, also of an area near 1; and it is within [0, 1] always."""
    for shift, area in ((0.0, 0.5), (0.8, 0.714196), (2.0, 0.921350)):
        held = []
        for _ in range(1_000):
            a, b = RNG.normal(shift, 1, 40), RNG.normal(0, 1, 80)
            value = np.array((a[:, None] > b).mean())
            low, high = hanley_mcneil(value, np.array(40.0), np.array(80.0))
            assert 0 <= low <= value <= high <= 1
            held.append(low <= area <= high)
        assert 0.93 <= np.mean(held) <= 0.98


def test_rows_are_drawn_by_their_ids_in_whatever_order_they_come() -> None:
    """So is the fold of each."""
    ids = np.array([f"id-{number}" for number in range(500)], object)
    order = RNG.permutation(500)
    assert sorted(ids[drawn(ids, 50)]) == sorted(ids[order][drawn(ids[order], 50)])
    assert folds(ids, 5)[order].tolist() == folds(ids[order], 5).tolist()
    assert digests(["a"]).tolist() == [[0x0CC175B9C0F1B6A8, 0x31C399E269772661]]


@pytest.mark.usefixtures("no_sklearn")
def test_without_scikit_learn_the_message_says_what_to_do() -> None:
    """The monitor's problem names the package to install."""
    with pytest.raises(ConfigError, match=r"needs scikit-learn.*install `watchkeeper\[server\]`"):
        separate(*rows(100))


@pytest.mark.parametrize("values", [0, 1, 5])
def test_a_column_of_nulls_tells_nothing(values: int) -> None:
    """Not even if it has values in one fold, which the trees of that fold have never seen; the other columns tell what they tell without it."""
    x, moved, fold = rows(400)
    x[moved, 0] += 1.5
    nulls = np.full(len(x), np.nan)
    nulls[np.flatnonzero(fold == 2)[:values]] = 7.0
    without, found = separate(x, moved, fold), separate(np.column_stack([nulls, x]), moved, fold)
    assert found.importance[0] == pytest.approx(0, abs=0.02 if values else 0)
    assert found.auc == (pytest.approx(without.auc, abs=0.05) if values else without.auc)
    assert separate(x[:, :1] * np.nan, moved, fold).auc == 0.5


def test_columns_are_named_however_many_rows_come_first() -> None:
    """A fold of 4,800 rows, of which the first 2,400 are of the window, has rows of both sides among those that are permuted."""
    x, moved = RNG.normal(size=(24_000, 2)), np.arange(24_000) < 12_000
    x[moved, 1] += 1
    found = separate(x, moved, RNG.integers(0, FOLDS, len(x)))
    assert found.importance[1] > 0.2
    assert abs(found.importance[0]) < 0.02


@pytest.mark.slow
def test_a_process_of_its_own_trains_and_is_started_again() -> None:
    """It gives what this process gives; if it is killed, the call says so, and the next one works; after `close` there is none."""
    training = Training()
    asked = rows(400)
    try:
        found = training(separate, *asked)
        assert isinstance(found, Separated)
        assert found.auc == separate(*asked).auc
        assert training._process is not None
        training._process.kill()
        training._process.join()
        assert training(separate, *asked).auc == found.auc
    finally:
        training.close()
    with pytest.raises(Retryable, match="about to end"):
        training(separate, *asked)


def test_what_many_calls_share_is_sent_once() -> None:
    """As long as the process has it: of much, it keeps what was used last."""
    training, received, sizes = Training(), _Received(), list[int]()
    every = [known(RNG.normal(size=(500, 3)), RNG.random(500), np.zeros(500, np.int64)) for _ in range(_HELD + 1)]
    for data in (every[0], every[0], *every[1:], every[1], every[0]):
        sent = pickle.dumps(training._sent(data))
        sizes.append(len(sent))
        assert np.array_equal(received(pickle.loads(sent)).x, data.x)  # noqa: S301 - its own
    large = [size > 10_000 for size in sizes]
    assert large == [True, False, *[True] * _HELD, False, True]
    assert len(received._held) == _HELD


@pytest.mark.slow
def test_trees_that_learn_from_shared_rows_give_the_same_in_a_process_of_their_own() -> None:
    """Also when the process was started again, and has nothing any more."""
    training, data = Training(), known(RNG.normal(size=(300, 3)), RNG.random(300), np.arange(300) % FOLDS)
    x = RNG.normal(size=(20, 3))
    try:
        for _ in range(2):
            for _ in range(2):
                assert np.array_equal(training(expected, data, x).each, expected(data, x).each)
            assert training._process is not None
            training._process.kill()
            training._process.join()
    finally:
        training.close()


def test_a_process_that_does_not_start_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the machine is short of memory: each call says so, and closing works."""

    def refuse(_process: SpawnProcess) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", refuse)
    training = Training()
    for _ in range(2):
        with pytest.raises(Retryable, match="does not start"):
            training(separate, *rows(100))
    training.close()
