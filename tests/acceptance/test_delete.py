"""Monitors, destinations and models are deleted through the API while events come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import moment
from storage.facts.purge import _holds, _tables
from tests.acceptance.world import World
from watchkeeper.api.app import create_api
from watchkeeper.client import Client, Refused
from watchkeeper.embedded import Embedded
from watchkeeper.services import Services
from watchkeeper.settings.settings import load

pytestmark = pytest.mark.slow

MODEL = "rides/city"
CONTRACT = f"""
- contract: {MODEL}
  task: binary
  columns: [{{name: km, kind: numeric, range: [0, 10]}}, {{name: zone, kind: categorical, categories: [a, b]}}]
  segments: [zone]
"""
DEFINITIONS = f"""{CONTRACT}
- {{monitor: nulls/km, model: {MODEL}, measure: quality.null_rate, columns: [km], warn: 0.1, min_samples: 1}}
- {{monitor: accuracy, model: {MODEL}, measure: performance.accuracy, warn: {{below: 0.9}}, min_samples: 1}}
- {{destination: oncall, kind: webhook, url: 'http://127.0.0.1:9/', secret: whsec_aGlkZGVuaGlkZGVuaGlkZGVu}}
"""
QUOTED = "rides%2Fcity"


class House:
    """A running embedded backend on a folder, and its API."""

    def __init__(self, whole: Embedded, runner: asyncio.Runner) -> None:
        self.whole, self._runner = whole, runner
        transport = httpx.ASGITransport(create_api(Services(whole)), raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8650", timeout=120)

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """A request to the API."""
        return self._runner.run(self._http.request(method, path, **given))

    def items(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """A list of the API."""
        found: list[dict[str, Any]] = self.ask("GET", path, params=params).json()["items"]
        return found

    def apply(self, text: str) -> list[str]:
        """Apply definitions. Returns the result of each."""
        answer = self.ask("POST", "/v1/apply", content=text.encode(), headers={"content-type": "application/yaml"})
        assert answer.status_code == 200, answer.text
        return [item["result"] for item in answer.json()["items"]]

    def send(self, first: int = 0) -> httpx.Response:
        """A day's predictions, some without `km`, with their labels."""
        day = time.time_ns() // 1_000 // moment.DAY * moment.DAY - moment.DAY
        rows: list[dict[str, Any]] = [
            {"prediction_id": f"e{row}", "model": MODEL, "ts": (day + row * moment.MINUTE) // 1_000, "prediction": row % 2}
            | {"features": {"km": None if row % 3 == 0 else row % 10, "zone": "ab"[row % 2]}}
            for row in range(first, first + 60)
        ]
        answer = self.ask("POST", "/v1/predictions", json=rows)
        labels = [{"prediction_id": row["prediction_id"], "model": MODEL, "ts": row["ts"] + 1, "label": 1} for row in rows]
        self.ask("POST", "/v1/labels", json=labels)
        return answer

    def wait(self, until: Callable[[], bool] | None = None) -> None:
        """Wait until the stream is quiet, or until another condition holds."""
        deadline = time.monotonic() + 120
        while not (until() if until else self.ask("GET", "/v1/status").json()["quiet"]):
            assert time.monotonic() < deadline, self.ask("GET", "/v1/status").json()
            time.sleep(0.1)

    def readings(self, **params: Any) -> list[dict[str, Any]]:
        """Readings, without their revisions."""
        return [{name: value for name, value in one.items() if name != "revision"} for one in self.items("/v1/readings", **params)]

    def held(self) -> list[str]:
        """The tables that have rows of the model."""
        engine = self.whole.stores.engine
        return [table for table in _tables(engine) if _holds(engine, table, MODEL)]

    def ended(self) -> dict[str, str]:
        """By monitor, why its last episode ended."""
        closed = {one["id"]: one["monitor"] for one in self.items("/v1/episodes", state="closed")}
        ends = sorted((self.whole.stores.control.transitions(name)[-1] for name in closed), key=lambda end: end.recorded)
        return {closed[end.episode]: end.reason for end in ends}


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """A backend that is started on a folder, and ended."""
    with Embedded(load(None, data=folder, ingest={"silence": "1s"})) as whole, asyncio.Runner() as runner:
        yield House(whole, runner)


# long: one life, from the first definition to the last restart
def test_what_is_deleted_ends_and_its_history_stays(tmp_path: Path) -> None:
    """A monitor is deleted, then its model, then the model's facts, also with restarts in between. Each name is defined again, and goes on from there."""
    with house(tmp_path) as here:
        assert "created" in here.apply(DEFINITIONS)
        here.send()
        here.wait()
        first = here.readings(model=MODEL)
        assert {one["monitor"] for one in here.items("/v1/episodes", state="open")} == {"nulls/km", "accuracy"}

        # A monitor, whose name and whose model's name hold slashes.
        for path in (f"/v1/monitors/{QUOTED}/nulls%2Fkm", f"/v1/monitors/{MODEL}/nulls/km"):
            assert here.ask("GET", path).json()["retired_at"] is None
        assert here.ask("DELETE", f"/v1/monitors/{MODEL}/nulls/km").json()["result"] == "deleted"
        again = here.ask("DELETE", f"/v1/monitors/{QUOTED}/nulls%2Fkm")
        assert (again.status_code, "GET /v1/monitors" in again.json()["remedy"]) == (404, True)
        assert here.ended() == {"nulls/km": "Monitor nulls/km was deleted"}
        (told,) = here.items("/v1/episodes", state="closed")
        assert [row["type"] for row in told["deliveries"]] == ["episode.fired", "episode.resolved"]
        assert here.ask("GET", f"/v1/monitors/{QUOTED}/nulls%2Fkm").json()["retired_at"] is not None
        mine = [one for one in first if one["monitor"] == "nulls/km"]
        assert here.readings(model=MODEL, monitor="nulls/km") == mine != []
        assert here.readings(model=MODEL) == [one for one in first if one not in mine]
        here.apply(DEFINITIONS)
        assert here.ask("GET", f"/v1/monitors/{QUOTED}/nulls%2Fkm").json()["revision"] == 2
        here.wait(lambda: here.readings(model=MODEL) == first)
        here.wait(lambda: len(here.items("/v1/episodes", state="open")) == 2)

        # Its model.
        assert here.ask("DELETE", f"/v1/models/{QUOTED}").json()["result"] == "deleted"
        assert here.ask("DELETE", f"/v1/models/{QUOTED}").status_code == 404
        assert here.ended() == dict.fromkeys(("nulls/km", "accuracy"), f"Model {MODEL} was deleted")
        assert (here.items("/v1/models"), here.items("/v1/monitors"), here.ask("GET", f"/v1/models/{QUOTED}").status_code) == ([], [], 404)
        refused = here.send()
        assert (refused.status_code, "there is no model" in refused.json()["errors"][0]["reason"]) == (422, True)
        here.wait(lambda: here.ask("GET", "/v1/status").json()["evaluate"]["models"] == 0)
        here.wait()
        assert here.readings(model=MODEL) == first
        here.apply(DEFINITIONS)
        assert here.ask("GET", f"/v1/models/{QUOTED}/contract").json()["version"] == 2
        here.wait()
        assert here.readings(model=MODEL) == first

        # All that is kept of it: a restart goes on where a kill broke off, and until then nothing new has the name.
        with here.whole.stores.control.retiring("ada") as change:
            assert change.model(MODEL)
            assert change.purge(MODEL)
        later = here.ask("POST", "/v1/apply", content=CONTRACT.encode(), headers={"content-type": "application/yaml"})
        assert (later.status_code, "retry-after" in later.headers) == (503, True)
        assert "predictions" in here.held()
    with house(tmp_path) as here:
        here.wait(lambda: here.whole.stores.control.purges() == [])
        assert here.held() == []
        assert here.apply(DEFINITIONS)[0] == "created"
        here.send()
        here.wait()
        assert here.readings(model=MODEL) == first
        assert here.ask("DELETE", f"/v1/models/{QUOTED}?purge=true").json()["purged"] is True
        assert (here.held(), here.readings(model=MODEL)) == ([], [])
        assert here.ask("DELETE", f"/v1/models/{QUOTED}?purge=true").status_code == 200
        assert here.ask("DELETE", "/v1/models/nobody?purge=true").status_code == 404
        assert len(here.items("/v1/episodes")) == 2 + 1 + 2 + 2
        actions = [one["action"] for one in here.items("/v1/audit", limit=1000)]
        assert [actions.count(action) for action in ("model.deleted", "model.purge")] == [3, 3]

        # A destination.
        assert [one["destination"] for one in here.items("/v1/destinations")] == ["oncall"]
        assert [here.ask("DELETE", "/v1/destinations/oncall").status_code for _ in range(2)] == [200, 404]
        assert here.items("/v1/destinations") == []


def test_every_process_hears_of_a_pause_and_of_a_delete(world: Callable[[Mapping[str, str]], World]) -> None:
    """In both worlds owners pause, go on and stop; events are refused; a model that is purged and made again has the readings of the first one."""
    day = time.time_ns() // 1_000 // moment.DAY * moment.DAY - moment.DAY
    model, monitor = "rides", "{monitor: nulls, model: rides, measure: quality.null_rate, columns: [km], min_samples: 1, enabled: %s}"
    contract = "- {contract: rides, task: binary, columns: [{name: km, kind: numeric, range: [0, 10]}]}"

    def send(client: Client, first: int) -> tuple[int, int]:
        features = ({"km": None if row % 3 == 0 else row % 10} for row in range(first, first + 60))
        events = [
            {"prediction_id": f"e{row}", "model": model, "ts": (day + row * moment.MINUTE) // 1_000, "prediction": 1, "features": of}
            for row, of in enumerate(features, first)
        ]
        sent = client.predictions(events)
        return sent.accepted, sent.rejected

    def counts(client: Client) -> list[int]:
        client.wait(120)
        return [one["n_target"] for one in client.readings(model=model, monitor="nulls")]

    with world({"WATCHKEEPER_INGEST__SILENCE": "1s"}) as place, Client(place.url) as client:
        client.apply(f"{contract}\n- {monitor % 'true'}")
        assert send(client, 0) == (60, 0)
        assert counts(client) == [60]
        client.apply(f"- {monitor % 'false'}")
        send(client, 60)
        assert counts(client) == [60]
        client.apply(f"- {monitor % 'true'}")
        assert counts(client) == [120]
        client.delete_monitor(model, "nulls")
        with pytest.raises(Refused, match="there is no monitor"):
            client.delete_monitor(model, "nulls")
        send(client, 120)
        assert counts(client) == [120]
        client.delete_model(model)
        assert send(client, 180) == (0, 60)
        deadline = time.monotonic() + 120
        while client.status()["evaluate"]["models"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert (counts(client), list(client.models())) == ([120], [])
        client.delete_model(model, purge=True)
        assert counts(client) == []
        client.apply(f"{contract}\n- {monitor % 'true'}")
        assert send(client, 0) == (60, 0)
        assert counts(client) == [60]
        assert client.contract(model)["version"] == 2
        assert client.status()["problems"] == []
