"""Two sides of a model beside one another: windows, segments or versions, such as this week and the one before."""

from __future__ import annotations

from asyncio import gather
from dataclasses import dataclass
from typing import Any

import msgspec
from dash import html
from dash.development.base_component import Component

from core import bin_text, moment
from core.cause import CauseQuery
from core.error import ConfigError
from core.measure import Family, Judged, Measure, Subject
from core.monitor import Monitor
from core.segment import ALL
from core.window.kind import Window
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, segments, versions
from dashboard.pages.apart import apart
from dashboard.pages.head import there
from dashboard.panel import panel
from dashboard.picked import TARGETS
from dashboard.ports import Reader
from dashboard.rank import worse
from dashboard.series import choose
from dashboard.state import PageState
from dashboard.taken import Taken, of_window, readings, taken
from dashboard.view_model import ModelView, reach, view

_USUAL = "weekly"  # this week against the one before
_MOST = 14  # measures
_FAMILIES = (Family.PERFORMANCE, Family.UNCERTAINTY, Family.QUALITY, Family.SERVICE, Family.USER)
_AS_A = "-"  # in the lists of side B
# Windows of times outside of these begin or end where stores hold no time.
_FIRST, _LAST = moment.EARLIEST + 732 * moment.DAY, moment.LATEST - 732 * moment.DAY

Row = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """Rows of a model: the window that starts at `window`, in a segment, of a version ("" is all)."""

    state: PageState
    span: tuple[int, int]

    @property
    def words(self) -> str:
        """The side for people."""
        return ", ".join([reach(self.state), moment.period(*self.span), *([f"version {self.state.version}"] if self.state.version else [])])

    def key(self) -> tuple[str, str, tuple[int, int]]:
        """What makes it the side that it is."""
        return self.state.segment, self.state.version, self.span


