"""The server of the demo: `watchkeeper up` in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from core.error import Fatal
from watchkeeper.child_process import ChildProcess
from watchkeeper.free_port import free_port

_PATIENCE = 60.0  # seconds to become ready
_FAREWELL = 30.0  # seconds to end in order


class DemoServer:
    """`watchkeeper up` on `data` and `port` (0: a free one), with its output in `data/server.log`. It is ready when entered, and ends when left.

    It ends with this process, however that ends; then `data` is removed if `temporary` is set.
    """

    def __init__(self, data: Path, port: int = 0, *, environment: dict[str, str] | None = None, temporary: bool = False) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._data = data
        self._environment = environment or {}
        self._temporary = data if temporary else None
        self._leash: ChildProcess | None = None

    def __enter__(self) -> Self:
        self._data.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "watchkeeper", "up", "--data", str(self._data), "--port", str(self.port)]
        with self._log.open("wb") as log:
            self._leash = ChildProcess(command, log, {**os.environ, **self._environment}, self._temporary)
        try:
            self._become_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._leash is not None and self._leash.code is None

    @property
    def pid(self) -> int:
        """The process's id; 0 where there is none."""
        return 0 if self._leash is None else self._leash.pid

    def stop(self) -> None:
        """End the process, gently first."""
        if self._leash is not None:
            self._leash.end(signal.SIGTERM, _FAREWELL)

    @property
    def _log(self) -> Path:
        return self._data / "server.log"

    def _become_ready(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        with httpx.Client(base_url=self.url, trust_env=False, timeout=5.0) as http:
            while time.monotonic() < deadline:
                if not self.running:
                    raise Fatal(f"the server ended at once; it said:\n{self._last_output()}")
                try:
                    if http.get("/v1/health/ready").is_success:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.1)
        raise Fatal(f"the server was not ready within {_PATIENCE:g} s; it said:\n{self._last_output()}")

    def _last_output(self) -> str:
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
