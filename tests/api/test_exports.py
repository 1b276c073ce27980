"""Events as files over HTTP, and signed addresses of training windows."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlencode

import httpx
import pyarrow.parquet as pq
import pytest

from core.clock import ManualClock
from core.event_query import EventQuery
from core.moment import DAY
from core.principal import Principal, Role
from tests.api.conftest import NOW
from tests.api.test_events import is_problem
from tests.api.twin import BROKEN, Twin
from tests.ingest.decode.events import MULTI
from watchkeeper.api import exports
from watchkeeper.api.app import create_api
from watchkeeper.api.auth import AccessPolicy
from watchkeeper.api.key import Keys
from watchkeeper.reader.exported import rows_of_portion
from watchkeeper.training_address import TrainingWindow

WINDOW = TrainingWindow(model="taxi-fare", start=NOW - 30 * DAY, end=NOW, as_of=NOW)


def address(twin: Twin, expires: int = NOW + DAY) -> str:
    return WINDOW.address("", twin.signing_key(), expires)


@pytest.fixture
async def locked(twin: Twin) -> AsyncIterator[httpx.AsyncClient]:
    """A server that asks for a token, without one."""
    app = create_api(twin, clock=ManualClock(NOW), access=AccessPolicy(Keys((("secret", Principal("token", Role.ADMIN)),))))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://127.0.0.1:8650"
    ) as client:
        yield client


async def test_a_list_of_events_is_given_as_a_file(http: httpx.AsyncClient, twin: Twin) -> None:
    """With all filters of the list and every page of it; a limit bounds it, and there is no cursor."""
    answer = await http.get("/v1/events?model=taxi-fare&format=parquet&label=wrong&order=worst")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/vnd.apache.parquet")
    assert answer.headers["content-disposition"] == 'attachment; filename="taxi-fare.parquet"'
    assert pq.read_table(io.BytesIO(answer.content)).to_pylist() == [{"prediction_id": name, "@version": "1"} for name in "ab"]
    assert twin.exported == [(EventQuery(model="taxi-fare", label="wrong", order="worst"), None, True)]
    answer = await http.get("/v1/events?model=taxi-fare&format=csv&limit=20000")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == '"prediction_id","@version"\n"a","1"\n"b","1"\n'
    assert twin.exported[-1][1] == 20_000
    for wrong in ("format=xlsx", "format=csv&cursor=x", "format=csv&limit=0"):
        assert is_problem(await http.get(f"/v1/events?model=taxi-fare&{wrong}"), 400)
    assert "items" in (await http.get("/v1/events?model=taxi-fare&format=json")).json()


def test_a_portion_of_an_export_is_small_however_wide_its_events_are() -> None:
    """A sender decides how many members an ensemble has, and each is a column."""
    width = len(MULTI.kept) + len(MULTI.classes)
    assert [rows_of_portion([MULTI], members) for members in (0, 4_000 - width, 100_000_000)] == [100_000, 1_000, 1]


async def test_an_error_of_the_store_has_a_status(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first portion is read before the answer begins; and only a few exports run at a time, whatever became of those before."""
    for _ in range(6):
        answer = await http.get(f"/v1/events?model=taxi-fare&format=csv&as_of={BROKEN // 1000}")
        assert is_problem(answer, 503)
    monkeypatch.setattr(exports, "_AT_ONCE", type("Busy", (), {"acquire": lambda *_, **__: False})())
    answer = await http.get("/v1/events?model=taxi-fare&format=csv")
    assert is_problem(answer, 429)
    assert answer.headers["retry-after"] == "10"


async def test_a_signed_address_needs_no_token(locked: httpx.AsyncClient, twin: Twin) -> None:
    """It gives its window, as of its time and in order, until it expires."""
    answer = await locked.get(address(twin))
    assert answer.status_code == 200
    assert pq.read_table(io.BytesIO(answer.content)).num_rows == 2
    wanted = EventQuery(model="taxi-fare", start=WINDOW.start, end=NOW, as_of=NOW, order="oldest")
    assert twin.exported == [(wanted, None, False)]
    assert (await locked.get("/v1/events?model=taxi-fare&format=csv")).status_code == 401


async def test_an_address_that_was_changed_or_has_expired_is_refused(locked: httpx.AsyncClient, twin: Twin) -> None:
    """Each parameter is signed, the key counts, and so does the time; nothing is read, and the answer does not tell the signature."""
    path, _, text = address(twin).partition("?")
    given = dict(parse_qsl(text))
    changed = [{**given, name: value + "0" if name == "signature" else value.replace("2", "1", 1) + "x"} for name, value in given.items()]
    changed += [{name: value for name, value in given.items() if name != left_out} for left_out in given]
    changed += [{**given, "signature": "é"}, {**given, "model": "other"}, {**given, "from": "1990-01-01T00:00:00Z"}]
    for one in changed:
        answer = await locked.get(f"{path}?{urlencode(one)}")
        assert is_problem(answer, 403)
        assert given["signature"] not in answer.text
    other = WINDOW.address("", b"another key", NOW + DAY)
    for refused in (other, address(twin, NOW), path):
        assert is_problem(await locked.get(refused), 403)
    assert "expired at" in (await locked.get(address(twin, NOW))).json()["detail"]
    assert is_problem(await locked.get(address(twin) + "&name=x"), 400)
    assert twin.exported == []
