"""ClickHouse over HTTP: the engine of one node, without a keeper and without users of its own."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from pathlib import Path

from compose.servers import fetch
from compose.servers.server import Server

_ENGINE = Path(__file__).with_name("engine.py")


class ClickHouse(Server):
    """One node on `port`; the user is `default`, without a password."""

    name = "ClickHouse"
    user = "default"
    password = ""

    @property
    def url(self) -> str:
        """Where its HTTP interface is."""
        return f"http://127.0.0.1:{self.port}"

    def _command(self) -> list[str]:
        return [sys.executable, "-I", str(_ENGINE), str(fetch.clickhouse()), str(self.folder / "data"), str(self.port)]

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
