"""The page Compare of a model: may one version, role or arm take the place of another, and how long until that is known?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import text
from core.comparison import Comparison
from core.measure import Measures
from core.monitor import Monitor
from dashboard import components as piece
from dashboard import late
from dashboard import texts as word
from dashboard.control import controls
from dashboard.figure import colour
from dashboard.figure.curve import Line, curve
from dashboard.graph import graph
from dashboard.pages.head import head, there
from dashboard.panel import Page, ask, panel, panels
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.view_model import ModelView, unknown, view

_MOST = 100  # rows of a table
_WHY: list[Any] = [
    "A monitor of ",
    html.Code("compare.difference"),
    " compares two sides by a measure: ",
    html.Code("a: {role: champion}"),
    ", ",
    html.Code("b: {role: shadow}"),
    ", ",
    html.Code("params: {of: performance.accuracy, margin: 0.005}"),
    ".",
]
_SAID = {
    "ready": "{b} may take the place of {a}",
    "worse": "{b} is worse than {a}",
    "assumptions_broken": "Traffic is not split between {a} and {b} as it is meant to be",
    "nodata": "{b} has no rows in the last window",
    "insufficient": "{a} has no rows in the last window",
    "not_estimable": "One of the sides has no value in the last window",
}
_WAIT = "Keep waiting: {b} is not told from {a} yet"


async def draw(reader: Reader, search: str, name: str) -> Page:
    """Two windows, segments or versions side by side; then a card for each comparison that a monitor makes: its verdict, what is known so far and what is needed, its course, and the segments."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])

    def here(changed: PageState) -> str:
        return there(name, "compare", changed)

    title, top = f"Comparisons of {name}", head(found.row, state, "compare")
    if found.row.last_ts is None:
        return Page(title, [*top, piece.empty("No event yet", "There is nothing to compare.")])
    top = [*top, *controls(found, state, here), late.place("sides", "Comparing two sides …", name, state.query)]
    compared = [one for one in found.monitors if one.other is not None]
    if not compared:
        return Page(title, [*top, piece.card("Champion and challenger", piece.empty("No comparison yet", html.P(_WHY)))])
    return Page(title, [*top, *piece.several(await panel(_cards(reader, found, compared), "comparisons"))])


async def _cards(reader: Reader, view: ModelView, compared: Sequence[Monitor]) -> list[Any]:
    """A card for each comparison."""
    standing = await ask(reader.comparisons, view.row.model)
    drawn = await panels(
        **{one.name: _card(reader, view, one, [each for each in standing if each.monitor == one.name]) for one in compared}
    )
    return [*drawn.values()]


async def _card(reader: Reader, view: ModelView, monitor: Monitor, standing: Sequence[Comparison]) -> Component:
    """One comparison."""
    if not standing:
        return piece.card(
            monitor.name, piece.empty("No reading yet", "The first window has not closed, or one of the sides has no events.")
        )
    last, course = standing[0], await ask(reader.course, monitor)
    names = {"a": _side(last.a.written), "b": _side(last.b.written)}
    sentence = _SAID.get(last.verdict, _WAIT).format(**names)
    sentence = f"{sentence[:1].upper()}{sentence[1:]}, in {_title(view.measures, last.of)}"
    rows = [_row(view.measures, one) for one in standing[:_MOST]]
    parts = [piece.figures(*_facts(view.measures, last)), *_course(monitor, course, names), *_table(monitor, rows)]
    note = "The bounds hold at all windows together: look as often as you like, and stop when there is a verdict."
    return piece.card(
        sentence,
        [html.P([piece.badge(last.verdict, last.reason), f" {monitor.name}, margin {word.number(last.margin)}"]), *parts],
        note=note,
    )


