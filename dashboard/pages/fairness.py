"""The page Fairness of a model: are groups treated alike, how sure is that, and which two are furthest apart?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from dash import html
from dash.development.base_component import Component

from core import moment, text
from core.contract import Task
from core.error import ConfigError, Retryable
from core.measure import Family, Measure, Subject
from core.monitor import Monitor
from core.reading import Query
from core.retrain import Retrain
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, controls, windows
from dashboard.figure.groups import MOST, GroupLine, groups
from dashboard.figure.timeline import timeline
from dashboard.graph import graph, meant
from dashboard.pages import board
from dashboard.pages.head import head, there
from dashboard.panel import Page, panels
from dashboard.period import period, shift
from dashboard.ports import Reader
from dashboard.series import Series, limits
from dashboard.state import PageState, address
from dashboard.taken import Taken, question, readings, taken
from dashboard.view_model import ModelView, reach, unknown, view

Row = dict[str, Any]
_MEANS = {
    "a gap": "There is a gap: chance alone does not explain it.",
    "no gap found": "No gap that matters was found, and these rows would have shown one.",
    "too few to say": "These rows are too few to say whether there is a gap.",
}


async def draw(reader: Reader, search: str, name: str) -> Page:
    """The gap between groups over time with its interval, and the groups of the selected window."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])

    def here(changed: PageState) -> str:
        return there(name, "fairness", changed)

    title, top = f"Fairness of {name}", head(found.row, state, "fairness")
    if not (attributes := attributes_of(found)):
        why = "The contract names no protected attribute. Give the reference again with `--protected`, or name `attributes` in a monitor of fairness."
        return Page(title, [*top, piece.empty("No protected attribute", why)])
    if found.row.last_ts is None:
        return Page(title, [*top, piece.empty("No event yet", "There are no groups to compare.")])
    drawn = await panels(fairness=_gap(reader, found, state, here, attributes))
    parts = [part for each in drawn.values() for part in piece.several(each)]
    return Page(title, [*top, *controls(found, state, here, computed=True), *parts])


def attributes_of(view: ModelView) -> list[str]:
    """The protected attributes, the crosses that hold one, and the attributes of monitors."""
    protected = view.contract.protected
    crosses = ("*".join(cross) for cross in view.contract.crosses if {*cross} & {*protected})
    return list(dict.fromkeys((*protected, *crosses, *(name for one in view.monitors for name in one.attributes))))


def measures_of(view: ModelView) -> list[str]:
    """The measures of gaps that the model can have; those that a monitor takes come first, of several classes then the one that needs no class."""
    fit = [one.name for one in view.measures.values() if one.family is Family.FAIRNESS and one.subject is Subject.ATTRIBUTE]
    watched = {one.measure for one in view.monitors}
    first = "fairness.accuracy_parity" if view.contract.task is Task.MULTICLASS else ""
    return sorted((name for name in fit if view.measures[name].fits(view.contract)), key=lambda name: (name not in watched, name != first))


async def _gap(reader: Reader, view: ModelView, state: PageState, here: Here, attributes: Sequence[str]) -> list[Any]:
    names = measures_of(view)
    measure = state.measure if state.measure in names else names[0]
    about, attribute = view.measures[measure], state.by if state.by in attributes else attributes[0]
    of = taken(view, measure, state, column=attribute)
    chosen = _choices(view, names, of, attributes, attribute, state, here)
    over = period(view.row, state, of.monitor.window)
    asked = question(of, state.segment, over.start, over.end, (attribute,) if of.stored else ())
    try:
        table = await readings(reader, asked)
    except (ConfigError, Retryable) as error:
        return [board.unavailable(about.title, chosen, error)]
    if not table.num_rows:
        return [piece.card(about.title, [chosen, piece.empty("No reading", "No window of this period has been evaluated yet.")])]
    shown = Series.of(table, over.start, over.end, over.step, over.window)
    slot = shown.slot(state.window) if state.window is not None else shown.newest
    title = f"{about.title} by {attribute}, {word.stretch(over.start, over.end)}"
    note = f"{reach(state)}, {shift(over)}; the band is an interval of 95 % that allows for the number of groups.{of.note} Click a window to look at it."
    row = _reading(table, None if slot is None else shown.window(slot))
    figure = timeline(
        shown,
        measure=about,
        limits=limits(of.monitor, about, shown),
        marks=view.marks(of.monitor.name, attribute, state.segment),
        chosen=None if slot is None else shown.time(slot),
    )
    content = [chosen, windows(shown, slot, state, here), graph("measure", figure, _sentence(row, about), view.retrains)]
    chart = piece.card(
        title, [part for part in content if part is not None], note=note, foot=piece.source(asked) if isinstance(asked, Query) else None
    )
    below = [_groups(row, about, of.monitor)] if row else []
    over_time = _over_time(table, about, (over.start, over.end), over.step, None if slot is None else shown.time(slot), view.retrains)
    return [html.P(_sentence(row, about), className="next"), chart, *below, *over_time]


