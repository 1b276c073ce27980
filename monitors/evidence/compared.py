"""Reads nothing: comparisons are made of the readings and rows of two sides (`monitors.evaluation.comparison`), charts of the readings of another measure (`monitors.evaluation.charted`), and bets on rows as they were known when due (`monitors.evaluation.harmful`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from core.span import Spans
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Reads, Scope, at_once, no_fields

parts = at_once
fields = no_fields


def read(_reads: Reads, _extent: Extent, _column: str, _sides: Sequence[Sequence[Spans]]) -> NoReturn:
    """Never called."""
    raise AssertionError("it is made of readings")


def reference(_scope: Scope, _column: str) -> NoReturn:
    """Never called."""
    raise AssertionError("it is made of readings")
