"""Every route of a real server, with what its OpenAPI document allows and with what it does not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import assume, given
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.fuzz.hammer import everything, hammer
from watchkeeper.client import Client
from watchkeeper.demo.server import DemoServer

pytestmark = [pytest.mark.fuzz, pytest.mark.slow, pytest.mark.timeout(7200)]

MODEL = "taxi"
DEFINITIONS = f"""
- contract: {MODEL}
  task: binary
  columns: [{{name: km, kind: numeric, range: [0, 30]}}, {{name: borough, kind: categorical, categories: [Queens, Bronx]}}]
  segments: [borough]
- {{monitor: nulls, model: {MODEL}, measure: quality.null_rate, columns: [km], target: {{window: 1h}}, warn: 0.1, min_samples: 1}}
"""
EVENT = {"prediction_id": "1", "model": MODEL, "ts": "2026-01-05T08:10:00Z", "features": {"km": 3.1, "borough": "Queens"}, "prediction": 1}
HTTP = httpx.Client(trust_env=False, timeout=300)  # one for all: to make one takes longer than a request; `server` closes it
WORDS = st.sampled_from(
    [MODEL, "taxi%2Fx", "all", "..", "nulls", "borough=Queens", "2026-01-05T00:00:00Z", "-1", "9" * 30, "\x00", "é", "\ud7ff", "'", "null"]
)
CHECKS: list[Any] = [not_a_server_error, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """A server with a model, a monitor, events and an open episode."""
    with DemoServer(tmp_path_factory.mktemp("fuzz") / "data", environment={"WATCHKEEPER_INGEST__SILENCE": "1s"}) as server, HTTP:
        with Client(server.url) as client:
            client.apply(DEFINITIONS)
            client.predictions([EVENT, EVENT | {"prediction_id": "2", "features": {"km": None}}])
            client.wait(600)
        yield server


def check_of(operation: Any) -> Callable[..., None]:
    """A test of one operation of the document: its parameters as they are described, or words that mean something here."""

    @everything
    @given(case=operation.as_strategy(), data=st.data())
    def check(case: Any, data: st.DataObject) -> None:
        for given_ in (case.path_parameters, case.query):
            for name in sorted(given_ or {}):
                if data.draw(st.booleans()):
                    given_[name] = data.draw(WORDS)
        # Clients take a part of a path that is only dots for the folder, or the one above: that is another address.
        assume(not any(str(value).strip(".") == "" for value in (case.path_parameters or {}).values()))
        if operation.method.upper() == "DELETE" and MODEL in (case.path_parameters or {}).values():
            case.path_parameters = dict.fromkeys(case.path_parameters, "nobody")  # what the others ask about stays there
        case.validate_response(case.call(timeout=300), checks=CHECKS)

    check.__name__ = f"{operation.method.upper()} {operation.path}"
    return check


@everything
@given(
    kind=st.sampled_from(["predictions", "labels"]),
    rows=st.lists(
        st.dictionaries(
            st.sampled_from([*EVENT, "label", "deleted", "score", "x"]),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        ),
        max_size=4,
    ),
    packed=st.sampled_from(["no", "gzip", "broken"]),
    noise=st.binary(max_size=4),
    content=st.sampled_from(["application/json", "application/x-ndjson", "text/plain", ""]),
)
def check_bodies(server: DemoServer, kind: str, rows: list[dict[str, Any]], packed: str, noise: bytes, content: str) -> None:
    """Bodies that are nearly events, packed or not, of any content type: each is answered, and never by a fault of the server's."""
    body = b"\n".join(json.dumps(EVENT | row).encode() for row in rows) + noise
    headers = {"content-type": content} | ({} if packed == "no" else {"content-encoding": "gzip"})
    if packed != "no":
        body = gzip.compress(body)
    answer = HTTP.post(f"{server.url}/v1/{kind}", content=body[:-3] if packed == "broken" else body, headers=headers)
    assert answer.status_code in {200, 400, 415, 422, 429}, answer.text
    assert answer.json()


def test_every_route(server: DemoServer) -> None:
    """No answer is a server error, and each has the described type and shape; afterwards the server works as before."""
    schema = schemathesis.openapi.from_url(f"{server.url}/v1/openapi.json")
    found = list(schema.get_all_operations())
    operations = [one.ok() for one in found if isinstance(one, Ok)]
    assert len(operations) == len(found) > 12
    with Client(server.url) as client:
        before = client.readings(model=MODEL)
        hammer(*map(check_of, operations))
        _unharmed(server, client, list(before))


def test_bodies_of_events(server: DemoServer) -> None:
    """Nothing that is sent as events does more than to be counted or refused."""
    with Client(server.url) as client:
        hammer(check_bodies, server=server)
        _unharmed(server, client, [])


def _unharmed(server: DemoServer, client: Client, readings: list[dict[str, Any]]) -> None:
    """The process lives, finds nothing wrong, becomes quiet, and has lost no reading."""
    assert server.running
    status = client.wait(600)
    assert [problem for problem in status["problems"] if "monitor" not in problem] == []
    kept = {(item["monitor"], item["column"], item["segment"], item["window_start"]) for item in client.readings(model=MODEL)}
    assert kept >= {(item["monitor"], item["column"], item["segment"], item["window_start"]) for item in readings}