def _over_time(
    table: pa.Table, about: Measure, span: tuple[int, int], step: int, chosen: int | None, retrains: Sequence[Retrain]
) -> list[Component]:
    """The figure and the rows of each group over time; nothing if no window tells of groups."""
    held: dict[str, list[tuple[int, Row]]] = {}
    figure = about.short
    for start, evidence in zip(table["window_start"].to_pylist(), table["evidence"].to_pylist(), strict=True):
        told = msgspec.json.decode(evidence or "{}")
        figure = told.get("rate") or figure
        for one in told.get("groups", []):
            held.setdefault(one["group"], []).append((start, one))
    if not held:
        return []
    kept = sorted(held, key=lambda name: -sum(one["n"] for _, one in held[name]))[:MOST]
    lines = [_line(name, sorted(held[name], key=lambda each: each[0])) for name in sorted(kept)]
    title, y = "Groups over time", str(figure).replace("_", " ")
    sentence = f"{y.capitalize()} of {len(lines)} groups, above the rows of each."
    left = f" {len(held) - len(kept)} smaller groups are left out." if len(held) > len(kept) else ""
    note = f"Where a group is suppressed its line has a gap.{left} The table above has the numbers of the selected window, with intervals."
    drawn = groups(lines, y=y, span=span, step=step, chosen=chosen)
    return [piece.card(title, meant("groups", drawn, sentence, retrains), note=note)]


def _line(name: str, found: Sequence[tuple[int, Row]]) -> GroupLine:
    def between(one: Row) -> str:
        return "no interval" if one["lower"] is None else f"95 %: {word.number(one['lower'])} to {word.number(one['upper'])}"

    starts, rows = [start for start, _ in found], [one for _, one in found]
    values = [None if one["suppressed"] else one["value"] for one in rows]
    return GroupLine(_group(name), starts, values, [between(one) for one in rows], [one["n"] for one in rows])


def _choices(
    view: ModelView, names: Sequence[str], of: Taken, attributes: Sequence[str], attribute: str, state: PageState, here: Here
) -> Component:
    """The choice of the measure and of the attribute."""
    watched = {one.measure for one in view.monitors}
    options = [(name, view.measures[name].title + ("" if name in watched else " (not watched)")) for name in names]
    links = [(name, here(state.but(by=name)), name == attribute) for name in attributes]
    return html.Div(
        [
            piece.select("measure", "Measure", of.monitor.measure, options, names[0], 320),
            piece.choice("Attribute", links) if len(links) > 1 else None,
        ],
        className="controls",
    )


def _reading(table: pa.Table, window: tuple[int, int] | None) -> Row | None:
    """The reading of a window, with its evidence."""
    if window is None:
        return None
    found = table.filter(pc.and_(pc.equal(table["window_start"], window[0]), pc.equal(table["window_end"], window[1]))).to_pylist()
    return {**found[0], "evidence": msgspec.json.decode(found[0]["evidence"] or "{}")} if found else None


def _sentence(row: Row | None, about: Measure) -> str:
    """What the reading means, in words."""
    if row is None:
        return "No window is selected."
    when, told = moment.period(row["window_start"], row["window_end"]), row["evidence"]
    if row["value"] is None:
        return f"{when}: {row['reason'] or 'there is no value'}. " + _MEANS.get(told.get("answer", ""), "")
    interval = f" (95 %: {word.number(row['lower'])} to {word.number(row['upper'])})" if row["lower"] is not None else ""
    pair = " and ".join(_group(name) for name in told.get("pair", ()))
    said = f"{when}: {about.title.lower()} is {word.number(row['value'])}{interval}{f', between {pair}' if pair else ''}."
    return f"{said} {_MEANS.get(told.get('answer', ''), '')}{_four_fifths(told.get('four_fifths'))}"


def _four_fifths(rule: Mapping[str, Any] | None) -> str:
    if rule is None:
        return ""
    sure = "without doubt" if rule["certain"] else "by these rows, which leave a doubt"
    return f" The four-fifths rule is {'met' if rule['met'] else 'broken'} {sure}: the ratio is {word.number(rule['ratio'])}."


def _group(name: str) -> str:
    return "all rows" if name == "overall" else text.unquote(name)


def _groups(row: Row, about: Measure, monitor: Monitor) -> Component:
    """The table of the groups of a window."""
    told = row["evidence"]
    groups, pair = told.get("groups", []), told.get("pair", [])
    title = f"Groups, {moment.period(row['window_start'], row['window_end'])}"
    if not groups:
        return piece.card(title, piece.empty("No group", row["reason"] or "This window has no rows."))
    covered = any("label_coverage" in one for one in groups)
    figure = told.get("rate") or about.short
    head = ("Group", "n", str(figure).replace("_", " "), "95 % interval", *(["Labelled"] if covered else []), "")

    def cells(one: Row) -> tuple[Any, ...]:
        between = word.NONE if one["lower"] is None else f"{word.number(one['lower'])} to {word.number(one['upper'])}"
        mark = "suppressed: too few rows, or 0/0" if one["suppressed"] else "makes the gap" if one["group"] in pair else ""
        coverage = [word.number(one.get("label_coverage"))] if covered else []
        return piece.name(_group(one["group"])), word.count(one["n"]), word.number(one["value"]), between, *coverage, mark

    note = f"Groups with fewer than {monitor.params.get('min_group', 30)} rows are suppressed: they make no gap, and never alarm."
    if covered:
        note += " Labels may come later for one group than for another."
    if told.get("groups_left_out"):
        note += f" {told['groups_left_out']} smaller groups are left out."
    return piece.card(
        title, piece.table(head, [cells(one) for one in groups], caption=title, numbers=(1, 2, 3, *([4] if covered else []))), note=note
    )
