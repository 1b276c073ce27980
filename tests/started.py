"""Processes that a test starts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

IGNORING_INTERRUPTS = [
    "bash",
    "-c",
    'trap "" INT; exec "$@"',
    "bash",
]  # before a command: it starts with SIGINT ignored, as after a script's `&`


@contextmanager
def started(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
    errors: IO[bytes] | int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process. At the end it is killed if it still runs, so that a test that fails leaves nothing and waits for nothing."""
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=output, stderr=errors) as process:
        try:
            yield process
        finally:
            process.kill()
