"""Starts processes of Watchkeeper as copies of one that has imported everything: the imports take most of the CPU of a start, and the suite starts some two hundred.

`python -m tests.acceptance.fork_server` is that process. It reads a request a line, in JSON, from standard input: `{"run": [words], "environment": {...}, "log": path}`, which
it answers with the pid of a copy that runs the command, or `{"code": pid}`, which it answers with the exit code, null while the copy runs. A copy is a process like any other:
its memory, threads, connections, output and environment are its own, and signals reach it alone. When standard input closes, it kills all copies and ends.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from watchkeeper.cluster.kind import MAKE


class Copy:
    """A command that runs in a copy, with the surface of `ChildProcess`."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self._server = _fork_server()
        self.pid = int(self._server.ask({"run": [*command], "environment": {**environment}, "log": str(log)}))
        self._exit = os.pidfd_open(self.pid)
        self._code: int | None = None
        self._lock = threading.Lock()

    @property
    def code(self) -> int | None:
        """The exit code of the command, 256 less the number of a signal that ended it; None while it runs."""
        with self._lock:
            if self._code is None and self._ended(0):
                self._code = int(self._server.ask({"code": self.pid}))
                os.close(self._exit)
            return self._code

    def end(self, by: signal.Signals, patience: float) -> None:
        """End the command by a signal, and by force if it takes longer than `patience` seconds. Does nothing if it has ended."""
        for how, seconds in ((by, patience), (signal.SIGKILL, None)):
            if self.code is None:
                with suppress(ProcessLookupError):
                    os.kill(self.pid, how)
                self._ended(seconds)

    def _ended(self, seconds: float | None) -> bool:
        """Whether the command has ended, or ends within so many seconds."""
        ending = select.poll()
        ending.register(self._exit, select.POLLIN)
        return bool(ending.poll(None if seconds is None else 1_000 * seconds))


class _ForkServer:
    """The process with the imports. It ends with this one, whose end closes its standard input."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.acceptance.fork_server"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self._lock = threading.Lock()
        atexit.register(self._close)

    def ask(self, request: Mapping[str, Any]) -> Any:
        """The answer to a request."""
        into, out = self._process.stdin, self._process.stdout
        assert into is not None
        assert out is not None
        with self._lock:
            into.write(json.dumps(request).encode() + b"\n")
            into.flush()
            return json.loads(out.readline())

    def _close(self) -> None:
        with self._process:
            pass


@cache
def _fork_server() -> _ForkServer:
    return _ForkServer()


def main() -> int:
    """Answer requests until standard input closes. A copy returns from here too, with the exit code of its command."""
    _imports()
    gc.collect()
    gc.freeze()
    copies: set[int] = set()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "code" in request:
            copies.discard(request["code"])
            print(os.waitstatus_to_exitcode(os.waitpid(request["code"], 0)[1]) % 256, flush=True)  # noqa: T201  # what the other side reads
        elif pid := os.fork():
            copies.add(pid)
            print(pid, flush=True)  # noqa: T201  # the same
        else:
            return _run(request["run"], request["environment"], request["log"])
    for pid in copies:
        os.kill(pid, signal.SIGKILL)
    for pid in copies:
        os.waitpid(pid, 0)  # where process 1 waits for nobody they would stay as dead entries
    return 0


def _imports() -> None:
    """Import what processes import when they start, but chDB, which starts threads."""
    for name in ("alembic.command", "psycopg", "watchkeeper.cli.app", "watchkeeper.embedded", "watchkeeper.application"):
        import_module(name)
    for make in MAKE.values():
        make()


def _run(words: list[str], environment: dict[str, str], log: str) -> int:
    """Become a process with this environment and log, and run a command of Watchkeeper."""
    os.setsid()
    for descriptor, path, flags in ((0, os.devnull, os.O_RDONLY), (1, log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)):
        opened = os.open(path, flags, 0o644)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.dup2(1, 2)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    sys.argv = ["watchkeeper", *words]
    from watchkeeper.cli.app import main as run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
