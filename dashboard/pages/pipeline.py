"""The page of the pipeline: does everything that is sent arrive, and is it evaluated?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import components as piece
from dashboard import texts as word
from dashboard.panel import Page, ask, panel
from dashboard.ports import Pipeline, Reader

WATERMARKS = 20  # models listed
_CUT = 60  # characters of a reason's model or field


async def draw(reader: Reader, _search: str) -> Page:
    """The progress of ingest and evaluation, the watermarks, and dead letters."""
    status = await ask(reader.status)
    heading = html.Div(
        [html.H1("Pipeline"), html.P("From the log to readings: what came, how far it is, and what could not be used.", className="faint")],
        className="title",
    )
    flow, watermarks = await gather(panel(_flow(reader, status), "ingest"), panel(_watermarks(reader), "watermarks"))
    ingest, *letters = piece.several(flow)
    body = [heading, ingest, _evaluation(status.get("evaluate", {})), *letters, watermarks]
    if processes := status.get("processes"):
        rows = [(str(one["kind"]), str(one["where"])) for one in processes]
        body.append(piece.card("Processes", piece.table(("Type", "Where"), rows, caption="Processes")))
    return Page("Pipeline", body)


async def _flow(reader: Reader, status: Mapping[str, Any]) -> list[Component]:
    """What came, and what of it could not be used."""
    flow = await ask(reader.pipeline)
    return [_ingest(status.get("ingest", {}), flow), _letters(flow)]


def _ingest(topics: Mapping[str, Any], flow: Pipeline) -> Component:
    rows = [
        (
            topic.capitalize(),
            word.count(of["lag"]),
            word.count(of["rows"]),
            word.count(flow.lately.get(topic, 0)),
            word.count(of["duplicates"]),
            word.count(of["rejected"]),
        )
        for topic, of in topics.items()
    ]
    head = ("Topic", "Records waiting", "Rows in all", "Rows in the last hour", "Duplicates", "Rejected rows")
    return piece.card("Ingest", piece.table(head, rows, caption="Ingest", numbers=range(1, 6)), note="The last hour is by the log's time.")


def _evaluation(of: Mapping[str, Any]) -> Component:
    last = f"the last step ended {of['last']}" if of.get("last") else "no step yet"
    facts = [
        ("Models", word.count(of.get("models", 0)), "that are watched"),
        ("Readings", word.count(of.get("readings", 0)), last),
        ("Last step", f"{of.get('seconds', 0):.1f} s", "from the beginning of its work to its end"),
        ("Slots audited", word.count(of.get("audited", 0)), "panes compared with raw events"),
        ("Slots repaired", word.count(of.get("repaired", 0)), "panes made again, for they differed"),
    ]
    return piece.card("Evaluation", piece.figures(*facts), note="Counted since the process that evaluates a model took it.")


def _letters(flow: Pipeline) -> Component:
    """Dead letters by reason."""
    if not flow.letters:
        return piece.card("Dead letters", piece.empty("None", "Every row that came could be used."))
    rows = [
        (
            one.reason,
            one.topic,
            piece.name(one.model or word.NONE, _CUT),
            piece.name(one.field or word.NONE, _CUT),
            word.count(one.letters),
            word.minute(one.newest),
            f"{one.partition}/{one.position}/{one.row}",
        )
        for one in flow.letters
    ]
    head = ("Reason", "Topic", "Model", "Field", "Rows", "Newest (UTC)", "Where the newest stands")
    table = piece.table(head, rows, caption="Dead letters", numbers=(4,))
    return piece.card(
        "Dead letters", table, note="Rows that could not be used, by reason, the newest first. Where: partition, position in the log, row."
    )


async def _watermarks(reader: Reader) -> Component:
    """The models whose newest event is oldest."""
    models = await ask(reader.models)
    sent = sorted((row.last_ts, row.model, row.predictions) for row in models if row.last_ts is not None)
    if not sent:
        return piece.card(
            "Event time",
            piece.empty("No event yet" if models else "No model yet", "What is sent is listed here by the age of its newest event."),
        )
    rows = [(piece.name(name), word.minute(last), word.ago(last), word.count(n)) for last, name, n in sent[:WATERMARKS]]
    note = f"The {len(rows)} models whose newest event is oldest." if len(sent) > len(rows) else "The oldest first."
    table = piece.table(("Model", "Newest event (UTC)", "Age", "Predictions"), rows, caption="Event time", numbers=(3,))
    return piece.card("Event time", table, note=note)
