"""The light client against a real server on this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from tests.client.stand import Answer, Request, Server
from watchkeeper import Client
from watchkeeper.client import ClientError, Refused, Unavailable


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url, patience=5.0, batch=2) as client:
        yield client


def _event(number: int) -> dict[str, object]:
    return {"prediction_id": str(number), "model": "m", "ts": datetime(2022, 7, 1, tzinfo=UTC), "features": {"km": np.float64(number)}}


def test_events_go_in_order_and_in_batches(server: Server, client: Client) -> None:
    """Five events are three requests of at most two; times and numpy's numbers are written as JSON."""
    sent = client.predictions(_event(number) for number in range(5))
    assert sent.accepted == 5
    assert [[event["prediction_id"] for event in request.events] for request in server.requests] == [["0", "1"], ["2", "3"], ["4"]]
    assert server.requests[0].events[1]["ts"] == "2022-07-01T00:00:00+00:00"
    assert server.requests[0].events[1]["features"] == {"km": 1.0}
    assert server.requests[0].path == "/v1/predictions"
    assert server.requests[0].headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pd.NA, None),
        (pd.NaT, None),
        (float("nan"), None),
        (np.float32("nan"), None),
        (np.datetime64("NaT"), None),
        (Decimal("NaN"), None),
        (Decimal("sNaN"), None),
        (float("inf"), float("inf")),
        (np.int64(7), 7),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array(2.5), 2.5),
        (np.array([[2.5]]), 2.5),
        (np.array([1, 2]), [1, 2]),
        (Decimal("0.25"), 0.25),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pd.Timestamp("2022-07-01T00:00:00+05:00"), "2022-07-01T00:00:00+05:00"),
    ],
)
def test_values_of_pandas_and_numpy_are_written_as_json(server: Server, client: Client, value: object, expected: object) -> None:
    """Nulls of every kind are null, numbers and booleans JSON's, and an array of several is a list, which the server refuses by row and field."""
    assert client.predictions([{**_event(1), "features": {"km": value}}, _event(2)]).rejected == 0
    assert [event["features"]["km"] for event in server.requests[0].events] == [expected, 2.0]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"features": {"km": object()}}, "features.km", "object cannot be sent; send a number, string, boolean or null"),
        ({"features": {"km": {1, 2}}}, "features.km", "set cannot be sent"),
        ({"features": {"km": SimpleNamespace(dtype="f4")}}, "features.km", "SimpleNamespace cannot be sent"),  # a tensor's kin
        ({"ts": datetime(2022, 7, 1)}, "ts", "2022-07-01 00:00:00 has no time zone; send a datetime with one"),  # noqa: DTZ001
        ({"ts": pd.Timestamp("2022-07-01")}, "ts", "has no time zone; send a datetime with one"),
        ({"ts": np.datetime64("2022-07-01", "ns")}, "ts", "which has no time zone"),
        ({"tags": {"took": np.timedelta64(3, "s")}}, "tags.took", "send its length as a number"),
    ],
)
def test_what_cannot_be_sent_costs_its_row(server: Server, client: Client, change: dict[str, Any], field: str, reason: str) -> None:
    """The result names row, field and remedy; the other rows are sent, and the server's row numbers count over all rows."""
    fault = {"row": 0, "field": "ts", "reason": "too late"}
    answers = [Answer(body={"accepted": 1, "rejected": 0}), Answer(422, {"accepted": 0, "rejected": 1, "errors": [fault]})]
    server.reply = lambda _: answers.pop(0)
    bad = {**_event(9), **change}
    sent = client.predictions([bad, _event(1), bad, _event(3), bad, bad])
    assert (sent.accepted, sent.rejected) == (1, 5)
    assert [(error["row"], error["field"]) for error in sent.errors] == [(0, field), (2, field), (3, "ts"), (4, field), (5, field)]
    assert reason in sent.errors[0]["reason"]
    assert [[event["prediction_id"] for event in request.events] for request in server.requests] == [["1"], ["3"]]


def test_what_is_no_event_costs_its_row(server: Server, client: Client) -> None:
    """A Series, a text, and an event within itself."""
    endless: dict[str, Any] = {}
    endless["features"] = endless
    sent = client.labels([pd.Series({"label": 1}), "label", endless, {"prediction_id": "1", "label": 1}])  # type: ignore[list-item]
    assert (sent.accepted, sent.rejected) == (1, 3)
    assert ["expected; send a dict" in error["reason"] for error in sent.errors] == [True, True, False]
    assert "nested too deep" in sent.errors[2]["reason"]
    assert [request.events for request in server.requests] == [[{"prediction_id": "1", "label": 1}]]


