"""Features that a version of a model never sends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.block import Categories
from core.segment import Segments
from detectors.summary.inputs import InputSummary
from storage.facts.engine import Engine
from storage.facts.panes import Panes
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, HOUR, predictions


def test_the_features_that_a_version_never_sends_are_told(engine: Engine) -> None:
    """Null in each of its rows; a version of too few rows, and rows before the span, do not count."""
    writer, panes = Writer(engine), Panes(engine)
    block = predictions([f"e{place}" for place in range(8)])
    x, y = block.numbers
    block = replace(
        block,
        version=Categories(np.array([0, 1] * 3 + [2, 0], np.int32), ["1", "2", "3"]),
        numbers=(np.where(np.arange(8) % 2, np.nan, x), np.where(np.arange(8) == 7, np.nan, y)),
    )
    writer.panes([(CONTRACT, InputSummary.of(CONTRACT, Segments(CONTRACT), block).to_columns())], "b")
    assert panes.valueless(CONTRACT, (0, 7 * HOUR), 2) == {"1": frozenset(), "2": frozenset({"x"})}
    assert panes.valueless(CONTRACT, (7 * HOUR, 8 * HOUR), 1) == {"1": frozenset({"x", "y"})}
