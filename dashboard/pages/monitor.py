"""The form of a monitor: its fields with its YAML beside, what it would have raised, where that would go, and the button that applies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import bin_text, moment
from core.contract import Contract
from core.error import ConfigError, Retryable
from core.monitor import Monitor
from core.trial import Trial
from dashboard import components as piece
from dashboard import late
from dashboard import texts as word
from dashboard.act import button
from dashboard.monitor_form import SEVERITIES, MonitorForm, as_yaml, left_out
from dashboard.pages.monitors import Choice
from dashboard.panel import Page, ask, ask_long
from dashboard.picked import BASELINES, TARGETS
from dashboard.ports import Goes, Reader

LISTED = 10  # episodes
_EFFECT = "The monitor is applied, and evaluated over the whole history."


async def draw(reader: Reader, search: str = "") -> Page:
    """The form and its definition. What that would do comes later, because a back-test takes seconds: meanwhile one goes on to write."""
    form, contracts = MonitorForm.of(search), await ask(reader.contracts)
    title = "A monitor is tried on the events that are there before it is applied."
    heading = html.Div([html.H1("New monitor"), html.P(title, className="faint")], className="title")
    if not contracts:
        return Page("New monitor", [heading, piece.empty("No model", "A monitor watches a model, which needs a contract first.")])
    contract = next((one for one in contracts if one.model == form.model), None)
    names = [one.model for one in contracts]
    definition = _definition(form, await _held(reader, form))
    body: list[Any] = [heading, html.Div([_fields(form, reader, names, contract), definition], className="halves")]
    if contract is None or form.missing:
        wanted = form.missing or [f"a model that there is: {word.cut(form.model)!r} is none"]
        return Page("New monitor", [*body, piece.empty("Not tried yet", f"Fill in {', '.join(wanted)}.")])
    return Page("New monitor", [*body, late.place("trial", "The monitor is tried on the events that are there.", search)])


async def tried(reader: Reader, search: str) -> Any:
    """What the monitor would have raised, where that would go, and the button that applies it; or what is wrong with its definition."""
    form = MonitorForm.of(search)
    row = await ask(reader.model, form.model)
    if row is None:  # deleted just now
        return None
    start = None if row.last_ts is None else row.last_ts - form.tried_over
    try:
        found = await ask_long(reader.backtest, Trial(form.definition, start))
        goes = await ask(reader.would_go, form.definition)
    except (ConfigError, Retryable) as error:
        return piece.card("It cannot be tried", html.P(str(error), className="words"), note="Nothing is applied.")
    held = await _held(reader, form)
    effect = _EFFECT if held is None else f"{_EFFECT} {_replaces(held)}"
    save = button("Apply", "/v1/apply", {"yaml": as_yaml(form.definition)}, effect, dry=True)
    other = piece.link("All monitors of the model", Choice(model=form.model).address)
    days = form.tried_over // moment.DAY
    return [_raised(found, days), _where(goes), piece.card("Apply it", html.Div([save, " ", other], className="line"))]


async def _held(reader: Reader, form: MonitorForm) -> Monitor | None:
    """The stored monitor that the form would change."""
    return next((one for one in await ask(reader.monitors, form.model) if one.name == form.monitor), None)


def _replaces(held: Monitor) -> str:
    """What applying does to a monitor that is there."""
    lost = left_out(held)
    more = f" What the form does not have goes back to what is usual: {', '.join(lost)}." if lost else ""
    return f"There is a monitor of this name, which is changed to this definition.{more}"


def _fields(form: MonitorForm, reader: Reader, names: Sequence[str], contract: Contract | None) -> Component:
    """The fields; what there is to choose from depends on the model."""
    measures = [(one.name, f"{one.title} ({one.name})") for one in sorted(reader.measures.values(), key=lambda one: one.name)]
    there = "" if contract is None else ", ".join(column.name for column in contract.features[:3])
    dimensions = "" if contract is None else ", ".join(one.name for one in contract.dimensions[:2])
    return piece.card(
        "Fields",
        html.Div(
            [
                piece.select("model", "Model", form.model, [(name, name) for name in names]),
                piece.search("monitor", "Name", form.monitor, hint="Such as fare-drift"),
                piece.select("measure", "Measure", form.measure, measures, "drift.psi", 300),
                piece.search("columns", "Columns", form.columns, hint=f"All, or such as {there}" if there else "All"),
                piece.search("segments", "Segments", form.segments, hint=f"All traffic, or such as {dimensions}" if dimensions else "All traffic"),
                piece.select("target", "Windows", form.target, [(key, words) for key, (words, _) in TARGETS.items()], "1d", 160),
                piece.search("timezone", "Time zone", form.timezone, hint="UTC, or such as Europe/Rome", width=200),
                piece.select("baseline", "Compared with", form.baseline, [("", "the usual"), *((key, words) for key, (words, _) in BASELINES.items())]),
                piece.search("warn", "Warns from", form.warn, hint="Such as 0.1 or below 0.8", width=160),
                piece.search("critical", "Critical from", form.critical, hint="Such as 0.25", width=160),
                piece.search("min_samples", "Minimum samples", form.min_samples, hint="200", width=160),
                piece.search("persist", "Persists", form.persist, hint="Such as 2 of 3", width=160),
                piece.select("severity", "Severity", form.severity, SEVERITIES, width=160),
            ],
            className="controls form",
        ),
    )  # fmt: skip


def _definition(form: MonitorForm, held: Monitor | None) -> Component:
    """The YAML of the fields."""
    note = "The same as a file: watchkeeper apply FILE.yaml."
    return piece.card("As YAML", html.Pre(as_yaml(form.definition)), note=note if held is None else f"{note} {_replaces(held)}")


def _raised(found: Mapping[str, Any], days: int) -> Component:
    """The back-test over so many days."""
    expected = found["expected_false_alarm_windows"]
    facts = piece.figures(
        ("Windows", word.count(found["windows"]), ""),
        ("Readings", word.count(found["readings"]), ""),
        ("Windows in alarm", word.count(found["alarm_windows"]), "" if expected is None else f"at most {expected:.1f} by chance"),
        ("Episodes", word.count(len(found["episodes"])), ""),
    )
    rows = [
        (piece.name(one["column"] or "the model"), piece.name(bin_text.of_slice(one["segment"])), piece.badge(one["level"]), one["fired_at"][:16].replace("T", " "), (one["ended_at"] or "still open")[:16].replace("T", " "))
        for one in found["episodes"][-LISTED:]
    ]  # fmt: skip
    head = ("Column", "Segment", "Level", "Fired (UTC)", "Ended (UTC)")
    shown = [facts, piece.table(head, rows, caption="Episodes that it would have opened")] if rows else [facts]
    more = f" The last {LISTED} episodes are listed." if len(found["episodes"]) > LISTED else ""
    return piece.card("What it would have raised", shown, note=f"Back-test over the last {days} days of events.{more}")


def _where(goes: Goes) -> Component:
    """The routing of an episode of the monitor."""
    to = f"to: {', '.join(goes.to)}" if goes.to else f"nowhere: {goes.nowhere}"
    escalates = f" It escalates to {', '.join(goes.escalates)}." if goes.escalates else ""
    held = f" Held back now: {goes.held}." if goes.held else ""
    said = f"An episode of severity {goes.severity} goes {to}.{escalates}{held}"
    return piece.card("Where would this go?", html.P(said, className="words"))
