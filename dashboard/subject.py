"""What an episode is about and how old it is, said alike wherever it is listed."""

from __future__ import annotations

from core import text
from core.episode import Episode
from core.segment import ALL
from dashboard import word


def subject(one: Episode) -> str:
    """Measure, column and segment."""
    of = f" of {one.column}" if one.column else ""
    return f"{word.title(one.measure)}{of}" + ("" if one.segment == ALL else f" in {text.unquote(one.segment)}")


def life(one: Episode) -> str:
    """Since when it is open and how long that is by the clock; how long it lasted, in event time, where it has ended."""
    if one.ended_at is None:
        return f"open since {word.instant(one.started_at)}, {word.ago(one.started_at)}"
    return f"{word.instant(one.started_at)} to {word.instant(one.ended_at)}, lasted {word.span(one.ended_at - one.started_at)}"
