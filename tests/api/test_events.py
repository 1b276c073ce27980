"""Events over HTTP: what is accepted, what is refused, and when the answer comes."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from core.error import Fatal, Retryable
from ingest.decode.payload import LARGEST
from tests.api.conftest import NOW
from tests.api.twin import Twin, body, event
from watchkeeper.api.ports import Overloaded

JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}


async def send(http: httpx.AsyncClient, content: Any, headers: dict[str, str] = JSON, topic: str = "predictions") -> httpx.Response:
    """Post a body of events."""
    return await http.post(f"/v1/{topic}", content=content, headers=headers)


def is_problem(answer: httpx.Response, status: int) -> bool:
    """Whether an answer is a whole problem document of this status."""
    document = answer.json()
    complete = all(document[name] for name in ("type", "title", "detail", "remedy")) and document["status"] == status
    return complete and answer.status_code == status and answer.headers["content-type"] == "application/problem+json"


async def test_good_rows_land_and_bad_ones_are_told(http: httpx.AsyncClient, twin: Twin) -> None:
    """Of a batch with every kind of fault the good rows are accepted, and the answer lists the others with reasons."""
    rows: list[Any] = [
        event(),
        event(ts="2100-01-01T00:00:00Z"),
        event(ts="1970-01-01T00:00:00Z"),
        event(prediction_id=...),
        event(model="<script>alert(1)</script>"),
        event(features={"salary": "a lot", "borough": "x" * 10_000_000, "made up": 1}),
        event(features={"salary": float("nan"), "borough": ["Queens"]}),
        event(prediction=float("inf")),
        "no event",
    ]
    answer = await send(http, body(*rows))
    assert answer.status_code == 200
    found = answer.json()
    assert (found["accepted"], found["rejected"]) == (3, 6)
    assert [(error["row"], error["field"]) for error in found["errors"]] == [
        *((1, "ts"), (2, "ts"), (3, "prediction_id"), (4, "model"), (7, "prediction"), (8, "")),
    ]
    assert found["errors"][0] == {"row": 1, "field": "ts", "reason": "2100-01-01T00:00:00Z is later than now + 1 day"}
    assert [(cell["row"], cell["field"]) for cell in found["cells"]] == [(5, "borough"), (5, "salary"), (6, "borough"), (6, "salary")]
    assert found["cells"][1]["reason"] == "a string where a number is expected"
    ((topic, _, kind, decoded, now),) = twin.appended
    assert (topic, kind, decoded.accepted, now) == ("predictions", "json", 3, NOW)
    assert decoded.unknown == {("taxi-fare", "made up"): 1}


async def test_lines_may_be_packed(http: httpx.AsyncClient, twin: Twin) -> None:
    """Gzip of NDJSON is appended unpacked; a broken line costs that line."""
    plain = json.dumps(event()).encode() + b'\n{"broken\n' + json.dumps(event(prediction_id="a2")).encode() + b"\n"
    answer = await send(http, gzip.compress(plain), {**LINES, "content-encoding": "gzip"})
    assert (answer.json()["accepted"], [error["row"] for error in answer.json()["errors"]]) == (2, [1])
    assert twin.appended[0][1:3] == (plain, "ndjson")


async def test_labels_land(http: httpx.AsyncClient, twin: Twin) -> None:
    """A label, a retraction, and a null that is neither."""
    label = {"prediction_id": "a", "model": "taxi-fare"}
    answer = await send(http, body({**label, "label": 1}, {**label, "deleted": True}, {**label, "label": None}), topic="labels")
    assert (answer.json()["accepted"], [error["field"] for error in answer.json()["errors"]]) == (2, ["label"])
    assert twin.appended[0][0] == "labels"


async def test_one_object_is_a_batch(http: httpx.AsyncClient) -> None:
    """An object need not be in an array."""
    assert (await send(http, json.dumps(event()))).json() == {"accepted": 1, "rejected": 0, "errors": [], "cells": []}


async def test_an_empty_array_is_fine(http: httpx.AsyncClient, twin: Twin) -> None:
    """It is answered and not appended."""
    answer = await send(http, b"[]")
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "rejected": 0, "errors": [], "cells": []})
    assert twin.appended == []


async def test_nothing_is_kept_when_every_row_is_rejected(http: httpx.AsyncClient, twin: Twin) -> None:
    """422, with the same body in the problem document; at most a hundred errors are listed."""
    answer = await send(http, body(*(event(prediction_id=7) for _ in range(150))))
    assert is_problem(answer, 422)
    assert (answer.json()["accepted"], answer.json()["rejected"], len(answer.json()["errors"]), answer.json()["cells"]) == (0, 150, 100, [])
    assert twin.appended == []


@pytest.mark.parametrize("content", [b"", b"[1,", b"nonsense", b"7", b"[" * 1_000 + b"]" * 1_000, b'["\xff"'])
async def test_what_cannot_be_read_is_400(http: httpx.AsyncClient, twin: Twin, content: bytes) -> None:
    """Nothing, broken or too deep JSON, and broken gzip."""
    assert is_problem(await send(http, content), 400)
    assert is_problem(await send(http, content, {**JSON, "content-encoding": "gzip"}), 400)
    assert twin.appended == []


async def test_too_large_bodies_are_413(http: httpx.AsyncClient) -> None:
    """By the announced length, while it streams, and after unpacking."""

    async def stream() -> AsyncIterator[bytes]:
        for _ in range((LARGEST >> 20) + 1):
            yield b" " * 2**20

    assert is_problem(await send(http, b"[]", {**JSON, "content-length": str(LARGEST + 1)}), 413)
    assert is_problem(await send(http, stream()), 413)
    assert is_problem(await send(http, gzip.compress(b" " * (LARGEST + 1), 1), {**JSON, "content-encoding": "gzip"}), 413)


@pytest.mark.parametrize("headers", [{"content-type": "text/csv"}, {}, {**JSON, "content-encoding": "br"}])
async def test_other_types_are_415(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Of content and of encoding; the type's parameters do not matter."""
    assert is_problem(await send(http, b"[]", headers), 415)
    assert (await send(http, b"[]", {"content-type": "application/json; charset=utf-8"})).status_code == 200


@pytest.mark.parametrize(
    ("failure", "status"), [(Overloaded("full", after=2.5), 429), (Retryable("away"), 503), (Fatal("no such user: ada"), 503)]
)
async def test_a_log_that_cannot_take_more_asks_for_patience(http: httpx.AsyncClient, twin: Twin, failure: Exception, status: int) -> None:
    """429 when it is full, 503 when it is away or a person must look, all with Retry-After; nothing is said to be accepted."""
    twin.failure = failure
    answer = await send(http, body(event()))
    assert is_problem(answer, status)
    assert int(answer.headers["retry-after"]) >= 1
    assert "ada" not in answer.text


async def test_events_are_counted(http: httpx.AsyncClient) -> None:
    """The metrics count accepted and rejected rows and unknown columns, and measure the routes' times."""
    await send(http, body(event(features={"made up": 1}), event(ts="never")))
    text = (await http.get("/metrics")).text
    assert 'watchkeeper_events_total{outcome="accepted",topic="predictions"} 1.0' in text
    assert 'watchkeeper_events_total{outcome="rejected",topic="predictions"} 1.0' in text
    assert 'watchkeeper_unknown_cells_total{model="taxi-fare"} 1.0' in text
    assert 'watchkeeper_http_request_seconds_count{method="POST",route="/v1/predictions",status="200"} 1.0' in text