def test_rows_of_reasons_count_over_all_batches(server: Server, client: Client) -> None:
    """Row 1 of the second batch is row 3; a batch that is wholly rejected (422) is an answer, no failure."""
    fault = {"row": 1, "field": "ts", "reason": "too late"}
    answers = [Answer(body={"accepted": 2, "rejected": 0, "errors": []}), Answer(422, {"accepted": 0, "rejected": 2, "errors": [fault]})]
    server.reply = lambda _: answers.pop(0)
    sent = client.labels([{"prediction_id": str(number), "label": 1} for number in range(4)])
    assert (sent.accepted, sent.rejected) == (2, 2)
    assert sent.errors == [{"row": 3, "field": "ts", "reason": "too late"}]


def test_a_busy_server_is_asked_again(server: Server, client: Client) -> None:
    """After 503, and after 429 with Retry-After: 1 second, the same body is sent again, and no event is lost."""
    answers = [Answer(503), Answer(429, headers={"Retry-After": "1"}), Answer(body={"accepted": 1, "rejected": 0})]
    server.reply = lambda _: answers.pop(0)
    begun = time.monotonic()
    assert client.predictions([_event(1)]).accepted == 1
    assert time.monotonic() - begun >= 1.0
    assert len({request.body for request in server.requests}) == 1
    assert len(server.requests) == 3


def test_a_server_that_is_away_is_unavailable() -> None:
    """With no patience the first refused connection is the end, with a remedy."""
    with Client("http://127.0.0.1:9", patience=0.0) as client, pytest.raises(Unavailable, match="watchkeeper up"):
        client.status()


def test_a_refusal_brings_the_problem(server: Server, client: Client) -> None:
    """A 400 is not repeated; its title, detail and remedy are in the error."""
    problem = {"title": "not a monitor", "detail": "measure `x`", "remedy": "write another"}
    server.reply = lambda _: Answer(400, problem)
    with pytest.raises(Refused, match="not a monitor: measure `x`") as caught:
        client.apply("- monitor: m")
    assert (caught.value.status, caught.value.remedy) == (400, "write another")
    assert len(server.requests) == 1


def test_half_a_surrogate_pair_is_told_before_anything_is_sent(server: Server, client: Client) -> None:
    """In definitions, names and filters the error says where it is; for an event the server reports the row."""
    for call in (
        lambda: client.apply("- monitor: abc\ud800"),
        lambda: client.contract("abc\ud800"),
        lambda: client.reference("m", b"PAR1", segments=["abc\ud800"]),
        lambda: list(client.episodes(model="abc\ud800")),
    ):
        with pytest.raises(ClientError, match=r"half a surrogate pair: '.*abc\\ud800'"):
            call()
    assert server.requests == []
    assert client.predictions([{**_event(1), "version": "\ud800"}]).accepted == 1


def test_readings_follow_the_cursor(server: Server, client: Client) -> None:
    """Pages are read until `next` is null; filters that are None are not sent, an empty column is."""

    def reply(request: Request) -> Answer:
        return Answer(body={"items": [{"n": 2}], "next": None} if "cursor" in request.query else {"items": [{"n": 1}], "next": "c"})

    server.reply = reply
    assert list(client.readings(model="m", column="", start="2022-07-01T00:00:00Z")) == [{"n": 1}, {"n": 2}]
    assert server.requests[1].query == {"model": "m", "column": "", "from": "2022-07-01T00:00:00Z", "cursor": "c"}


def test_episodes_of_a_monitor_are_asked_for(server: Server, client: Client) -> None:
    """By model and monitor, as the API has them."""
    server.reply = lambda _: Answer(body={"items": [], "next": None})
    assert list(client.episodes(state="open", model="m", monitor="a/b")) == []
    assert server.requests[0].query == {"state": "open", "model": "m", "monitor": "a/b"}


def test_wait_returns_when_quiet_and_gives_up_in_time(server: Server, client: Client) -> None:
    """Quiet at the third look; never quiet is a TimeoutError."""
    answers = [False, False, True]
    server.reply = lambda _: Answer(body={"quiet": answers.pop(0) if answers else False})
    assert client.wait(5, every=0.01)["quiet"]
    with pytest.raises(TimeoutError, match="not quiet"):
        client.wait(0.05, every=0.01)


def test_the_token_and_the_options_travel(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    """The token is a bearer; options of a reference are the query, lists joined, None left out; a model's name is quoted."""
    monkeypatch.setenv("WATCHKEEPER_TOKEN", "secret")
    server.reply = lambda _: Answer(body={"version": 1})
    with Client(server.url) as client:
        client.reference("a/b", b"PAR1", task="binary", segments=["x", "y*z"], positive=None)
    request = server.requests[0]
    assert (request.method, request.path, request.body) == ("PUT", "/v1/models/a%2Fb/reference", b"PAR1")
    assert request.query == {"task": "binary", "segments": "x,y*z"}
    assert request.headers["Authorization"] == "Bearer secret"


def test_the_client_is_light() -> None:
    """Importing it imports none of our other packages, and no numpy."""
    heavy = "core detectors ingest monitors storage alerts dashboard numpy msgspec pyarrow pydantic"
    code = f"import sys, watchkeeper; print([name for name in {heavy.split()} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip() == "[]"