def _facts(measures: Measures, last: Comparison) -> list[tuple[str, str, Any]]:
    """What is known so far, and what is needed."""
    known = last.evidence
    between = "not known yet" if last.better is None else f"between {word.number(last.better)} and {word.number(last.better_upper)}"
    facts: list[tuple[str, str, Any]] = [
        (
            "Better so far",
            word.number(known.get("gain")),
            f"{between}, with {100 * (1 - known.get('alpha', 0.05)):.3g} % at all windows together",
        ),
        (
            "In the last window",
            word.value(last.value, measures[last.of]),
            f"b less a; a has {word.value(last.baseline_value, measures[last.of])}",
        ),
    ]
    if "rows_b" in known:
        pairs = "pairs" if known.get("basis") == "pairs" else f"rows of b, and {word.count(known['rows_a'])} of a"
        facts.append(("Seen", word.count(known["rows_b"]), pairs))
    if (needed := known.get("needed")) is not None:
        left = known.get("days_left")
        when = "are there" if not left else f"{word.number(left)} days at the rate of the last week"
        facts.append(("Needed", word.count(needed), f"to tell a difference of {word.number(known.get('detects'))}: {when}"))
    if "disagreement" in known:
        told = f"only a is right in {word.count(known['only_a'])}, only b in {word.count(known['only_b'])}; McNemar's p {word.chance(known['mcnemar_p'])}"
        facts.append(("Sides disagree", word.share(known["disagreement"]), told if "only_a" in known else "of pairs"))
    return facts


def _course(monitor: Monitor, course: Sequence[Comparison], names: dict[str, str]) -> list[Component]:
    """How the bounds have narrowed with the rows that came."""
    told = [one for one in course if one.better is not None and one.better_upper is not None]
    if not told:
        return []
    x = [float(one.evidence["rows_b"]) for one in told]
    lower, upper, gain = ([one.evidence[name] for one in told] for name in ("better", "better_upper", "gain"))
    said = [
        f"{word.count(int(rows))} rows: {word.number(middle)}, {word.number(low)} to {word.number(high)}"
        for rows, middle, low, high in zip(x, gain, lower, upper, strict=True)
    ]
    needed = float(told[-1].evidence.get("needed", 0))
    end, reach = (
        1.05 * max(*x, min(needed, 3 * x[-1])),
        1.1 * max(abs(lower[-1]), abs(upper[-1]), *map(abs, gain), 2 * monitor.params["margin"]),
    )
    margin = Line("Minus the margin", [0, end], [-monitor.params["margin"]] * 2, paint=colour.BASELINE, dash="dash")
    lines = [
        margin,
        Line("At most", x, upper, said, colour.QUIET, "dot"),
        Line("Estimate", x, gain, said, dots=True),
        Line("At least", x, lower, said, colour.INK),
    ]
    sentence = f"After {word.count(int(x[-1]))} rows {names['b']} is better by {word.number(lower[-1])} to {word.number(upper[-1])}; {word.count(int(needed))} rows are needed."
    figure = curve(
        lines, x="rows of b so far", y="how much better b is", span=((0, end), (-reach, reach)), cut=needed if needed <= end else None
    )
    return [html.P(sentence, className="next"), graph(f"course-{monitor.name}", figure, sentence)]


def _row(measures: Measures, one: Comparison) -> tuple[Any, ...]:
    bounds = word.NONE if one.better is None else f"{word.number(one.better)} to {word.number(one.better_upper)}"
    disagree = one.evidence.get("disagreement")
    return (
        piece.name(text.unquote(one.segment), 60),
        piece.badge(one.verdict, one.reason),
        bounds,
        word.value(one.baseline_value, measures[one.of]),
        word.value(one.value, measures[one.of]),
        word.NONE if disagree is None else word.share(disagree),
        word.count(one.evidence.get("rows_b", one.n_target)),
    )


def _table(monitor: Monitor, rows: Sequence[tuple[Any, ...]]) -> list[Component]:
    """The segments, with the numbers of the chart's last window."""
    columns = ("Segment", "Verdict", "Better so far", "a, last window", "b less a", "Disagree", "Rows of b")
    return [piece.table(columns, rows, caption=f"{monitor.name} by segment", numbers=(2, 3, 4, 5, 6))]


def _title(measures: Measures, name: str) -> str:
    title = measures[name].title
    return f"{title[:1].lower()}{title[1:]}"


def _side(written: dict[str, str]) -> str:
    """A side for people.

    >>> _side({"version": "2"}), _side({"role": "shadow"})
    ('version 2', 'the shadow')
    """
    return next(f"version {name}" if kind == "version" else f"the {name}" for kind, name in written.items())
