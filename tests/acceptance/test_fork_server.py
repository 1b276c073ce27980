"""The processes of acceptance tests are copies of one that has imported everything, and behave as processes that were started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.fork_server import Copy

FIRST = {**os.environ, "WATCHKEEPER_PORT": "7001"}


def until(holds: Callable[[], bool]) -> None:
    """Return once it holds; fail after minutes."""
    end = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_copy_has_its_own_environment_log_and_exit_code(tmp_path: Path) -> None:
    """Two of them, and one whose command is wrong."""
    logs = [tmp_path / name for name in ("first", "second", "wrong")]
    other = {**FIRST, "WATCHKEEPER_PORT": "7002"}
    words = ["config", "show"]
    copies = [Copy(*given) for given in zip((words, words, ["nothing"]), logs, (FIRST, other, FIRST), strict=True)]
    until(lambda: all(copy.code is not None for copy in copies))
    assert [copy.code for copy in copies] == [0, 0, 2]
    said = [log.read_text(encoding="utf-8") for log in logs]
    assert ("7001" in said[0], "7002" in said[0], "7002" in said[1], "No such command" in said[2]) == (True, False, True, True)
    assert "WATCHKEEPER_PORT" not in os.environ


def test_a_copy_is_killed_by_its_own_signal_and_ends_with_who_started_it(tmp_path: Path) -> None:
    """Its code is that of a process that was started, and no copy outlives the tests."""
    data = ["up", "--data", str(tmp_path / "data"), "--port", "0"]
    copy = Copy(data, tmp_path / "log", FIRST)
    copy.end(signal.SIGKILL, 300.0)
    assert copy.code == 256 - signal.SIGKILL
    program = (
        "import os, pathlib, sys; from tests.acceptance.fork_server import Copy;"
        f" print(Copy({data!r}, pathlib.Path({str(tmp_path / 'log')!r}), dict(os.environ)).pid)"
    )
    pid = int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
    until(lambda: not Path(f"/proc/{pid}").exists())
