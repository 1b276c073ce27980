"""In place of the inbox of an installation without a model: how the first event is sent, and whether it has come."""

from __future__ import annotations

from collections.abc import Mapping

from dash import html
from dash.development.base_component import Component

from core.reading import Verdict
from dashboard import components as piece
from dashboard import texts as word
from dashboard.state import address

_EVENT = '{"prediction_id": "trip-1", "model": "taxi-fare", "ts": "2026-01-05T08:10:00Z", "features": {"km": 3.1, "borough": "Queens"}, "prediction": 12.5}'
_WAYS = {
    "With curl": f"""WATCHKEEPER_URL=${{WATCHKEEPER_URL:-http://127.0.0.1:8650}}
curl -sS "$WATCHKEEPER_URL/v1/predictions" -H 'content-type: application/json' -d '[
  {_EVENT}]'""",
    "From Python": f"""import watchkeeper

with watchkeeper.Client() as client:
    client.predictions([{_EVENT}])""",
    "Over Kafka, on a cluster": f"""from confluent_kafka import Producer

producer = Producer({{"bootstrap.servers": "kafka:9092", "acks": "all", "enable.idempotence": True, "partitioner": "murmur2_random"}})
producer.produce("predictions", key="trip-1", value='{_EVENT}')
producer.flush()""",
}


def first_run(waiting: Mapping[str, int]) -> list[Component]:
    """The steps to a model that is watched. `waiting` are the models without a contract of which events have come, with the numbers of events."""
    come = sum(waiting.values())
    mark = piece.mark(Verdict.OK, "Arrived") if come else piece.mark(Verdict.NODATA, "Waiting for it")
    links = [
        html.Li([piece.link(piece.name(model), address("models", model)), f": {word.count(n)} events wait for a contract"])
        for model, n in waiting.items()
    ]
    ways = [
        html.Details([html.Summary(name), html.Pre(code)], open=not place and not come) for place, (name, code) in enumerate(_WAYS.items())
    ]
    note = "This page says when it has come. No contract is needed yet: events of a model without one wait for it."
    own = "watchkeeper reference taxi-fare reference.parquet --task regression   # a file with the rows that the model was accepted on"
    production = "watchkeeper reference taxi-fare --from-production   # or what it did first, once enough events have come"
    return [
        piece.card("1. Send an event", [html.Div(mark, className="line"), *([html.Ul(links)] if links else []), *ways], note=note),
        piece.card(
            "2. Say what normal looks like",
            html.Pre(f"{own}\n{production}"),
            note="From then on drift, missing values and values in the tails are watched without a monitor of your own.",
        ),
        piece.card("Or look at an example first", html.Pre("watchkeeper demo"), note="A year of flights with two models, some minutes."),
    ]
