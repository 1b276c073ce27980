"""A part of a model's overview: what is watched, against what and how surely, what is not watched and how to, and the definitions as YAML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core.measure import Family, Measure, Need, Subject
from core.monitor import Monitor
from core.monitor_document import definition
from dashboard import components as piece
from dashboard import texts as word
from dashboard.monitor_form import MonitorForm, as_yaml
from dashboard.pages.monitors import Choice
from dashboard.view_model import ModelView

_NAMED = 6  # names in a cell
_WRITTEN = 50  # monitors as YAML
# What a model is usually watched for, by the measures that the form of a monitor begins with.
_USUAL: dict[Family, tuple[str, ...]] = {
    Family.PERFORMANCE: ("performance.accuracy", "performance.mae", "performance.ndcg"),
    Family.DRIFT: ("drift.psi",),
    Family.QUALITY: ("quality.null_rate",),
    Family.UNCERTAINTY: ("uncertainty.ece",),
    Family.FAIRNESS: (),
    Family.SERVICE: ("service.throughput",),
}


async def watched(view: ModelView) -> Component:
    """A row a family: its monitors, baselines, windows, and what an alarm needs; those without a monitor have a link to the form of one."""
    there = [one for one in view.monitors if one.enabled]
    rows = [_row(view, family, [one for one in there if view.measures[one.measure].family is family]) for family in Family]
    since = "" if view.row.first_ts is None else f" Events since {word.day(view.row.first_ts)}."
    paused = len(view.monitors) - len(there)
    more = f" {paused} of the monitors {'is' if paused == 1 else 'are'} paused." if paused else ""
    head = ("What", "Monitors", "Against", "Windows", "An alarm needs")
    title = f"What is watched: {word.count(len(there))} monitor{'' if len(there) == 1 else 's'}"
    table = piece.table(head, [row for row in rows if row is not None], caption="What is watched")
    parts = [table, *_columns(view, there), _yaml(view)]
    ways = [piece.link("All monitors of this model", Choice(model=view.row.model).address)]
    return piece.card(title, parts, note=f"By contract {view.row.contract_version}.{since}{more}", foot=ways)


def _row(view: ModelView, family: Family, of: Sequence[Monitor]) -> tuple[Any, ...] | None:
    """A family; None for one that has no monitor and is not usually watched in such a model."""
    name = family.capitalize()
    if of:
        needs = [f"at least {word.count(low)} rows" if (low := min(one.min_samples for one in of)) > 1 else ""]
        needs += sorted({f"at most {one.allowed.text} by chance" for one in of if one.allowed is not None})
        return (
            name,
            _listed([one.name for one in of]),
            _listed([*dict.fromkeys("nothing" if one.baseline is None else one.baseline.words for one in of)]),
            _listed([*dict.fromkeys(one.window.text for one in of)]),
            _listed([*filter(None, needs)] if any(one.alarms for one in of) else ["no threshold set"]),
        )
    if (usual := _usual(view, family)) is None:
        return None
    form = MonitorForm(model=view.row.model, monitor=f"{family}-1", measure=usual.name).address
    return (name, html.Span(["Not watched. ", piece.link("Watch it", form)]), word.NONE, word.NONE, word.NONE)


def _usual(view: ModelView, family: Family) -> Measure | None:
    """The measure with which the family would be watched; None where a model like this has none."""
    found = [view.measures[name] for name in _USUAL.get(family, ()) if name in view.measures]
    return next((one for one in found if one.fits(view.contract) and (Need.LABELS not in one.requires or view.row.labels)), None)


def _columns(view: ModelView, monitors: Sequence[Monitor]) -> list[Component]:
    """The features that no monitor of columns watches, with the way to watch them."""
    of_columns = [one for one in monitors if view.measures[one.measure].subject is Subject.COLUMN]
    if not of_columns:
        return []
    seen = {name for one in of_columns for name in one.columns}
    missing = [] if any(not one.columns for one in of_columns) else [one.name for one in view.contract.features if one.name not in seen]
    if not missing:
        return [html.P("Every feature is watched.", className="faint")]
    form = MonitorForm(model=view.row.model, monitor="other-columns", columns=",".join(missing)).address
    names = ", ".join(word.cut(name) for name in missing[:_NAMED]) + (f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else "")
    return [html.P([f"Features that nothing watches: {names}. ", piece.link("Watch them", form)], className="faint")]


def _yaml(view: ModelView) -> Component:
    """The definitions of the monitors, as a file that makes them again."""
    text = "\n".join(as_yaml(definition(one)) for one in view.monitors[:_WRITTEN])
    left = f"\n# and {len(view.monitors) - _WRITTEN} more: GET /v1/monitors" if len(view.monitors) > _WRITTEN else ""
    return html.Details([html.Summary("As YAML"), html.Pre(f"{text}{left}", tabIndex="0")])


def _listed(said: Sequence[str]) -> Component:
    """The first of some names, one a line."""
    more = [f"and {word.count(len(said) - _NAMED)} more"] if len(said) > _NAMED else []
    return html.Div([html.Div(piece.name(text, 32)) for text in (*said[:_NAMED], *more)])
