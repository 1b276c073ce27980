"""Runs a command as long as the process that started it lives, however that process ends.

This file is also the script that runs between the two: `python -I child_process.py FOLDER COMMAND...`. It prints the command's pid on standard
output and sends the command's own output to standard error. Its standard input is a pipe that closes with the process that started it:
then it kills the command, and removes FOLDER if one is named. (The kernel's parent-death signal does not serve: it comes when the
*thread* ends that started the child, and is lost when the child changes its user.) So it imports the standard library only.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO


class ChildProcess:
    """A command that runs in a session of its own, so that Ctrl-C reaches this process only.

    Its output goes to `output`; `environment` is its environment (None: ours). `temporary` is a folder that is removed if this process dies first.
    """

    def __init__(
        self, command: Sequence[str], output: IO[bytes], environment: Mapping[str, str] | None = None, temporary: Path | None = None
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own command
            [sys.executable, "-I", __file__, str(temporary or ""), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101  # asked for above
        self.pid = int(self._process.stdout.readline() or 0)  # the command's; 0 if it could not be started

    @property
    def code(self) -> int | None:
        """The exit code of the command, None while it runs."""
        return self._process.poll()

    def end(self, by: signal.Signals, patience: float) -> None:
        """End the command by a signal, and by force if it takes longer than `patience` seconds. Does nothing if it has ended."""
        if self.code is None and self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, by)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        with self._process:  # closes its pipes; the script then kills a command that still runs
            pass


def main(folder: str, command: list[str]) -> int:
    """Run `command` until it ends, or until the process that started it ends. Returns its exit code."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)  # noqa: S603  # our own command
    print(process.pid, flush=True)  # noqa: T201  # what the other side reads
    closed = threading.Event()

    def watch() -> None:
        os.read(0, 1)  # nobody writes, so this returns when the pipe closes
        closed.set()
        process.kill()

    threading.Thread(target=watch, daemon=True).start()
    code = process.wait()
    if folder and closed.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