async def sides(reader: Reader, name: str, search: str) -> Any:
    """The choice of side B, the measures of both, and what has moved between two windows. It takes seconds, because little of it is stored."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None or found.row.last_ts is None:
        return None
    state = state.but(target=state.target if state.target in TARGETS else _USUAL)

    def here(changed: PageState) -> str:
        return there(name, "compare", changed)

    wanted = _measures(found)
    if not wanted:
        return None
    a, b = _pair(found, wanted[0], state)
    chosen = _choices(found, state, a, b, here)
    if a.key() == b.key():
        return piece.card(
            "Side by side", [chosen, piece.empty("Both sides are the same", "Choose another window, segment or version for B.")]
        )
    # One measure after the other: threads are few, and all other answers need one, too.
    rows = [row for about in wanted if (row := await _row(reader, found, about, a, b)) is not None]
    if not rows:
        none = piece.empty("No reading", "No measure has a value on either side: there are no rows, or they cannot be computed.")
        return piece.card("Side by side", [chosen, none], note=f"A: {a.words}. B: {b.words}.")
    head = ("Measure", "A", "n", "B", "n", "A less B", "Which is better")
    table = piece.table(head, rows, caption="Measures of both sides", numbers=range(1, 6))
    note = f"A: {a.words}. B: {b.words}. Each value is that of all rows of its side: computed now, not stored, no alarms."
    parts: list[Any] = [piece.card("Side by side", [chosen, table], note=note)]
    if a.span != b.span and (a.state.segment, a.state.version) == (b.state.segment, b.state.version):
        parts += piece.several(await panel(_moved(reader, found, wanted[0], a, b), "moved"))
    return parts


def _measures(view: ModelView) -> list[Measure]:
    """The measures of the whole model: those that monitors take, else those of performance that the model can have."""
    watched = {one.measure for one in view.monitors}
    fit = [one for one in view.measures.values() if one.subject is Subject.MODEL and one.family in _FAMILIES and not one.of_stream]
    own = [one for one in fit if one.name in watched]
    own.sort(key=lambda one: _FAMILIES.index(one.family))
    return (own or [one for one in fit if one.family is Family.PERFORMANCE and one.fits(view.contract)])[:_MOST]


def _pair(view: ModelView, about: Measure, state: PageState) -> tuple[Side, Side]:
    """Side A is what the bar has selected, else the newest whole window. Side B differs by what was chosen for it, else it is the window before."""
    kind: Window = taken(view, about.name, state).monitor.window

    def of(time: int) -> tuple[int, int]:
        return kind.at(min(max(time, _FIRST), _LAST))

    last = (view.row.last_ts or 0) + 1
    end = last if state.end is None else min(state.end, last)
    at = of(state.window if state.window is not None else end - 1)
    if state.window is None and at[1] > end and of(at[0] - 1)[0] >= (view.row.first_ts or 0) // kind.step * kind.step:
        at = of(at[0] - 1)
    other = state.but(segment=state.b_segment or state.segment, version=state.b_version or state.version)
    if state.b_window is not None:
        to = of(state.b_window)
    elif state.b_segment or state.b_version:
        to = at
    else:
        to = of(at[0] - 1)
    return Side(state.but(window=at[0]), at), Side(other.but(window=to[0]), to)


def _choices(view: ModelView, state: PageState, a: Side, b: Side, here: Here) -> Component:
    """The windows of both sides, and where B differs. A is what the bar above has selected."""
    lengths = [(name, TARGETS[name][0]) for name in ("1d", "weekly", "monthly", "quarterly")]
    start, length = a.span[0], a.span[1] - a.span[0]
    steps = [
        ("the window before", start - 1, state.but(b_window=None, b_segment="", b_version="")),
        *(
            (words, start - days * moment.DAY, state.but(b_window=start - days * moment.DAY))
            for words, days in (("4 weeks before", 28), ("52 weeks before", 364))
            if length <= days * moment.DAY
        ),
    ]
    links = [(words, here(to), b.span[0] <= at < b.span[1]) for words, at, to in steps if at >= (view.row.first_ts or 0)]
    names = [(_AS_A, "as A"), *segments(view, state)]
    parts = [
        piece.select("target", "Windows", state.target, lengths, _USUAL, 130),
        piece.choice("B is", links) if links else None,
        piece.select("b_segment", "Segment of B", state.b_segment or _AS_A, names, _AS_A),
        versions("b_version", "Version of B", state.b_version, view, "as A"),
        piece.search(
            "b_window",
            "Window of B (UTC)",
            "" if state.b_window is None else moment.text(state.b_window),
            hint=moment.text(b.span[0]),
            width=190,
        ),
    ]
    chips = [
        (f"B: {words}", said, here(state.but(**{key: empty})))
        for key, words, said, empty in (
            ("b_segment", "segment", bin_text.of_slice(state.b_segment) if state.b_segment != ALL else "All traffic", ""),
            ("b_version", "version", state.b_version, ""),
            ("b_window", "window", "" if state.b_window is None else moment.period(*b.span), None),
        )
        if getattr(state, key) not in ("", None)
    ]
    return html.Div([html.Div([part for part in parts if part is not None], className="controls"), piece.chips(*chips)])


async def _row(reader: Reader, view: ModelView, about: Measure, a: Side, b: Side) -> tuple[Any, ...] | None:
    """A measure of both sides; None where neither has a reading. Both are taken by the monitor that A is taken by: another one may have other parameters."""
    by = choose(view.monitors, about.name, a.state.monitor, segment=a.state.segment)
    own_way, other_way = (taken(view, about.name, side.state.but(monitor="" if by is None else by.name)) for side in (a, b))
    left, right = await gather(_reading(reader, own_way, a), _reading(reader, other_way, b))
    if left is None and right is None:
        return None
    own, other = (None if one is None else one["value"] for one in (left, right))
    difference = None if own is None or other is None else own - other
    link = piece.link(about.title, there(view.row.model, _page(about), a.state.shared.but(measure=about.name)))
    return (link, *_cells(left, about), *_cells(right, about), word.number(difference), _said(own_way.monitor, about, own, other))


def _page(about: Measure) -> str:
    """The page that shows a measure of the whole model over time."""
    return {Family.QUALITY: "quality", Family.SERVICE: "service", Family.UNCERTAINTY: "trust"}.get(about.family, "performance")


def _cells(row: Row | None, about: Measure) -> tuple[Any, Any]:
    """A value with its interval, and its n; without a value the reason."""
    if row is None:
        return word.NONE, word.NONE
    if row["value"] is None:
        return html.Span(row["reason"] or "no value", className="faint"), word.count(row["n_target"])
    between = "" if row["lower"] is None or row["upper"] is None else f"{word.number(row['lower'])} to {word.number(row['upper'])}"
    value = word.value(row["value"], about)
    return ([value, html.Span(between, className="under faint")] if between else value), word.count(row["n_target"])


def _said(monitor: Monitor, about: Measure, own: float | None, other: float | None) -> str:
    """Which side is better: nearer to 0 or to the promise, if the measure is judged so; nothing where neither is."""
    about = about.directed(monitor.params)
    if about.judged is Judged.PROMISE:
        told = monitor.params.get("promise") is not None
    else:
        told = about.better != 0 or about.judged in (Judged.ABSOLUTE, Judged.RATIO)
    alone = msgspec.structs.replace(monitor, baseline=None)
    ours, theirs = (worse(alone, about, value, None) for value in (own, other))
    if not told or ours is None or theirs is None or ours == theirs:
        return ""
    return "A is worse" if ours > theirs else "A is better"


async def _reading(reader: Reader, how: Taken, side: Side) -> Row | None:
    """The reading of one window; None where it cannot be computed."""
    try:
        table = await readings(reader, of_window(how, side.state.segment, side.span))
    except ConfigError:
        return None
    rows: list[Row] = table.slice(0, 1).to_pylist() if table.num_columns else []
    return rows[0] if rows else None


async def _moved(reader: Reader, view: ModelView, about: Measure, a: Side, b: Side) -> Component:
    """Where the difference of the first measure comes from."""
    asked = CauseQuery(
        model=view.row.model,
        measure=about.name,
        start=a.span[0],
        end=a.span[1],
        baseline={"from": moment.text(b.span[0]), "to": moment.text(b.span[1])},
        segment=a.state.segment,
        version=a.state.version or None,
    )
    title = f"What makes the difference in {about.title[:1].lower()}{about.title[1:]}"
    return await apart(reader, asked, a.state.shared, title=title, names=("A", "B"), note=f"A: {a.words}. B: {b.words}.")
