"""Hosts the owners of models in one thread, and knows whether everything is quiet."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from core import moment
from core.contract import Contract
from core.error import Fenced, Retryable
from core.monitor import Monitor
from monitors.evaluate import Model
from monitors.owner import Committed, Owner
from monitors.reference import Reference
from storage.facts.progress import Progress

_log = logging.getLogger(__name__)

_SWEEP = 1.0  # seconds between two looks when nobody calls
_REST = 3.0  # seconds until a model that somebody else has taken is taken again, if it is still ours


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


class Step(NamedTuple):
    """What an owner has just done: all there was to do up to `committed` under these definitions; `worked`: there was something."""

    model: str
    owner: Owner
    contract: Contract
    monitors: Sequence[Monitor]
    committed: Committed
    silent: bool
    worked: bool
    seconds: float


class Host:
    """Calls each model's owner when something was written or defined, and once a second besides.

    `silent` tells whether the log has been read to its end and nothing has come for a while; `owns` whether a model is ours, None where that is
    not known just now; `told` hears of every step, `fenced` of a model that somebody else has taken.
    """

    def __init__(
        self,
        control: Control,
        progress: Callable[[], dict[str, Progress]],
        owner: Callable[[str], Owner],
        silent: Callable[[], bool],
        debounce: float = 0.2,
        lateness: int = 0,
        *,
        owns: Callable[[str], bool | None] = lambda _: True,
        told: Callable[[Step], None] = lambda _: None,
        fenced: Callable[[], None] = lambda: None,
    ) -> None:
        self._control, self._progress, self._new, self._silent = control, progress, owner, silent
        self._debounce, self._lateness = debounce, lateness
        self._owns, self._told, self._fenced = owns, told, fenced
        self.owners: dict[str, Owner] = {}
        self._models: dict[str, Model] = {}
        self._resting: dict[str, float] = {}  # until when (time.monotonic())
        self._failed: dict[str, str] = {}  # by model
        self._called, self._stop = threading.Event(), threading.Event()
        self._wanted: set[str | None] = set()  # None: every model
        self.epoch = 0
        self._quiet_epoch = -1
        self._problem: str | None = None
        self.seconds = 0.0  # what the last round took
        self.last: float | None = None  # when it ended (time.time())
        self._thread = threading.Thread(target=self._run, name="evaluate", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Finish the step under way."""
        self._stop.set()
        self._called.set()
        self._thread.join(seconds)

    def call(self, model: str | None = None) -> None:
        """Something of a model, or of any, was appended, written or defined: there may be work."""
        self.epoch += 1
        self._wanted.add(model)
        self._called.set()

    @property
    def quiet(self) -> bool:
        """Whether a whole round has found nothing to do since the last call, in silence."""
        return self._quiet_epoch == self.epoch and self._silent()

    @property
    def running(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    def obstacles(self) -> list[str]:
        """What keeps models from being evaluated."""
        found = [f"evaluation: {self._problem}"] if self._problem else []
        return found + [f"evaluation of {name}: {why}" for name, why in sorted(self._failed.copy().items())]

    def problems(self) -> list[str]:
        """Obstacles, and monitors that cannot be evaluated."""
        counts = [(name, owner.counts) for name, owner in sorted(self.owners.copy().items())]
        return self.obstacles() + [
            f"monitor {monitor} of {name}: {why}" for name, of in counts for monitor, why in [*of.failed.items(), *of.missing.items()]
        ]

    def status(self) -> dict[str, Any]:
        """How many models are watched, what was done for them since they are watched here, and the last round."""
        counts = [owner.counts for owner in self.owners.copy().values()]
        return {
            "models": len(counts),
            "readings": sum(of.readings for of in counts),
            "audited": sum(of.audited for of in counts),
            "repaired": sum(of.repaired for of in counts),
            "seconds": round(self.seconds, 3),
            "last": None if self.last is None else moment.text(int(self.last) * moment.SECOND),
        }

    def _run(self) -> None:
        swept = 0.0
        while not self._stop.is_set():
            self._called.wait(max(0.0, swept + _SWEEP - time.monotonic()))
            if self._called.is_set():
                self._stop.wait(self._debounce)
                self._called.clear()
            if self._stop.is_set():
                return
            wanted, self._wanted = self._wanted, set()
            began = time.monotonic()
            every = None in wanted or began - swept >= _SWEEP
            try:
                epoch, silent = self.epoch, self._silent()
                worked = self._round(None if every else wanted, silent=silent)
                self._problem = None
            except Exception as error:  # the thread's edge: the stores may be away for a while
                _log.log(logging.WARNING if isinstance(error, Retryable) else logging.ERROR, "evaluation is tried again: %s", error)
                self._problem = f"{type(error).__name__}: {error}"[:300]
                self._wanted.add(None)
                self._stop.wait(1.0)
                continue
            self.seconds, self.last = time.monotonic() - began, time.time()
            swept = began if every else swept
            if every and silent and not worked:
                self._quiet_epoch = epoch
            elif worked:
                self._wanted.add(None)
                self._called.set()

    def _round(self, wanted: set[str | None] | None, *, silent: bool) -> bool:
        """Call the owners of the wanted models; whether there was anything to do."""
        for name in [name for name in self.owners if self._owns(name) is False]:
            _log.info("%s is watched by another process now", name, extra={"model": name})
            del self.owners[name]
            self._failed.pop(name, None)
        worked = False
        for name, progress in self._progress().items():
            if self._stop.is_set():
                return True
            if (wanted is None or name in wanted) and self._owns(name) and (contract := self._control.contract(name)) is not None:
                committed = Committed(
                    progress.predictions, progress.labels, progress.watermark - self._lateness, progress.logged, progress.frozen
                )
                worked |= self._step(contract, committed, silent=silent)
        return worked

    def _step(self, contract: Contract, committed: Committed, *, silent: bool) -> bool:
        name = contract.model
        if time.monotonic() < self._resting.get(name, 0.0):
            return True
        owner = self.owners.get(name) or self.owners.setdefault(name, self._new(name))
        try:
            began, monitors = time.monotonic(), self._monitors(name)
            worked = owner.step(self._model(contract), monitors, committed, silent=silent)
            self._failed.pop(name, None)
            self._told(Step(name, owner, contract, monitors, committed, silent, worked, time.monotonic() - began))
        except Fenced as error:
            _log.warning("%s", error, extra={"model": name})
            self.owners.pop(name, None)
            self._resting[name] = time.monotonic() + _REST
            self._fenced()
            return True
        except Retryable:
            raise
        except Exception as error:  # one model's edge: the others go on
            _log.exception("%s could not be evaluated; it is tried again", name, extra={"model": name})
            self._failed[name] = f"{type(error).__name__}: {error}"[:300]
            self._resting[name] = time.monotonic() + _SWEEP
            return True
        return worked

    def _model(self, contract: Contract) -> Model:
        known = self._models.get(contract.model)
        if known is None or known.contract.version != contract.version:
            stored = self._control.reference(contract.model, contract.version)
            known = self._models[contract.model] = Model(contract, Reference.from_bytes(stored) if stored else None)
        return known

    def _monitors(self, name: str) -> Sequence[Monitor]:
        return sorted(self._control.monitors(name), key=lambda monitor: monitor.name)
