"""However the demo ends, its server and its temporary folder go with it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.started import IGNORING_INTERRUPTS, started
from watchkeeper.demo import flights

PATIENCE = 300.0  # seconds


def until(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold."""
    end = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    return holds()


def servers(folder: Path) -> list[str]:
    """The processes that name the folder."""
    return subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False).stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_of_a_demo_that_is_told_to_stop_or_killed(
    number: signal.Signals, pairs: tuple[flights.Pair, ...], tmp_path: Path
) -> None:
    """Also if it was started with an ignored SIGINT, as by a script's `&`. On a signal it says that it stops, and exits with 0."""
    temporary, said = tmp_path / "temporary", tmp_path / "said"
    temporary.mkdir()
    command = [
        *IGNORING_INTERRUPTS,
        sys.executable,
        "-m",
        "watchkeeper",
        "demo",
        "--port",
        "0",
        "--days",
        "1",
        "--cache",
        str(pairs[0].reference.parent),
    ]
    with said.open("wb") as out, started(command, env={**os.environ, "TMPDIR": str(temporary)}, output=out, errors=out) as demo:
        assert until(lambda: "look at http" in said.read_text(encoding="utf-8") or demo.poll() is not None)
        assert servers(temporary) != []
        demo.send_signal(number)
        code = demo.wait(PATIENCE)
    text = said.read_text(encoding="utf-8")
    assert (code, bool(re.search(r"^\S+  stopped$", text, re.MULTILINE))) == ((0, True) if number != signal.SIGKILL else (-9, False)), text
    assert until(lambda: servers(temporary) == [])
    assert until(lambda: list(temporary.iterdir()) == [])
