"""Which events a page lists: the filters of its address, beside the state that all pages of a model share."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, get_args
from urllib.parse import parse_qsl, quote, urlencode

from core import moment
from core.event_query import EventQuery, Label, Order
from core.segment import ALL
from core.window.tumbling import Tumbling
from dashboard.control import step_of
from dashboard.panel import ask
from dashboard.period import period
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.view_model import ModelView

LABELS: dict[Label, str] = {"known": "with a label", "unknown": "unlabelled", "wrong": "wrong"}
ORDERS: dict[Order, str] = {"newest": "Newest", "oldest": "Oldest", "worst": "Largest error"}
WRONG = "Wrong first"  # what "Largest error" is for classes, whose error is 0 or 1
OUTSIDE = "out of range"  # a name beside those of bins


@dataclass(frozen=True)
class EventFilter:
    """The filters; "" is none. `value` is the name of a bin of `column`, an interval `[a,b)` or `out of range`."""

    column: str = ""
    value: str = ""
    label: str = ""
    role: str = ""
    order: str = ""

    @classmethod
    def of(cls, search: str) -> EventFilter:
        """Read a query string; what it cannot mean is left out."""
        given = dict(parse_qsl(search.removeprefix("?")))
        found = {one.name: given[one.name] for one in fields(cls) if given.get(one.name)}
        if found.get("label") not in LABELS:
            found.pop("label", None)
        if found.get("order") not in ORDERS:
            found.pop("order", None)
        return cls(**found)

    def but(self, **changes: str) -> EventFilter:
        """The same with some parts changed."""
        return replace(self, **changes)

    def address(self, model: str, state: PageState, *event: str) -> str:
        """The address of the list of events, or of one event in it."""
        pairs = {name: value for name, value in vars(self).items() if value and (name, value) != ("order", "newest")}
        shared, own = state.shared.query, urlencode(pairs, quote_via=quote, safe=":")
        search = "&".join(part for part in (shared.removeprefix("?"), own) if part)
        return address("models", model, "events", *event) + (f"?{search}" if search else "")

    async def query(self, reader: Reader, view: ModelView, state: PageState) -> EventQuery:
        """What is asked of the reader. Raises ConfigError for a column or bin that is not there."""
        start, end = span(view, state)
        model, whole = view.row.model, bool(self.column and self.value)
        values = await ask(reader.values, model, self.column, self.value) if whole else None
        label, order = next((one for one in get_args(Label) if one == self.label), None), self.order or "newest"
        return EventQuery(
            model=model,
            start=start,
            end=end,
            segment=state.segment,
            column=self.column if whole else None,
            values=values,
            version=state.version or None,
            role=self.role or None,
            label=label,
            order=next(one for one in get_args(Order) if one == order),
        )

    def search(self, model: str, state: PageState, span: tuple[int, int]) -> str:
        """The same as `GET /v1/events` takes it, without `?`."""
        pairs: dict[str, Any] = {"model": model, "from": moment.text(span[0]), "to": moment.text(span[1])}
        pairs |= {"as_of": moment.text(state.as_of)} if state.as_of is not None else {}
        pairs |= {"segment": state.segment} if state.segment != ALL else {}
        pairs |= {"column": self.column, "bin": self.value} if self.column and self.value else {}
        pairs |= {"version": state.version} if state.version else {}
        pairs |= {name: value for name in ("role", "label", "order") if (value := getattr(self, name))}
        return urlencode(pairs, quote_via=quote, safe=":@")


def span(view: ModelView, state: PageState) -> tuple[int, int]:
    """The span whose events are listed: an absolute period as it is, else the selected window, else the period."""
    if state.start is not None or state.end is not None:
        over = period(view.row, state.but(window=None), Tumbling(moment.MINUTE))
        return (over.start if state.start is None else state.start), (over.end if state.end is None else state.end)
    if state.window is not None:
        return state.window, state.window + step_of(view, state)
    over = period(view.row, state, Tumbling(moment.DAY))
    return over.start, over.end
