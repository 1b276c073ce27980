"""Hosts the owners of all models in one thread, and knows whether everything is quiet."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from core.contract import Contract
from core.monitor import Monitor
from monitors.evaluate import Model
from monitors.owner import Committed, Owner
from monitors.reference import Reference
from storage.facts.progress import Progress

_log = logging.getLogger(__name__)

_SWEEP = 1.0  # seconds between two looks when nobody calls


class Control(Protocol):
    """The definitions that owners work by."""

    def contract(self, model: str) -> Contract | None:
        """The newest contract."""
        ...

    def reference(self, model: str, version: int) -> bytes | None:
        """The reference of a contract version."""
        ...

    def monitors(self, model: str | None = None) -> list[Monitor]:
        """The monitors of a model."""
        ...


class Host:
    """Calls each model's owner when something was written or defined, and once a second besides.

    `silent` tells whether the log has been read to its end and nothing has come for a while.
    """

    def __init__(
        self,
        control: Control,
        progress: Callable[[], dict[str, Progress]],
        owner: Callable[[str], Owner],
        silent: Callable[[], bool],
        debounce: float = 0.2,
        lateness: int = 0,
    ) -> None:
        self._control, self._progress, self._new, self._silent = control, progress, owner, silent
        self._debounce, self._lateness = debounce, lateness
        self.owners: dict[str, Owner] = {}
        self._models: dict[str, Model] = {}
        self._called = threading.Event()
        self._stop = threading.Event()
        self.epoch = 0
        self._quiet_epoch = -1
        self.problem: str | None = None
        self.seconds = 0.0  # what the last round took
        self.last: float | None = None  # when it ended (time.time())
        self._thread = threading.Thread(target=self._run, name="evaluate", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Finish the round under way."""
        self._stop.set()
        self._called.set()
        self._thread.join(seconds)

    def call(self) -> None:
        """Something was appended, written or defined: there may be work."""
        self.epoch += 1
        self._called.set()

    @property
    def quiet(self) -> bool:
        """Whether a whole round has found nothing to do since the last call, in silence."""
        return self._quiet_epoch == self.epoch and self._silent()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._called.wait(_SWEEP)
            if self._called.is_set():
                self._stop.wait(self._debounce)
                self._called.clear()
            if self._stop.is_set():
                return
            epoch, silent, began = self.epoch, self._silent(), time.monotonic()
            try:
                worked = self._round(silent=silent)
                self.problem = None
            except Exception as error:  # the thread's edge: the stores may be away for a while
                _log.exception("a round of evaluation failed; it is tried again")
                self.problem = f"{type(error).__name__}: {error}"[:300]
                self._stop.wait(1.0)
                continue
            self.seconds, self.last = time.monotonic() - began, time.time()
            if silent and not worked:
                self._quiet_epoch = epoch
            elif worked:
                self._called.set()

    def _round(self, *, silent: bool) -> bool:
        worked = False
        for name, progress in self._progress().items():
            if self._stop.is_set():
                return True
            if (contract := self._control.contract(name)) is None:
                continue
            committed = Committed(
                progress.predictions, progress.labels, progress.watermark - self._lateness, progress.logged, progress.frozen
            )
            owner = self.owners.get(name) or self.owners.setdefault(name, self._new(name))
            worked |= owner.step(self._model(contract), self._monitors(name), committed, silent=silent)
        return worked

    def _model(self, contract: Contract) -> Model:
        known = self._models.get(contract.model)
        if known is None or known.contract.version != contract.version:
            stored = self._control.reference(contract.model, contract.version)
            known = self._models[contract.model] = Model(contract, Reference.from_bytes(stored) if stored else None)
        return known

    def _monitors(self, name: str) -> Sequence[Monitor]:
        return sorted(self._control.monitors(name), key=lambda monitor: monitor.name)
