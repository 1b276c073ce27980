"""Bad input gets a clear reason, the rest of its batch is accepted, and the server goes on serving and evaluating."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Dialog

from core.text import quote as quote_text
from tests.browser.conftest import Window, browser  # noqa: F401
from watchkeeper.client import Client
from watchkeeper.demo.server import DemoServer

MODEL = "<script>alert('1')</script> \\ \"x\" {y:String}"
COLUMN, VALUE = "<script>alert(2)</script> '\\", "<img src=x onerror=alert(3)>'\\,"
SEGMENT = f"{COLUMN}={quote_text(VALUE)}"
PAGE = f"models/{quote(MODEL, safe='')}"
DAY = 1_700_006_400_000  # milliseconds, a midnight
NDJSON, JSON = {"Content-Type": "application/x-ndjson"}, {"Content-Type": "application/json"}


@dataclass
class Stand:
    """A server with one model whose name has special characters, and the ids that it has accepted."""

    client: Client
    http: httpx.Client
    accepted: set[str] = field(default_factory=set)
    labelled: set[str] = field(default_factory=set)

    def send(self, topic: str, body: bytes, **headers: str) -> httpx.Response:
        return self.http.post(
            f"/v1/{topic}", content=body, headers=NDJSON | {name.replace("_", "-"): value for name, value in headers.items()}
        )


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    rng, rows = np.random.default_rng(1), 400
    reference = pd.DataFrame(
        {
            "prediction_id": [f"r{row}" for row in range(rows)],
            "ts": pd.Timestamp("2023-11-01", tz="UTC") + pd.to_timedelta(np.arange(rows), unit="min"),
            "km": rng.normal(size=rows),
            COLUMN: rng.choice([VALUE, "plain"], rows),
            "prediction": rng.integers(0, 2, rows),
            "score": rng.random(rows),
            "label": rng.integers(0, 2, rows),
        }
    )
    parquet = io.BytesIO()
    reference.to_parquet(parquet)
    environment = {"WATCHKEEPER_INGEST__SILENCE": "1s"}
    with (
        DemoServer(tmp_path_factory.mktemp("bad") / "data", environment=environment) as server,
        Client(server.url) as client,
        httpx.Client(base_url=server.url, trust_env=False, timeout=300) as http,
    ):
        client.reference(MODEL, parquet.getvalue(), task="binary", segments=[COLUMN])
        watched = {"model": MODEL, "min_samples": 1, "segments": ["all", COLUMN]}
        monitors = [
            {"monitor": "nulls", "measure": "quality.null_rate", "columns": ["km", COLUMN], "warn": 0.5, **watched},
            {"monitor": "accuracy", "measure": "performance.accuracy", "warn": {"below": 0.1}, **watched},
        ]
        client.apply(json.dumps(monitors))
        yield Stand(client, http)


def event(key: str, **changes: Any) -> dict[str, Any]:
    """A good prediction."""
    features = {"km": 0.5, COLUMN: VALUE}
    return {"prediction_id": key, "model": MODEL, "ts": DAY + 1_000, "features": features, "prediction": 1, "score": 0.9} | changes


def line(key: str, **changes: Any) -> bytes:
    """The line of a good prediction; NaN and infinity as Python writes them."""
    return json.dumps(event(key, **changes)).encode()


def without(name: str) -> bytes:
    """A prediction that lacks a field."""
    return json.dumps({key: value for key, value in event("x").items() if key != name}).encode()


FRAMES = {
    "broken": (b'{"prediction_id": "x", ', "", "not JSON"),
    "latin-1": (line("x").replace(b'"x"', b'"\xe9"', 1), "", "not UTF-8"),
    "number": (b"17", "", "a number where an event"),
    "null": (b"null", "", "null where an event"),
    "deep": (b'{"model":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "", "nested deeper than 64 levels"),
    "no id": (without("prediction_id"), "prediction_id", "is missing"),
    "number as id": (line("x", prediction_id=7), "prediction_id", "a number where a string is expected"),
    "empty id": (line(""), "prediction_id", "is empty"),
    "long id": (line("x" * 257), "prediction_id", "longer than 256 bytes"),
    "half a character": (line("\ud800"), "prediction_id", "half a character"),
    "no model": (without("model"), "model", "is missing"),
    "unknown model": (line("x", model="<b>nobody</b>"), "model", "there is no model '<b>nobody</b>'"),
    "no ts": (without("ts"), "ts", "is missing"),
    "1970": (line("x", ts="1970-06-01T00:00:00Z"), "ts", "earlier than 1971-01-01T00:00:00Z"),
    "2100": (line("x", ts="2100-01-01T00:00:00Z"), "ts", "2100-01-01T00:00:00Z is later than now + 1 day"),
    "no zone": (line("x", ts="2023-11-15T00:00:00"), "ts", "no time zone"),
    "no time": (line("x", ts="yesterday"), "ts", "is not an RFC 3339 time"),
    "boolean as ts": (line("x", ts=True), "ts", "a boolean where RFC 3339 text"),
    "endless ts": (line("x", ts=float("inf")), "ts", "is not a time"),
    "no features": (without("features"), "features", "is missing"),
    "features as array": (line("x", features=[1]), "features", "an array where an object is expected"),
    "no prediction": (without("prediction"), "prediction", "is missing"),
    "null as prediction": (line("x", prediction=None), "prediction", "null where"),
    "NaN as prediction": (line("x", prediction=float("nan")), "prediction", "NaN"),
}


@pytest.mark.parametrize("case", FRAMES)
def test_a_bad_frame_costs_its_row_alone(stand: Stand, case: str) -> None:
    """The row is rejected with field and reason, and the good row after it is accepted."""
    bad, name, reason = FRAMES[case]
    answer = stand.send("predictions", bad + b"\n" + line(f"after {case}"))
    body = answer.json()
    assert (answer.status_code, body["accepted"], body["rejected"]) == (200, 1, 1)
    stand.accepted.add(f"after {case}")
    assert (body["errors"][0]["row"], body["errors"][0]["field"]) == (0, name)
    assert reason in body["errors"][0]["reason"]


CELLS: dict[str, tuple[dict[str, Any], str, str]] = {
    "string as number": ({"km": "far"}, "km", "a string where a number is expected"),
    "boolean as number": ({"km": True}, "km", "a boolean where a number is expected"),
    "NaN": ({"km": float("nan")}, "km", "NaN, infinity or a number out of range; send null where there is no value"),
    "infinity": ({"km": float("-inf")}, "km", "NaN, infinity or a number out of range; send null where there is no value"),
    "huge": ({"km": 10**400}, "km", "NaN, infinity or a number out of range; send null where there is no value"),
    "object": ({"km": {"a": 1}}, "km", "an object where a number is expected"),
    "10 MB": ({COLUMN: "x" * 10_000_000}, COLUMN, "a string above 4096 bytes"),
    "array": ({COLUMN: [1]}, COLUMN, "an array where a string, number or boolean is expected"),
    "half a character": ({COLUMN: "\udfff"}, COLUMN, "half a character"),
}


@pytest.mark.parametrize("case", CELLS)
def test_a_bad_cell_does_not_cost_the_row(stand: Stand, case: str) -> None:
    """The row is accepted, and its bad cell is listed."""
    features, name, reason = CELLS[case]
    answer = stand.send("predictions", line(f"cell {case}", features={"km": 0.1, COLUMN: "plain"} | features))
    body = answer.json()
    assert (answer.status_code, body["accepted"], body["rejected"]) == (200, 1, 0)
    stand.accepted.add(f"cell {case}")
    assert (body["cells"][0]["row"], body["cells"][0]["field"]) == (0, name)
    assert reason in body["cells"][0]["reason"]


def test_unknown_columns_and_double_keys_are_taken(stand: Stand) -> None:
    """A column that is not in the contract is left out; if a key comes twice, its last value counts."""
    unknown = line("unknown", features={"km": 1, COLUMN: VALUE, "<script>": {"deep": [1]}})
    double = line("first").replace(b"{", b'{"prediction_id": "zeroth", ', 1)
    body = stand.send("predictions", unknown + b"\n" + double).json()
    assert (body["accepted"], body["rejected"], body["cells"]) == (2, 0, [])
    stand.accepted |= {"unknown", "first"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b"", JSON, 400, "empty"),
        (b" \n", NDJSON, 400, "empty"),
        (b"{", JSON, 400, "not JSON"),
        (b"7", JSON, 400, "neither an array of events nor one event"),
        (b"[" * 1_000_000, JSON, 400, "deeper"),
        (b"[{}]", {"Content-Type": "text/csv"}, 415, "text/csv"),
        (b"[{}]", JSON | {"Content-Encoding": "br"}, 415, "br"),
        (b"no gzip", JSON | {"Content-Encoding": "gzip"}, 400, "gzip is broken"),
        (gzip.compress(b"[]")[:-9], JSON | {"Content-Encoding": "gzip"}, 400, "gzip is broken"),
        (gzip.compress(b" " * (65 << 20), 9), JSON | {"Content-Encoding": "gzip"}, 413, "64 MiB after unpacking"),
        (gzip.compress(b" " * (40 << 20), 9) * 2, NDJSON | {"Content-Encoding": "gzip"}, 413, "64 MiB after unpacking"),
        (b"[" + b" " * (65 << 20) + b"]", JSON, 413, "64 MiB"),
        (b"[1, null]", JSON, 422, "every row was rejected"),
    ],
    ids=["nothing", "blank", "broken", "scalar", "deep", "csv", "brotli", "no gzip", "cut gzip", "bomb", "bombs", "large", "no events"],
)
def test_a_body_that_cannot_be_taken_is_a_problem_with_a_remedy(
    stand: Stand, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    """Decompression bombs, broken gzip, broken JSON and other types are answered with a problem, and nothing is kept."""
    answer = stand.http.post("/v1/predictions", content=body, headers=headers)
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert reason in problem["detail"]
    assert problem["remedy"]


def test_an_empty_batch_is_fine(stand: Stand) -> None:
    """An empty array is accepted."""
    answer = stand.http.post("/v1/predictions", content=b"[]", headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "rejected": 0, "errors": [], "cells": []})


IDS = [
    "'",
    '"',
    "\\",
    "\\'",
    "\n",
    "\t",
    "\r",
    "\0",
    "a\0b",
    "{model:String}",
    "%s",
    "NULL",
    "null",
    "é",
    "日本",
    "🛫",
    " ",
    "' OR 1=1 --",
    "x" * 256,
]


def test_any_text_is_an_id_once(stand: Stand) -> None:
    """Ids with quotes, zeroes, line ends and braces are kept as given, recognised when they come again, and joined with their labels."""
    body = b"\n".join(line(key) for key in IDS)
    for _ in range(3):
        assert stand.send("predictions", body).json()["accepted"] == len(IDS)
        stand.client.wait(600)
    labels = [{"prediction_id": key, "model": MODEL, "label": 1} for key in IDS]
    assert stand.client.labels(labels).accepted == len(IDS)
    stand.accepted |= set(IDS)
    stand.labelled |= set(IDS)


LABELS: dict[str, tuple[dict[str, Any], str, str]] = {
    "null": ({"label": None}, "label", "is null; send a value, or `deleted: true` to retract"),
    "NaN": ({"label": float("nan")}, "label", "NaN"),
    "array": ({"label": [1]}, "label", "an array where"),
    "deleted": ({"deleted": "yes"}, "deleted", "a string where true or false is expected"),
    "2100": ({"ts": 4_102_444_800_000}, "ts", "later than now + 1 day"),
    "id": ({"prediction_id": None}, "prediction_id", "null where a string is expected"),
}


@pytest.mark.parametrize("case", LABELS)
def test_a_bad_label_costs_itself_alone(stand: Stand, case: str) -> None:
    """It is rejected with field and reason; the label after it is accepted and waits for its prediction."""
    changes, name, reason = LABELS[case]
    good = {"prediction_id": f"orphan {case}", "model": MODEL, "label": 1}
    answer = stand.send("labels", json.dumps(good | changes).encode() + b"\n" + json.dumps(good).encode())
    body = answer.json()
    assert (answer.status_code, body["accepted"], body["rejected"]) == (200, 1, 1)
    assert (body["errors"][0]["row"], body["errors"][0]["field"]) == (0, name)
    assert reason in body["errors"][0]["reason"]


def test_after_all_of_it_the_server_serves_and_evaluates(stand: Stand) -> None:
    """Every accepted event is there once, the stream becomes quiet, and readings of names with special characters are found by these names."""
    stand.accepted.add("last")
    assert stand.send("predictions", line("last")).json()["accepted"] == 1
    status = stand.client.wait(600)
    assert status["problems"] == []
    row = stand.http.get(f"/v1/models/{quote(MODEL, safe='')}").json()
    assert (row["model"], row["predictions"], row["labelled"]) == (MODEL, len(stand.accepted), len(stand.labelled))
    for monitor, size in (("nulls", len(stand.accepted)), ("accuracy", len(stand.labelled))):
        found = list(stand.client.readings(model=MODEL, monitor=monitor, segment="all"))
        assert {reading["n_target"] for reading in found} == {size}
    assert SEGMENT in {reading["segment"] for reading in stand.client.readings(model=MODEL, monitor="nulls", segment=COLUMN)}
    assert list(stand.client.readings(model=MODEL, monitor="nulls", segment=SEGMENT))


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    ["", "models", PAGE, f"{PAGE}/columns/{quote(COLUMN, safe='')}", f"{PAGE}?segment={quote(SEGMENT, safe='')}"],
    ids=["inbox", "fleet", "model", "column", "segment"],
)
def test_pages_show_ugly_names_as_text(stand: Stand, browser: Browser, path: str) -> None:  # noqa: F811
    """No name becomes markup: no script runs, no element appears, the browser reports no error, and the name can be read."""
    context = browser.new_context()
    window = Window(context, str(stand.http.base_url).rstrip("/"))
    said: list[str] = []

    def heard(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    window.page.on("dialog", heard)
    window.open(f"/ui/{path}")
    assert (said, window.complaints) == ([], [])
    assert window.page.locator("main img[src='x'], main script").count() == 0
    whole = window.page.eval_on_selector_all("main [title]", "(all) => all.map((one) => one.title)")  # of names that are cut
    assert path == "" or MODEL in whole or MODEL in window.page.inner_text("main")
    context.close()
