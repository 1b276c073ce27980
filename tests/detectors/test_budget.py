"""What a budget allows, on p-values of windows in which nothing moved."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.budget import Allowed, allowance


def test_it_is_the_smallest_p_of_as_many_windows_as_may_alarm() -> None:
    """Of N windows the floor(r (N + 1))-th smallest of their smallest p-values."""
    p = np.random.default_rng(1).random((299, 7))
    found = allowance(p, np.arange(299), Allowed(1, 30, 1), (1, 1))
    assert found.p == np.sort(p.min(1))[9]
    assert (found.expected, found.blocks, found.extrapolated) == (10 / 300, 299, False)
    assert allowance(p[:, :1], np.arange(299), Allowed(999, 1_000, 1), (1, 1)).p == p[:, 0].max()


def test_a_short_reference_leaves_it_to_the_law() -> None:
    """29 windows allow one alarm in thirty, 28 do not: then all series together have that chance under the law of p-values."""
    p = np.random.default_rng(2).random((29, 5))
    assert allowance(p, np.arange(29), Allowed(1, 30, 1), (1, 1)).p == p.min()
    found = allowance(p[1:], np.arange(28), Allowed(1, 30, 1), (1, 1))
    assert (found.extrapolated, found.expected) == (True, 1 / 30)
    assert 1 - (1 - found.p) ** 5 == pytest.approx(1 / 30)
    empty = allowance(np.full((40, 2), np.nan), np.arange(40), Allowed(1, 30, 1), (1, 1))
    assert empty.p == pytest.approx(1 / 30)
    assert (empty.blocks, empty.extrapolated) == (0, True)


def test_windows_of_a_block_alarm_together() -> None:
    """24 hourly windows are one day, and one alarm."""
    p = np.full((24 * 60, 3), 0.5)
    p[24 * 7 : 24 * 8] = 0.01
    p[24 * 9 : 24 * 9 + 3] = 0.02
    found = allowance(p, np.arange(24 * 60) // 24, Allowed(2, 61, 1), (1, 1))
    assert (found.p, found.blocks) == (0.02, 60)
    assert allowance(p, np.arange(24 * 60) // 24, Allowed(1, 61, 1), (1, 1)).p == 0.01


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (3, 3)])
def test_persistence_counts(m: int, n: int) -> None:
    """The threshold is that of the whole chain: as many windows alarm as may, and with the next p-value more would."""
    draw = np.random.default_rng(3)
    p = draw.random((400, 4)) ** 2

    p[draw.random(p.shape) < 0.1] = np.nan  # windows that could not be judged do not count

    def alarms(x: float) -> int:
        alarmed = set[int]()
        for one in range(4):
            judged = np.flatnonzero(~np.isnan(p[:, one]))
            breach = p[judged, one] <= x
            alarmed |= {int(judged[end]) for end in range(len(judged)) if breach[end] and breach[max(0, end - n + 1) : end + 1].sum() >= m}
        return len(alarmed)

    found = allowance(p, np.arange(400), Allowed(1, 20, 1), (m, n))
    following = np.sort(p[p > found.p])[0]
    assert alarms(found.p) <= 20
    assert found.expected == alarms(found.p) / 401
    assert m > 1 or alarms(following) > alarms(found.p) == 20
    assert alarms(np.sort(p[p < found.p])[-1]) < alarms(found.p)


def test_equal_p_values_that_would_alarm_too_often_do_not_alarm() -> None:
    """If even the smallest one is too common, the law of p-values decides, below it: of columns that never had a null the first null is no alarm."""
    common = allowance(np.full((100, 1), 0.03), np.arange(100), Allowed(1, 20, 1), (1, 1))
    assert (common.p, common.extrapolated) == (np.nextafter(0.03, 0), True)
    never = allowance(np.ones((100, 3)), np.arange(100), Allowed(1, 20, 1), (1, 1))
    assert 1 - (1 - never.p) ** 3 == pytest.approx(1 / 20)
    assert allowance(np.zeros((100, 1)), np.arange(100), Allowed(1, 20, 1), (1, 1)).p == 0


def test_every_window_of_a_block_is_a_test_where_the_law_decides() -> None:
    """A day of 24 hourly windows alarms with the probability that is allowed for the day. A budget of a window a block allows everything."""
    p = np.random.default_rng(5).random((24 * 20, 5))
    found = allowance(p, np.arange(24 * 20) // 24, Allowed(1, 30, 1, 24), (1, 1))
    assert 1 - (1 - found.p) ** (24 * 5) == pytest.approx(1 / 30)
    assert allowance(np.full((3, 2), np.nan), np.arange(3), Allowed(2, 1, 1), (1, 1)).p == 1.0


def test_the_number_of_blocks_that_may_alarm_is_counted_in_whole_numbers() -> None:
    """(48 + 1) / 49 is one."""
    p = np.random.default_rng(6).random((48, 1))
    assert allowance(p, np.arange(48), Allowed(1, 49, 1), (1, 1)).p == p.min()


def test_the_promise_holds_for_new_windows() -> None:
    """Of many lives with exchangeable windows the next window alarms in at most the share that is allowed, whatever the law of the p-values."""
    draw, lives, alarmed = np.random.default_rng(4), 2_000, 0
    for _ in range(lives):
        p = draw.beta(0.3, 2, (60, 3)).min(1, keepdims=True)
        alarmed += bool(p[-1] <= allowance(p[:-1], np.arange(59), Allowed(1, 20, 1), (1, 1)).p)
    assert alarmed / lives == pytest.approx(1 / 20, abs=0.015)
