"""The page of an event: why this one?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import moment, text
from core.contract import Column, Contract
from core.error import ConfigError
from core.reading import Verdict
from dashboard import components as piece
from dashboard import texts as word
from dashboard.aria import aria
from dashboard.event_filter import EventFilter
from dashboard.grid import error_of, written
from dashboard.panel import Page, ask, panel
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.view_model import ModelView, unknown, view

Event = Mapping[str, Any]
_LONG = 120  # characters of a value


async def draw(reader: Reader, search: str, name: str, prediction_id: str) -> Page:
    """Prediction, truth and error; inputs with their place in the reference; attributions; labels, lineage and the raw event."""
    found, state, chosen = await view(reader, name), PageState.of(search), EventFilter.of(search)
    models = ("Models", address("models"))
    if found is None:
        return Page(name, [piece.crumbs(models, (name, None)), unknown(name)])
    listed = chosen.address(name, state)
    trail = piece.crumbs(models, (name, address("models", name, state=state.shared)), ("Events", listed), (prediction_id, None))
    drawn = await panel(_event(reader, found, state, chosen, prediction_id), "event")
    heading = html.Div(html.H1(piece.name(prediction_id, 120)), className="title")
    return Page(f"{prediction_id} of {name}", [trail, heading, *piece.several(drawn)])


async def _event(reader: Reader, found: ModelView, state: PageState, chosen: EventFilter, prediction_id: str) -> list[Any]:
    """Everything about one event."""
    name = found.row.model
    event = await ask(reader.event, name, prediction_id)
    if event is None:
        why = "It may not have come yet, or be older than what is kept."
        title = f"{word.cut(name)} has no event {word.cut(prediction_id)}"
        return [piece.empty(title, why, piece.link("Show events", chosen.address(name, state)))]
    about = f"{moment.text(moment.parse(event['ts']))} · version {event['version'] or 'not given'} · {event['role']} · {_segments(found, event)}"
    body = [
        html.P(about, className="faint"),
        await panel(_ways(reader, found, state, chosen, event), "steps through the list"),
        piece.figures(*_facts(event)),
        _inputs(found, event, state, chosen.column),
        _attributions(event),
        _labels(event),
        _lineage(event),
    ]
    return [part for part in body if part is not None]


async def _ways(reader: Reader, view: ModelView, state: PageState, chosen: EventFilter, event: Event) -> Component:
    """Links to the events before and after it in the list from which the person came, to that list, and back to the episode."""
    model = view.row.model
    try:
        before, after = await ask(reader.beside, await chosen.query(reader, view, state), event)
    except ConfigError:
        before = after = None
    steps: list[Any] = [
        piece.link(words, chosen.address(model, state, to))
        for words, to in (("◀ Previous in the list", before), ("Next in the list ▶", after))
        if to is not None
    ]
    back = [piece.link("◀ Back to the episode", address("alerts", state.episode))] if state.episode else []
    return html.Nav(
        [*steps, piece.link("The list of events", chosen.address(model, state)), *back],
        className="line kept",
        **aria(label="Events of the list"),
    )


def _segments(view: ModelView, event: Event) -> str:
    """The values of the event in the dimensions of the contract."""
    names = [dimension.name for dimension in view.contract.dimensions]
    held = {**event["tags"], **event["features"]}
    return ", ".join(f"{name}={word.cut(written(held.get(name)))}" for name in names) or "no segment"


def _facts(event: Event) -> list[tuple[str, str, Any]]:
    """Prediction, truth and error, each with a note."""
    truth = (word.NONE, "no label yet")
    if event["label"] is not None:
        truth = (written(event["label"]), f"label of {word.instant(moment.parse(event['label_ts']))}")
    return [("Prediction", written(event["prediction"]), _score(event)), ("Truth", *truth), ("Error", *_error(event))]


def _score(event: Event) -> str:
    """The score, or the largest probabilities."""
    if event["probabilities"]:
        top = sorted(event["probabilities"].items(), key=lambda one: -(one[1] or 0))[:3]
        return ", ".join(f"{word.cut(text.unquote(name), 24)} {word.number(value)}" for name, value in top)
    return "no score" if event["score"] is None else f"score {word.number(event['score'])}"


def _error(event: Event) -> tuple[str, Any]:
    """The error and what it means."""
    match error_of(event):
        case None:
            return word.NONE, "known once there is a label"
        case "wrong":
            return "1", [piece.mark(Verdict.CRITICAL, "wrong")]
        case "right":
            return "0", [piece.mark(Verdict.OK, "right")]
        case size:
            return word.number(size), _side(event)


def _side(event: Event) -> str:
    """On which side of the truth a number is."""
    apart = event["prediction"] - event["label"]
    return "exact" if not apart else f"{'above' if apart > 0 else 'below'} the truth"


def _inputs(view: ModelView, event: Event, state: PageState, asked: str) -> Component:
    """A row a feature and tag: the column by which the list was asked for first, then those with a flag."""
    contract: Contract = view.contract
    rows = []
    for column in (*contract.features, *contract.tags):
        held = event["features"] if column.name in event["features"] else event["tags"]
        value = held.get(column.name)
        flag = flag_of(column, value, invalid=column.name in event["invalid"])
        place = event["percentiles"].get(column.name)
        link = piece.link(piece.name(column.name), address("models", contract.model, "columns", column.name, state=state.shared))
        named = [link, html.Span(" of the list's filter", className="faint")] if column.name == asked else link
        rows.append(
            ((column.name != asked, flag is None), (named, piece.name(_whole(value), _LONG), _flag(flag), _place(place), _kept(column)))
        )
    rows.sort(key=lambda one: one[0])
    table = piece.table(("Input", "Value", "Flag", "In the reference", "Reference holds"), [one for _, one in rows], caption="Inputs")
    note = "In the reference: the share of its values that are at most this one. What is missing, out of range or new comes first."
    return piece.card("Inputs", table, note=note)


def flag_of(column: Column, value: Any, *, invalid: bool = False) -> str | None:
    """What is unusual about a value: null, invalid, out of range or new; None if nothing is."""
    if invalid:
        return "invalid"
    if value is None:
        return "null"
    if column.numeric:
        low, high = column.range or (float("-inf"), float("inf"))
        return None if low <= value <= high else "out of range"
    known = {*column.categories, *column.others}
    return "new" if known and text.of(value) not in known and column.embedding is None and column.kind == "categorical" else None


def _flag(flag: str | None) -> Any:
    return html.Span(word.NONE, className="faint") if flag is None else piece.mark(Verdict.WARN, flag)


def _place(share: float | None) -> str:
    return word.NONE if share is None else f"{word.share(share)} are at most this"


def _kept(column: Column) -> str:
    """What the reference holds of a column."""
    if column.numeric:
        return word.NONE if column.range is None else f"{word.number(column.range[0])} to {word.number(column.range[1])}"
    names = ", ".join(word.cut(text.unquote(one), 16) for one in column.categories[:3])
    return f"{names}{', ...' if len(column.categories) > 3 else ''}" if names else word.NONE


def _whole(value: Any) -> str:
    """A value with all its digits."""
    return "null" if value is None else repr(value) if isinstance(value, float) else str(value)


def _attributions(event: Event) -> Component | None:
    """What each feature has added to the prediction, the largest first; None if the event has none."""
    sent: Mapping[str, float] = event.get("attributions") or {}
    if not sent:
        return None
    most = max(abs(value) for value in sent.values()) or 1.0
    rows = []
    for name, value in sorted(sent.items(), key=lambda one: -abs(one[1])):
        bar = html.Span(style={"width": f"{100 * abs(value) / most:.1f}%"}, className="part")
        rows.append((piece.name(name), f"{'+' if value > 0 else ''}{word.number(value)}", html.Span(bar, className="bar-ground wide")))
    table = piece.table(("Feature", "Attribution", "Size"), rows, caption="Attributions", numbers=(1,))
    return piece.card("Attributions", table, note="As the event carried them.")


def _labels(event: Event) -> Component | None:
    """All labels that came, if there are several or one was taken back."""
    labels: Sequence[Mapping[str, Any]] = event["labels"]
    if len(labels) < 2 and not any(one["deleted"] for one in labels):
        return None
    rows = [
        (
            word.instant(moment.parse(one["ts"])),
            "taken back" if one["deleted"] else written(one["label"]),
            word.instant(moment.parse(one["logged"])),
        )
        for one in labels
    ]
    table = piece.table(("Time of the label", "Label", "Came"), rows, caption="Labels")
    return piece.card("Labels", table, note="All that came, the one that holds last.")


def _lineage(event: Event) -> Component:
    """Where it stands in the log, and the whole event."""
    origin = event["origin"]
    facts = {
        "Topic": "predictions",
        "Partition": str(origin["partition"]),
        "Offset": str(origin["position"]),
        "Row": str(origin["row"]),
        "Latency": word.NONE if event["latency_ms"] is None else f"{word.number(event['latency_ms'])} ms",
    }
    whole = json.dumps(event, indent=2, ensure_ascii=False, default=str)
    raw = html.Details([html.Summary("The event as JSON"), html.Pre(whole)])
    lines = html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts.items()], className="rule")
    return piece.card("Lineage", [lines, raw], note="Where the event stands in the log.")
