"""A real server in a process of its own: start, stop, kill, start again on the same folder and port."""

from __future__ import annotations

import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import IO, ClassVar, Protocol, Self

from watchkeeper.child_process import ChildProcess
from watchkeeper.free_port import free_port


class Failed(Exception):
    """A server did not start; the message has the end of its log, and what to do."""


class Running(Protocol):
    """A process that was started, as `ChildProcess` is one."""

    pid: int

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        ...

    def end(self, by: signal.Signals, patience: float) -> None:
        """End it by a signal, and by force if it takes longer than `patience` seconds."""
        ...


class Server(ABC):
    """One server on loopback. It ends at the latest with the process that started it.

    `folder` holds its data and its log (unless `output` is given); the same folder and port can be started again after `stop`
    and after `kill`. `environment` is its whole environment; None: ours.
    """

    name: str
    environment: Mapping[str, str] | None = None
    patience: ClassVar[float] = 180.0  # seconds until it must be ready, or have stopped
    farewell: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path, port: int | None = None, *, output: IO[bytes] | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.log = folder / f"{self.name.lower()}.log"
        self._output = output
        self._leash: Running | None = None

    @property
    def pid(self) -> int:
        """The server's own process id, for signals. Raises Failed if it is not running."""
        if self._leash is None or not self.running:
            raise Failed(f"{self.name} is not running; call start()")
        return self._leash.pid

    @property
    def end(self) -> str:
        """How a server that ended by itself did so: its exit code (256 less the number of a signal), and the last of what it logged."""
        return f"{self.name} on port {self.port} ended with {self._leash.code if self._leash else None}\n{self._tail()}"

    @property
    def running(self) -> bool:
        """Whether the process is there (ready or not)."""
        return self._leash is not None and self._leash.code is None

    def start(self, *, wait: bool = True) -> Self:
        """Start it, and return when it answers. Raises Failed, and fetch.Absent if its files are not on this machine."""
        if self.running:
            return self
        self.kill()  # lets go of one that ended by itself
        if listening(self.port):
            raise Failed(f"{self.name}: port {self.port} is taken; stop who listens there, or give another port")
        self.folder.mkdir(parents=True, exist_ok=True)
        command = self._command()
        with nullcontext(self._output) if self._output else self.log.open("ab") as log:
            self._leash = self._begin(command, log)
        if wait:
            self.wait()
        return self

    def wait(self) -> None:
        """Return when it answers. Raises Failed if it ends before, or takes too long."""
        until = time.monotonic() + self.patience
        while not self._ready():
            if not self.running or time.monotonic() > until:
                code = self._leash.code if self._leash else None
                if self.running:
                    self._explain()
                self.kill()
                why = "took too long to start" if code is None else f"ended with {code}"
                raise Failed(f"{self.name} on port {self.port} {why}; {self._advice()}\n{self._tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in order, or by force when that takes too long."""
        self._end(self.farewell)

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Stop it, and start it on the same folder and port."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @abstractmethod
    def _command(self) -> list[str]:
        """What to run; prepares the folder when it is new."""

    @abstractmethod
    def _ready(self) -> bool:
        """Whether it answers."""

    def _begin(self, command: list[str], log: IO[bytes]) -> Running:
        return ChildProcess(command, log, self.environment)

    def _explain(self) -> None:  # noqa: B027  # most servers have no way to
        """Make a server that does not become ready write to its log what it is doing."""

    def _advice(self) -> str:
        return f"see {self.log}"

    def _end(self, by: signal.Signals) -> None:
        leash, self._leash = self._leash, None
        if leash is not None:
            leash.end(by, self.patience)

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


def listening(port: int) -> bool:
    """Whether somebody accepts connections on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
