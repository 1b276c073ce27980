"""What an episode is about and how old it is, said alike wherever it is listed."""

from __future__ import annotations

from core import text
from core.episode import Episode
from core.measure import Measures
from core.segment import ALL
from dashboard import word


def what(one: Episode, measures: Measures) -> str:
    """Measure and column."""
    return measures[one.measure].title + (f" of {one.column}" if one.column else "")


def subject(one: Episode, measures: Measures) -> str:
    """Measure, column and segment."""
    return what(one, measures) + ("" if one.segment == ALL else f" in {text.unquote(one.segment)}")


def life(one: Episode) -> str:
    """Since when it is open and how long that is by the clock; how long it lasted, in event time, where it has ended."""
    if one.ended_at is None:
        return f"open since {word.instant(one.started_at)}, {word.ago(one.started_at)}"
    return f"{word.instant(one.started_at)} to {word.instant(one.ended_at)}, lasted {word.span(one.ended_at - one.started_at)}"
