"""Names of bins are short for people, tell bins apart, and are true."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from core import bin_text
from core.contract import Column, Kind
from detectors.contribution import bin_names, interval
from detectors.summary.bins import edges


@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_bins_of_a_column_are_told_apart(precision: type[np.floating[Any]]) -> None:
    """Of a reference with frequent values and others close to one another: no two bins have one text."""
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(40, 8, 4_000).round(2), np.full(900, 48.02), rng.normal(1e-7, 1e-9, 900), 1 + np.arange(300) * 1e-12])
    column = Column(name="temp", kind=Kind.NUMERIC, edges=edges(x.astype(precision).astype(np.float64), precision))
    for said in (bin_text.written, bin_text.words):
        texts = [said(name) for name in bin_names(column)]
        assert len(set(texts)) == len(texts)
    assert any(bin_text.written(name).startswith("(48.02,") for name in bin_names(column))
    assert "48.02" in map(bin_text.written, bin_names(column))
    assert not any("48.020000" in bin_text.written(name) for name in bin_names(column))


def test_brackets_say_whether_the_written_number_is_in_the_bin() -> None:
    """The numbers that are written at the ends of an interval are in it exactly if the bracket says so."""
    cuts = [0.1, float(np.nextafter(0.1, 1)), 0.123456789, 0.3 - 1e-12, 48.02, float(np.nextafter(48.02, 50)), 1e6 + 0.26]
    for low, high in pairwise(cuts):
        said = bin_text.written(interval(repr(low), repr(high)))
        first, last = (float(end) for end in said[1:-1].split(","))
        assert (low <= first < high) == (said[0] == "["), said
        assert (low <= last < high) == (said[-1] == "]"), said


def test_other_names_stay() -> None:
    """Categories, also those that look like numbers, are shown as they were sent."""
    for name in ("EV", "0123456789012", "1.5", "[x,y)", "[1,2", "<script>", "", "2024-01-01,3", "null", "48.02"):
        assert bin_text.written(name) == bin_text.words(name) == name
    assert bin_text.of_slice("a%3Db") == "a=b"
    assert bin_text.of_slice("tag=x%2Cy,temp=[-inf%2C0.30000000000000004)") == "tag=x,y,temp=[-inf,0.3]"
