"""The subject and the age of an episode, as texts that are the same wherever it is listed."""

from __future__ import annotations

from collections.abc import Iterable

from core import text
from core.episode import Episode
from core.measure import Family, Measures
from core.monitor import Monitor
from core.segment import ALL
from dashboard import texts as word
from dashboard.state import PageState, address


def what(one: Episode, measures: Measures) -> str:
    """Measure and column."""
    return measures[one.measure].title + (f" of {one.column}" if one.column else "")


def subject(one: Episode, measures: Measures) -> str:
    """Measure, column and segment."""
    return what(one, measures) + ("" if one.segment == ALL else f" in {text.unquote(one.segment)}")


def of_groups(one: Episode) -> bool:
    """Whether its column is an attribute, whose groups are compared."""
    return one.measure.startswith(f"{Family.FAIRNESS}.")


def page_of(one: Episode, column: str, state: PageState) -> str:
    """The address of the page that shows a column of an episode's measure: Fairness shows attributes. The model's page, if there is no column. It leads back to the episode."""
    state = state.but(episode=one.id)
    if of_groups(one):
        return address("models", one.model, "fairness", state=state.but(by=column))
    return address("models", one.model, *(["columns", column] if column else []), state=state)


def standing(one: Episode, monitors: Iterable[Monitor]) -> str:
    """A text if the monitor of an open episode is paused; else empty."""
    paused = any(not monitor.enabled for monitor in monitors if (monitor.model, monitor.name) == (one.model, one.monitor))
    return "Paused" if paused and one.ended_at is None else ""


def life(one: Episode) -> str:
    """Since when it is open, and for how long by the clock; if it has ended, how long it lasted in event time."""
    if one.ended_at is None:
        return f"open since {word.instant(one.started_at)}, {word.ago(one.started_at)}"
    return f"{word.instant(one.started_at)} to {word.instant(one.ended_at)}, lasted {word.span(one.ended_at - one.started_at)}"
