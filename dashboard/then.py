"""What a page reads when it is to show what was known at an earlier time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec
import pyarrow as pa

from core.event_query import EventCounts, EventQuery
from core.reading import Query
from core.trial import Trial
from dashboard.ports import Reader
from dashboard.state import PageState

_Q = TypeVar("_Q", Query, EventQuery)
NOTE = "Stored readings and lists of events are as they were known then. All else on the page, such as distributions and what is computed now, is of what is known today."


def reader_of(reader: Reader, state: PageState) -> Reader:
    """The reader, which answers readings and lists of events as they were known at the state's `as_of`, if it has one."""
    return reader if state.as_of is None else cast("Reader", _Then(reader, state.as_of))


class _Then:
    """A reader whose readings and events are those of a time; everything else is asked as it is."""

    def __init__(self, reader: Reader, at: int) -> None:
        self._reader, self._at = reader, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def readings(self, query: Query) -> pa.Table:
        return self._reader.readings(self._of_then(query))

    def ranking(self, asked: Query | Trial) -> pa.Table:
        return self._reader.ranking(self._of_then(asked) if isinstance(asked, Query) else asked)

    def events(self, asked: EventQuery) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        return self._reader.events(self._of_then(asked))

    def event_counts(self, asked: EventQuery, step: int) -> EventCounts:
        return self._reader.event_counts(self._of_then(asked), step)

    def beside(self, asked: EventQuery, event: Mapping[str, Any]) -> tuple[str | None, str | None]:
        return self._reader.beside(self._of_then(asked), event)

    def _of_then(self, asked: _Q) -> _Q:
        return msgspec.structs.replace(asked, as_of=self._at)
