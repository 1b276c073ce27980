"""The health check of containers, against the health page of a process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from core.principal import LOCAL
from tests.house.tree import ROOT
from watchkeeper.api.auth import AccessPolicy
from watchkeeper.api.key import Keys
from watchkeeper.cluster.health import create_health


class Condition:
    """How a process is, as a test says."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems

    def ready(self) -> list[str]:
        """What is wrong."""
        return self.problems

    def status(self) -> dict[str, Any]:
        """Nothing more."""
        return {"problems": self.problems}


@contextmanager
def listening(condition: Condition, token: str) -> Iterator[str]:
    """The port of a health page."""
    server = uvicorn.Server(uvicorn.Config(create_health(condition, AccessPolicy(Keys([(token, LOCAL)]))), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield str(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join()


def probe(port: str, **environment: str) -> tuple[int, str]:
    """The exit code and the output, without Python's own path, as in the image."""
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "compose/probe.py", port], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def test_a_container_is_healthy_when_its_process_is_ready(tmp_path: Path) -> None:
    """With the process's own token it says what is missing; without it only that the process is not ready."""
    token = tmp_path / "token"
    token.write_text("open\n", encoding="utf-8")
    condition = Condition([])
    with listening(condition, "open") as port:
        assert probe(port, WATCHKEEPER_TOKEN_FILE=str(token)) == (0, "")
        assert probe(port) == (0, "")
        condition.problems.append("Kafka is away")
        code, said = probe(port, WATCHKEEPER_TOKEN_FILE=str(token))
        assert (code, "Kafka is away" in said) == (1, True)
        code, said = probe(port)
        assert (code, "not ready" in said, "Kafka" in said) == (1, True, False)
    assert probe(port)[0] == 1
