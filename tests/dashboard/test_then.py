"""A page shows what was known at an earlier time."""

from __future__ import annotations

from typing import Any

import pytest

from core.event_query import EventQuery
from core.reading import Query
from core.trial import Trial
from dashboard import export
from dashboard.state import PageState
from dashboard.then import reader_of


class Asked:
    """A reader that answers with what it is asked."""

    def __getattr__(self, name: str) -> Any:
        return lambda *given: (name, *given)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("readings", (Query(model="m"),)),
        ("ranking", (Query(model="m"),)),
        ("events", (EventQuery(model="m"),)),
        ("event_counts", (EventQuery(model="m"), 60)),
        ("beside", (EventQuery(model="m"), {})),
    ],
)
def test_readings_and_events_are_those_of_then(method: str, given: tuple[Any, ...]) -> None:
    """With `as_of` in the address each question has it; without it none has."""
    then, now = (getattr(reader_of(Asked(), PageState.of(search)), method)(*given) for search in ("?as_of=2026-01-02", ""))
    assert (then[0], then[1].as_of, then[2:]) == (method, 1_767_312_000_000_000, given[1:])
    assert now == (method, *given)


def test_all_else_is_asked_as_it_is() -> None:
    """What is computed now, and all other questions."""
    reader: Any = reader_of(Asked(), PageState(as_of=5))
    trial = Trial({}, None, None, None)
    assert reader.ranking(trial) == ("ranking", trial)
    assert reader.models() == ("models",)


def test_the_time_stays_in_the_address() -> None:
    """Of all pages of a model, and of the file of readings."""
    state = PageState.of("?as_of=2026-01-02T03:04:05Z&sort=n&as_off=1")
    assert PageState.of(state.shared.query) == PageState(as_of=state.as_of)
    assert export.parse(dict(one.split("=") for one in export.search(Query(model="m", as_of=state.as_of)).split("&"))).as_of == state.as_of
    assert PageState.of("?as_of=then").notices[0].startswith("as_of: 'then'")
