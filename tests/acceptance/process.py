"""A process of Watchkeeper, as an operator sees it: started, asked for its health, stopped, killed, frozen."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO
from unittest.mock import patch

import httpx
from prometheus_client.parser import text_string_to_metric_families

from compose.servers.server import Running, Server
from tests.acceptance.fork_server import Copy
from watchkeeper.cli.app import main

COLD = bool(
    os.environ.get("WATCHKEEPER_TEST_COLD") or os.environ.get("WATCHKEEPER_CHAOS_MINUTES")
)  # each process imports everything itself, as outside of tests
_WATCHKEEPER = [sys.executable, "-m", "watchkeeper"]
# One for all, since whoever waits asks often and a client takes some 20 ms of CPU to make; it keeps no connection to a process that may be killed.
_HTTP = httpx.Client(trust_env=False, timeout=60.0, limits=httpx.Limits(max_keepalive_connections=0))


class Process(Server):
    """`watchkeeper COMMAND...` on a port of its own, which it keeps; its output is appended to `folder/name.log`."""

    patience = 300.0

    def __init__(self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name  # of each server its kind's; each of ours has its own
        super().__init__(folder)
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {**os.environ, **environment}
        self._arguments = [*command, "--port", str(self.port)]

    def problem(self) -> str | None:
        """The problems in `GET /v1/health/ready`; None if it is ready."""
        try:
            answer = self._get("/v1/health/ready")
        except httpx.TransportError as error:
            return f"no answer: {error}"
        return None if answer.is_success else str(answer.json().get("detail") or answer.text)

    def evaluated(self) -> int:
        """How many models an `evaluate` process owns; 0 if it does not answer."""
        try:
            return int(self._get("/v1/status").raise_for_status().json()["evaluate"]["models"])
        except httpx.HTTPError:
            return 0

    def metrics(self) -> dict[str, float]:
        """The metrics by name; a metric with labels is summed."""
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(self._get("/metrics").raise_for_status().text):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
        return found

    def memory(self) -> int:
        """Bytes of memory that the process holds (RSS)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def freeze(self) -> None:
        """SIGSTOP: it stops working, and its connections stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def said(self, lines: int = 25) -> str:
        """The last lines of its log. Of one that crashed it is what Python says, and the thread that crashed: it is one of many, and the end of the log has another."""
        written = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        crash = re.findall(r"^Fatal Python error: .*$|^Current thread [^\n]+(?:\n  .*)*", written, re.MULTILINE)
        return "\n".join(crash or written.splitlines()[-lines:])

    def _get(self, path: str) -> httpx.Response:
        return _HTTP.get(f"{self.url}{path}")

    def _command(self) -> list[str]:
        return [*_WATCHKEEPER, *self._arguments]

    def _begin(self, command: list[str], log: IO[bytes]) -> Running:
        return super()._begin(command, log) if COLD else Copy(self._arguments, self.log, self.environment or {})

    def _explain(self) -> None:
        os.kill(self.pid, signal.SIGQUIT)
        time.sleep(2)  # a signal has no answer

    def _ready(self) -> bool:
        return self.problem() is None


def run(command: Sequence[str], environment: Mapping[str, str], seconds: float = 600.0) -> str:
    """Run `watchkeeper COMMAND...` to its end, which must be exit code 0. Returns its output."""
    done = subprocess.run(
        [*_WATCHKEEPER, *command], env={**os.environ, **environment}, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, f"watchkeeper {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def migrated(environment: Mapping[str, str]) -> None:
    """`watchkeeper migrate` in this process: a new one takes a second of CPU for its imports alone."""
    with patch.dict(os.environ, environment):
        assert main(["migrate"]) == 0
