"""A real Alertmanager takes what the kind `alertmanager` sends: an alert that fires, is sent again, and is over."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from alerts.deliver import Deliverer
from alerts.destination.document import destination_from
from alerts.destination.secret_file import SecretFiles
from alerts.engine import AlertEngine
from alerts.exchange import Exchange
from alerts.resend import repeat
from compose.servers.server import Server
from core import moment
from core.clock import SystemClock
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import MONITOR, reading
from tests.services.fixture import absent

_BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")  # the first is Debian's name
_EVER = 40 * 366 * moment.DAY


class Alertmanager(Server):
    """Prometheus' Alertmanager, which tells one webhook of each alert that begins or ends."""

    name = "Alertmanager"

    def __init__(self, folder: Path, told: str) -> None:
        super().__init__(folder)
        self._told = told

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that it holds for active."""
        return list(httpx.get(f"http://127.0.0.1:{self.port}/api/v2/alerts", trust_env=False).raise_for_status().json())

    def _command(self) -> list[str]:
        route = {"receiver": "here", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}
        receiver = {"name": "here", "webhook_configs": [{"url": self._told, "send_resolved": True}]}
        (self.folder / "alertmanager.yml").write_text(json.dumps({"route": route, "receivers": [receiver]}))
        return [
            str(_BINARY),
            f"--config.file={self.folder}/alertmanager.yml",
            f"--storage.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]

    def _ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/-/ready", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


def test_an_alert_fires_is_sent_again_and_is_over(tmp_path: Path, receiver: Receiver) -> None:
    """It is one alert all the time: by its labels, and by what Alertmanager tells."""
    if _BINARY is None:
        absent("there is no Alertmanager: on Debian, apt-get install prometheus-alertmanager")
    clock, wire = SystemClock(), Exchange()
    store = ControlStore(f"sqlite:///{tmp_path}/control.sqlite", clock)
    store.migrate()
    engine, deliverer = AlertEngine(store, clock, MEASURES, _EVER, address="http://w"), Deliverer(store, clock)
    with Alertmanager(tmp_path / "alertmanager", receiver.url) as server:
        url = f"http://127.0.0.1:{server.port}"
        store.apply_destinations([destination_from({"destination": "am", "kind": "alertmanager", "url": url})])
        engine.observe(MONITOR, [reading(0, "critical")])
        deliverer.deliver_due()
        (episode,), (fired,) = store.episodes("open")[0], server.alerts()
        assert fired["labels"]["watchkeeper_id"] == episode.id
        assert (fired["labels"]["alertname"], fired["labels"]["model"], fired["status"]["state"]) == ("drift", "late", "active")
        assert fired["annotations"]["description"].startswith("Population stability index of temp is 0.31")
        assert fired["generatorURL"] == f"http://w/ui/alerts/{episode.id}"
        assert moment.parse(fired["startsAt"]) == episode.started_at
        repeat(store, wire, SecretFiles(), clock.now())
        (again,) = server.alerts()
        assert again["fingerprint"] == fired["fingerprint"]
        assert moment.parse(again["endsAt"]) > moment.parse(fired["endsAt"])
        _until(lambda: _said(receiver) == ["firing"])
        engine.observe(MONITOR, [reading(1, "ok")])
        deliverer.deliver_due()
        assert server.alerts() == []
        _until(lambda: _said(receiver) == ["firing", "resolved"])
    wire.close()
    deliverer.stop()
    store.close()


def _said(receiver: Receiver) -> list[str]:
    """What Alertmanager told of the alert."""
    return [alert["status"] for call in receiver.calls for alert in json.loads(call.body)["alerts"]]


def _until(there: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not there():
        assert time.monotonic() < until
        time.sleep(0.05)
