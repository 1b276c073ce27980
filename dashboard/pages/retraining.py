"""The page Retraining of a model: what waits for a person, what runs, which hooks ask, and whether what was asked for has helped."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import duration, moment, number
from core.hook import Hook
from core.reading import Verdict
from core.retrain import Retrain, RetrainState
from core.training import COST, Training
from dashboard import components as piece
from dashboard import texts as word
from dashboard.act import button
from dashboard.pages.head import head
from dashboard.panel import Page, ask
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.view_model import RETRAINS, unknown, view

_MARKS = {
    RetrainState.EFFECTIVE: Verdict.OK,
    RetrainState.INEFFECTIVE: Verdict.CRITICAL,
    RetrainState.FAILED: Verdict.CRITICAL,
    RetrainState.TIMED_OUT: Verdict.CRITICAL,
    RetrainState.BLOCKED: Verdict.WARN,
    RetrainState.AWAITING_APPROVAL: Verdict.WARN,
}
_SET_UP = "A hook says when retraining is asked for, of whom, and how it is judged whether it helped. Apply one:"
_EXAMPLE = """- hook: retrain
  model: {model}
  kind: webhook
  url: https://example.org/retrain
  secret_file: /run/secrets/hook
  on: {{severity: ticket, families: [performance, drift], after: 2 windows}}
  mode: approval
  verify: {{measure: performance.accuracy, window: 1d, windows: 3, within: 14d}}"""


async def draw(reader: Reader, search: str, name: str) -> Page:
    """Requests that wait for a person first, then those under way, the hooks, and the history with its effect."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])
    top, title = head(found.row, state, "retraining"), f"Retraining of {name}"
    hooks, requests, trained = await gather(ask(reader.hooks, name), ask(reader.retrains, name, RETRAINS), ask(reader.trainings, name))
    if not hooks and not requests:
        return Page(title, [*top, piece.empty("No hook asks for retraining", _SET_UP, html.Pre(_EXAMPLE.format(model=name)))])
    waits = [one for one in requests if one.state is RetrainState.AWAITING_APPROVAL]
    runs = [one for one in requests if one.ended_at is None and one.state is not RetrainState.AWAITING_APPROVAL]
    past = [one for one in requests if one.ended_at is not None]
    return Page(
        title,
        [
            *top,
            *([_waiting(waits)] if waits else []),
            _running(runs),
            *(_training(one) for one in trained),
            _hooks(hooks, requests),
            _history(past, len(requests)),
        ],
    )


def _waiting(requests: Sequence[Retrain]) -> Component:
    """On a phone a table shows its first columns: what a person decides is among them."""
    head = ("Asked for (UTC)", "Decide", "Why", "Rows and labels")
    rows = [(*_asked(one, html.Div([_approve(one), _cancel(one)], className="line")), _lines(*_window(one))) for one in requests]
    return piece.card("Waits for you", piece.table(head, rows, caption="Requests that wait for a person"))


def _running(requests: Sequence[Retrain]) -> Component:
    if not requests:
        return piece.card("Under way", piece.empty("Nothing is under way"))
    head = ("Asked for (UTC)", "State", "Why", "Last")
    rows = [(*_asked(one, _state(one)), html.Div([_last(one), html.Div([_run(one), _cancel(one)], className="line")])) for one in requests]
    return piece.card("Under way", piece.table(head, rows, caption="Requests under way"))


def _training(one: Training) -> Component:
    """When the model was trained last, on what, why, with which effect, and when the next run is due."""
    last = one.last
    if last is None:
        rows: list[tuple[str, Any]] = [("Last trained (UTC)", "no run of a hook has succeeded yet")]
    else:
        cost, took = last.metrics.get(COST), one.healthy_after
        rows = [
            ("Last trained (UTC)", word.minute(last.succeeded_at)),
            ("Trained on", ", ".join(_window(last))),
            ("Asked for by", last.by or last.trigger.value),
            ("Approved by", last.approved_by or "nobody had to"),
            ("Effect", _state(last)),
            ("From alert to healthy", word.NONE if took is None else word.span(took)),
            ("Cost, as the run reports", word.NONE if cost is None else number.exact(cost)),
        ]
    if one.cadence is not None:
        due = piece.mark(Verdict.WARN if one.overdue else Verdict.OK, "overdue" if one.overdue else "in time")
        rows += [("Cadence", f"every {duration.text(one.cadence)}"), ("Due (UTC)", html.Div([word.minute(one.due), " ", due]))]
    return piece.card("Training", piece.table(("", ""), rows, caption="The training of the model"))


