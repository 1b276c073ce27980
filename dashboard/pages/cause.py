"""The causes of an episode: one sentence, where it comes from, and what stands out there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import bin_text, text
from core.cause import Causes, ColumnCause, SegmentCause
from core.contract import LABEL, Contract
from core.episode import Episode
from core.error import ConfigError, Retryable
from core.measure import Family
from core.segment import ALL, grouping_of
from dashboard import components as piece
from dashboard import texts as word
from dashboard.aria import aria
from dashboard.away import again
from dashboard.event_filter import EventFilter
from dashboard.pages.events import said
from dashboard.panel import ask
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.subject import page_of

SHOWN = 5  # segments and columns
_EXAMPLES = 3
_ID = 40  # characters of the id of an event
_COUNTED = {"quality.null_rate": text.NULL, "quality.invalid_rate": text.INVALID, "quality.unseen_category_rate": "unseen"}
_ALL = (("all of them", ""), ("their largest errors", "worst"))
_WHOLE = 0.995  # share of a slice that is all of the window: where none of its rows differ, it says nowhere


async def causes(reader: Reader, id_: str, search: str) -> Any:
    """The panel. A segment of Where that is chosen filters What; `search` is the query string of the page."""
    one = await ask(reader.episode, id_)
    if one is None:
        return None
    state = PageState.of(search)
    chosen = "" if state.segment in (ALL, one.segment) else state.segment
    try:
        found: Causes | None = await ask(reader.cause_of, id_)
        within = await ask(reader.cause_of, id_, chosen) if chosen else found
    except (ConfigError, Retryable) as error:
        return piece.card("Where", piece.empty("No causes", str(error), *again(error)), level=3)
    if found is None or within is None:  # deleted just now
        return None
    contract: Contract | None = await ask(reader.contract, one.model)
    labelled = reader.measures[one.measure].matures

    def here(segment: str) -> str:
        return address("alerts", id_, state=state.but(segment=segment))

    return [
        html.P(found.sentence, className="why"),
        _rows(one, found, contract, labelled=labelled),
        _where([each for each in found.segments if each.certain or each.share < _WHOLE][:SHOWN], chosen, here),
        _what(one, within.columns[:SHOWN], chosen, contract, here, labelled=labelled),
        _foot(one, found, chosen),
    ]


def _where(segments: Sequence[SegmentCause], chosen: str, here: Callable[[str], str]) -> Component:
    most = max((one.contribution for one in segments), default=0.0)
    rows = [
        _bar(
            piece.link(
                piece.name(bin_text.of_slice(one.segment)),
                here(ALL if one.segment == chosen else one.segment),
                current=one.segment == chosen,
            ),
            one.contribution / most if most else 0.0,
            f"{_worth(one)}{word.share(one.share)} of rows, n {word.count(one.n)}{'' if one.certain else ', may be chance'}",
        )
        for one in segments
    ]
    note = "By share of rows times how much worse it is. Choose one to see what stands out there."
    body = (
        html.Ol(rows, className="causes")
        if rows
        else piece.empty("No segment stands out", "Each contributes as much as its share of rows.")
    )
    return piece.card("Where", body, note=note if rows else None, level=3)


def _what(
    one: Episode, columns: Sequence[ColumnCause], chosen: str, contract: Contract | None, here: Callable[[str], str], *, labelled: bool
) -> Component:
    """The columns, each with the bin in which most of it stands: the column leads to its page, the bin to its events, those with the largest error first if the measure is of rows with a label."""
    most = max((each.contribution for each in columns), default=0.0)
    segment = chosen if chosen and _held(contract, chosen) else one.segment
    state = PageState(segment=segment, measure=one.measure, monitor=one.monitor, window=one.window_start, episode=one.id)

    def link(column: str, name: str) -> str:
        inside, listed = _of_bin(chosen or one.segment, column, name, contract)
        return listed.but(order="worst" if labelled else "").address(one.model, _events(one, inside))

    rows = [
        _bar(
            piece.link(piece.name(each.column), page_of(one, each.column, state)),
            each.contribution / most if most else 0.0,
            _told(each, link),
        )
        for each in columns
    ]
    inside = (
        [f"Within {bin_text.of_slice(chosen)}. ", piece.link("Show all of the episode", here(ALL))]
        if chosen
        else "By how much of the change stands in few of its values. Below each column the values with most of it."
    )
    body = (
        html.Ol(rows, className="causes") if rows else piece.empty("No column stands out", "No rows to compare, or none of them differs.")
    )
    return piece.card("What", body, note=inside, level=3)


def _held(contract: Contract | None, segment: str) -> bool:
    """Whether panes hold a segment, so that a page can show it."""
    grouping = grouping_of(segment)
    return contract is not None and (grouping in contract.crosses or grouping in {(dimension.name,) for dimension in contract.dimensions})


def _listed(slice_: str, contract: Contract | None) -> tuple[str, EventFilter, bool]:
    """The segment of dimensions and the bin of a column to which a list of events is narrowed for a slice; and whether these are all of the slice."""
    dimensions = _dimensions(contract)
    parts = [part.partition("=")[::2] for part in slice_.split(",")] if slice_ != ALL else []
    segment = ",".join(f"{name}={value}" for name, value in parts if name in dimensions) or ALL
    others = [(name, value) for name, value in parts if name not in dimensions]
    known = {one.name: one for one in contract.summarised} if contract else {}
    if not others or others[0][0] not in known:
        return segment, EventFilter(), not others
    column, value = others[0]
    return segment, EventFilter(column=column, value=text.unquote(value) if known[column].numeric else value), len(others) == 1


def _of_bin(slice_: str, column: str, name: str, contract: Contract | None) -> tuple[str, EventFilter]:
    """The segment and the filter for the events of a slice that are in a bin of a column. Bins of a dimension are its segments: the `other` of these, and values that were taken up, are no bins of the column."""
    segment, listed, _ = _listed(slice_, contract)
    if column not in _dimensions(contract):
        return segment, EventFilter(column=column, value=name)
    return ",".join([*([] if segment == ALL else [segment]), f"{column}={name}"]), listed


def _dimensions(contract: Contract | None) -> set[str]:
    return {dimension.name for dimension in contract.dimensions} if contract else set()


def _events(one: Episode, segment: str) -> PageState:
    """The state of a list of events of the window, of the version of the model that the monitor watches."""
    version = one.definition.version or ""
    return PageState(segment=segment, version=version, start=one.window_start, end=one.window_end, episode=one.id)


def _bar(name: Any, part: float, said: Any) -> Component:
    width = {"width": f"{max(0.0, min(part, 1.0)):.1%}"}
    bar = html.Span(html.Span(className="part", style=width), className="bar-ground", **aria(hidden="true"))
    return html.Li([html.Div([name, bar], className="beside"), html.Span(said, className="faint under")])


def _worth(one: SegmentCause) -> str:
    if one.value is None:
        return ""
    return f"{word.number(one.value)}, " if one.baseline is None else f"{word.number(one.value)}, baseline {word.number(one.baseline)}, "


def _told(one: ColumnCause, link: Callable[[str, str], str]) -> list[Any]:
    """The bin that contributes most, as a link to its events if there are any; how much is missing, unless the bin says so; and the PSI."""
    top = max(one.bins, key=lambda each: each.contribution, default=None)
    top = None if top is None or top.contribution <= 0 or one.column == LABEL else top
    parts: list[Any] = []
    if top is not None:
        shares = f"{said(top.bin)}: {word.share(top.target)} of rows, baseline {word.share(top.baseline)}"
        parts.append(piece.link(piece.name(shares, 60), link(one.column, top.bin)) if top.target else shares)
    if (one.missing or one.missing_baseline) and (top is None or top.bin != text.NULL):
        first = 0 if top is not None and not top.target else len(parts)  # what is missing says more than a bin without a row
        parts.insert(first, f"missing {word.share(one.missing)}, baseline {word.share(one.missing_baseline)}")
    if one.psi is not None:
        parts.append(f"PSI {word.number(one.psi)}")
    spaced = [part for each in parts for part in (each, ", ")]
    return spaced[:-1] or ["none of its values has moved"]


def _rows(one: Episode, found: Causes, contract: Contract | None, *, labelled: bool) -> Component | None:
    """Links to the worst rows of the first slice, and to all of its events where a list can be narrowed to it: to dimensions, and to a bin of one other column.

    Of a measure of a column these are the rows in the bin of it that fails, whatever their slice, since nothing else is bad about them.
    `labelled`: the measure is of rows with a label. Only then the largest error is first, because a list in that order has no event without a label.
    """
    if not found.examples:
        return None
    if (own := _failing(one, found)) is not None:
        segment, listed = _of_bin(one.segment, one.column, own, contract)
        state = _events(one, segment)
        ways = [piece.link(words, listed.but(order=order).address(one.model, state)) for words, order in _ALL]
        about = f"Rows where {word.cut(one.column, 40)} is {word.cut(said(own), 40)}"
        return _line(about, one, found, listed, state, [ways[0], " · ", ways[1]])
    first = found.segments[0].segment if found.segments else one.segment
    segment, listed, whole = _listed(first, contract)
    state = _events(one, segment)
    listed = listed.but(order="worst" if labelled else "")
    every = [piece.link(f"all of {bin_text.of_slice(first)}", listed.address(one.model, state))] if whole else []
    return _line("Worst rows", one, found, listed, state, every)


def _line(about: str, one: Episode, found: Causes, listed: EventFilter, state: PageState, after: Sequence[Any]) -> Component:
    """A link to each of the first examples, and what else there is."""
    names = [piece.link(piece.name(name, _ID), listed.address(one.model, state, name)) for name in found.examples[:_EXAMPLES]]
    spaced = [part for name in names for part in (", ", name)][1:]
    return html.P([f"{about}: ", *spaced, *([" · ", *after] if after else [])], className="next")


def _failing(one: Episode, found: Causes) -> str | None:
    """The bin of the episode's own column that its rows are in: the one that a rate counts, for drift the one that most of its rows have moved to. None for other measures."""
    if one.measure in _COUNTED:
        return _COUNTED[one.measure]
    own = found.columns[0] if found.columns else None
    if own is None or not one.column or own.column != one.column or own.column == LABEL or not one.measure.startswith(Family.DRIFT):
        return None
    return None if own.grown is None else own.grown.bin


def _foot(one: Episode, found: Causes, chosen: str) -> Component:
    query = PageState(segment=chosen).query if chosen else ""
    drawn = f" From {word.count(found.rows)} rows that were drawn of {word.count(found.n)}." if 0 < found.rows < found.n else ""
    return html.P([html.A("JSON", href=f"/v1/episodes/{one.id}/cause{query}", target="_blank", rel="noopener"), drawn], className="faint")
