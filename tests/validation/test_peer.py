"""What another library is asked about, and for which streams a promise is made."""

from __future__ import annotations

import numpy as np
import pytest

from core.block import Categories
from core.text import NULL
from validation.alarm import Tally
from validation.peer import rows
from validation.replicate import day_effects, resampled
from validation.stream import Population


@pytest.mark.parametrize("n", [3, 20])
def test_a_peer_gets_the_rows_that_panes_count(n: int) -> None:
    """Also where windows are given by how often each row is in them. A missing text is null."""
    texts = Categories(np.array([0, 1, 2, 1, 0], np.int32), ["a", NULL, "b"])
    population = Population.of("few", {"c": texts, "@prediction": np.array([1.0, 2.0, np.nan, 4.0, 5.0])})
    one = resampled(population, n).replicate(np.random.default_rng(1), 4)
    given = rows(one, one.windows, window=True).to_pandas()
    counts = one.windows.counts(np.arange(len(population)), len(population))
    assert given.groupby("window").size().tolist() == [n] * 4
    for window, held in given.groupby("window"):
        assert held["c"].isna().sum() == counts[window, [1, 3]].sum()
        assert (held["c"] == "a").sum() == counts[window, [0, 4]].sum()
        assert [(held["@prediction"] == x).sum() for x in (1, 2, 4, 5)] == counts[window, [0, 1, 3, 4]].tolist()


def test_nothing_is_promised_where_days_depend_on_one_another() -> None:
    """Of days that are correlated, and of whole weeks, the future resembles the reference only by chance."""

    def dependent(name: str) -> bool:
        return Tally(name, "1").dependent

    assert [dependent(day_effects(correlation).name) for correlation in (0.0, 0.7, 0.95)] == [False, True, True]
    assert dependent("taxi, weeks resampled")
    assert dependent("bikes, blocks of four weeks resampled")
    assert not dependent("taxi, days permuted")