def _hooks(hooks: Sequence[Hook], requests: Sequence[Retrain]) -> Component:
    if not hooks:
        return piece.card("Hooks", piece.empty("No hook is left", "The history stays."))
    head = ("Hook", "When", "Judged by", "Last trained (UTC)")
    rows = [
        (
            _lines(piece.name(one.name), f"{one.kind}, {_mode(one)}"),
            _words(_when(one), 120),
            _words(_verify(one), 120),
            _trained(one, requests),
        )
        for one in hooks
    ]
    return piece.card("Hooks", piece.table(head, rows, caption="Hooks"))


def _history(requests: Sequence[Retrain], read: int) -> Component:
    if not requests:
        return piece.card("History", piece.empty("No request has ended yet"))
    head = ("Asked for (UTC)", "Result", "Why", "Effect")
    rows = [(*_asked(one, _state(one)), html.Div([_last(one), _lines(*_outcome(one))])) for one in requests]
    foot = [] if read < RETRAINS else f"The last {RETRAINS} requests."
    return piece.card("History", piece.table(head, rows, caption="Requests that have ended"), foot=foot)


def _asked(one: Retrain, second: Any) -> tuple[Any, ...]:
    episodes: list[Any] = [
        part for name in one.episodes[:3] for part in (" · ", piece.link("episode", address("alerts", name), says=f"episode {name}"))
    ]
    more = [f" · and {len(one.episodes) - 3} more"] if len(one.episodes) > 3 else []
    return (
        _lines(word.minute(one.created), f"by {one.by or one.trigger}"),
        second,
        html.Div([piece.name(one.reason, 160), *episodes, *more], className="words"),
    )


def _state(one: Retrain) -> Component:
    return piece.mark(_MARKS.get(one.state, Verdict.NODATA), one.state.replace("_", " "))


def _last(one: Retrain) -> Any:
    return _words(one.history[-1].reason, 240) if one.history else word.NONE


def _words(text: str, most: int) -> Component:
    return html.Div(piece.name(text, most), className="words")


def _lines(*parts: Any) -> Component:
    """What is said below one another."""
    return html.Div([html.Span(part, className="under") for part in parts])


def _outcome(one: Retrain) -> list[Any]:
    """The version, what it was trained on, how long it took from the alert to its proof, and who approved."""
    found: list[Any] = [piece.name(f"version {one.version}")] if one.version else []
    found += ["trained on", *_window(one)] if one.manifest is not None else []
    if one.state is RetrainState.EFFECTIVE and one.ended_at is not None:
        found.append(f"healthy {word.span(one.ended_at - one.created)} after it was asked for")
    return [*found, *([f"approved by {one.approved_by}"] if one.approved_by else [])]


def _window(one: Retrain) -> list[str]:
    made = one.manifest
    if made is None:
        return [word.NONE]
    rows = f"{word.count(made.rows)} rows, {word.count(made.labelled)} labelled"
    return [rows, f"{moment.text(made.start)[:10]} to {moment.text(made.end)[:10]}"]


def _run(one: Retrain) -> Any:
    safe = one.url.startswith(("https://", "http://"))
    return piece.link(piece.name(one.run or "open", 40), one.url) if safe else piece.name(one.run or word.NONE)


def _when(one: Hook) -> str:
    parts = []
    if one.on is not None:
        windows = "1 window" if one.on.after == 1 else f"{one.on.after} windows"
        parts.append(f"an episode of {', '.join(one.on.families)} from {one.on.severity} on, after {windows}")
    if one.schedule is not None:
        parts.append(f"{one.schedule} ({one.timezone})")
    return "; ".join(parts) or "by hand"


def _mode(one: Hook) -> str:
    return one.mode.replace("_", " ") if one.enabled else "paused"


def _verify(one: Hook) -> str:
    made = one.verify
    if made is None:
        return "nothing"
    return f"{made.measure}, {made.windows} windows of {duration.text(made.window)} within {duration.text(made.within)}"


def _trained(one: Hook, requests: Sequence[Retrain]) -> str:
    return word.minute(
        max((each.succeeded_at for each in requests if each.hook == one.name and each.succeeded_at is not None), default=None)
    )


def _approve(one: Retrain) -> Component:
    return button("Approve", f"/v1/retrains/{one.id}/approve", {}, "The target is asked, once the conditions hold.")


def _cancel(one: Retrain) -> Component:
    effect = "Nothing is asked of the target any more. A run that it has begun goes on there."
    return button("Cancel", f"/v1/retrains/{one.id}/cancel", {}, effect, ask="comment", question="Why?")
