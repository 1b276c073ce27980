"""Hosts the owners of models in a few threads, and knows whether everything is quiet."""

from __future__ import annotations

import dataclasses
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

from core import moment
from core.contract import Contract
from core.error import Fenced, Retryable
from core.monitor import Monitor
from monitors.model import Model
from monitors.ownership.owner import Owner
from monitors.ports import Committed
from monitors.reference.derive import Reference
from storage.facts.progress import Progress
from watchkeeper.scheduling.defined import Control as Defining
from watchkeeper.scheduling.defined import Defined, Definition
from watchkeeper.scheduling.moved import Moved, MovedFacts

_log = logging.getLogger(__name__)

_SWEEP = 1.0  # seconds between two looks when nobody calls
_NEVER = -1  # no call
_CHECK = 1800.0  # seconds after which a model is looked at alone, at most; half of it at least
_REST = 3.0  # seconds until a model that somebody else has taken is taken again, if it is still ours


class Control(Defining, Protocol):
    """The definitions that owners work by."""

    def reference(self, model: str, version: int) -> bytes | None:
        """The reference of a contract version."""
        ...


class StepDone(NamedTuple):
    """What an owner has just done: all there was to do up to `committed` under these definitions; `worked`: there was something."""

    model: str
    owner: Owner
    contract: Contract
    monitors: Sequence[Monitor]
    committed: Committed
    silent: bool
    worked: bool
    seconds: float


class _Job(NamedTuple):
    """A step to take: at which call, in silence or not."""

    definition: Definition
    committed: Committed
    epoch: int
    silent: bool

    @property
    def model(self) -> str:
        return self.definition.contract.model


class Host:
    """Calls a model's owner when something was written or defined, or a window has closed; `threads` of them at a time, none twice.

    What there is to do it sees once a second in questions about all models together, and each model alone every half an hour besides.
    `silent` tells whether the log has been read to its end and nothing has come for a while; `owns` whether a model is ours, None where that is
    not known just now; `told` hears of every step, `fenced` of a model that somebody else has taken, both in any thread.
    """

    def __init__(
        self,
        control: Control,
        facts: MovedFacts,
        owner: Callable[[str], Owner],
        silent: Callable[[], bool],
        debounce: float = 0.2,
        lateness: int = 0,
        threads: int = 4,
        *,
        owns: Callable[[str], bool | None] = lambda _: True,
        told: Callable[[StepDone], None] = lambda _: None,
        fenced: Callable[[], None] = lambda: None,
    ) -> None:
        self._control, self._new, self._silent = control, owner, silent
        self._defined, self._moved = Defined(control), Moved(facts)
        self._debounce, self._lateness = debounce, lateness
        self._owns, self._told, self._fenced = owns, told, fenced
        self.owners: dict[str, Owner] = {}
        self._models: dict[str, Model] = {}
        self._resting: dict[str, float] = {}  # until when (time.monotonic())
        self._failed: dict[str, str] = {}  # by model
        self._late: set[str] = set()  # models of which somebody who was replaced has written
        self._checked: dict[str, float] = {}  # by model: when it is looked at alone, whatever the questions for all say (time.monotonic())
        self._called, self._stop = threading.Event(), threading.Event()
        self._lock = threading.Lock()  # of the next four
        self._wanted: set[str | None] = set()  # None: every model
        self._told_of: set[str] = set()  # models of which something may have been committed since they were asked about
        self._taken: set[str] = set()  # models that somebody else has taken, or that were deleted
        self._busy: set[str] = set()  # models whose step is queued or under way
        self.epoch = 0
        self._settled: dict[str, int] = {}  # by model: the call at which it had nothing to do, in silence
        self._swept: tuple[int, set[str]] = (_NEVER, set())  # the call of the last sweep in silence, and its models
        self._problem: str | None = None
        self.seconds = 0.0  # what the last step with work took
        self.last: float | None = None  # when a step ended last (time.time())
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name="evaluate", daemon=True)]
        self._threads += [threading.Thread(target=self._work, name=f"evaluate-{place}", daemon=True) for place in range(threads)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Finish the steps under way."""
        self._stop.set()
        self._called.set()
        for _ in self._threads[1:]:
            self._jobs.put(None)
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def call(self, model: str | None = None) -> None:
        """Something of a model, or of any, was written or defined: there may be work."""
        self.note()
        if model is not None:
            with self._lock:
                self._told_of.add(model)
        self._want(model)

    def note(self) -> None:
        """Something has come: nothing is quiet until it was looked at."""
        with self._lock:
            self.epoch += 1

    @property
    def quiet(self) -> bool:
        """Whether every model has been found with nothing to do since the last call, in silence."""
        epoch, models = self._swept
        return epoch == self.epoch and all(self._settled.get(name) == epoch for name in models) and self._silent()

    @property
    def running(self) -> bool:
        """Whether its threads live."""
        return all(thread.is_alive() for thread in self._threads)

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
        """How many models are watched, what was done for them since they are watched here, and the last step."""
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
        """Gather calls, and hand out the steps that they ask for."""
        swept = 0.0
        while not self._stop.is_set():
            self._called.wait(max(0.0, swept + _SWEEP - time.monotonic()))
            if self._called.is_set():
                self._stop.wait(self._debounce)
                self._called.clear()
            if self._stop.is_set():
                return
            with self._lock:
                wanted, self._wanted, epoch = self._wanted, set(), self.epoch
                told, self._told_of = self._told_of, set()
            began = time.monotonic()
            every = None in wanted or began - swept >= _SWEEP
            try:
                self._round(None if every else wanted, told, epoch)
                self._problem = None
            except Exception as error:  # the thread's edge: the stores may be away for a while
                _log.log(logging.WARNING if isinstance(error, Retryable) else logging.ERROR, "evaluation is tried again: %s", error)
                self._problem = f"{type(error).__name__}: {error}"[:300]
                with self._lock:
                    self._told_of |= told
                self._want(None)
                self._stop.wait(1.0)
                continue
            swept = began if every else swept

    def _round(self, wanted: set[str | None] | None, told: set[str], epoch: int) -> None:
        """Hand out a step for each wanted model that may have work; None: for each. `told` are those of which a batch was written."""
        began, silent = time.monotonic(), self._silent()
        asked = None if wanted is None else {name for name in wanted if name is not None}
        defined = self._defined.look()
        with self._lock:
            taken, self._taken = self._taken, set()
        if taken & defined.keys():
            self._fenced()
        for name in {*self.owners.copy(), *self._failed.copy()}:
            if name not in defined or self._owns(name) is False:
                why = "is watched by another process now" if name in defined else "was deleted"
                _log.info("%s %s", name, why, extra={"model": name})
                self.owners.pop(name, None)
                self._failed.pop(name, None)
        if asked is None:
            self._moved.all(silent=silent)
        found = self._moved.some(told)
        if asked is None:
            self._late |= self._moved.late(self.owners.copy())
        ours = {name for name in (found if asked is None else asked) if name in found and name in defined and self._owns(name)}
        due = {name for name in ours if began >= self._resting.get(name, 0.0)}
        due = {name for name in due if not self._idle(name, defined[name], self._committed(found[name]), epoch, silent=silent)}
        if due and asked is None:
            found = self._moved.some(due)  # how far retention is changes with the clock
        for name in due:
            self._hand(_Job(defined[name], self._committed(found[name]), epoch, silent))
        if asked is None and silent:
            self._swept = epoch, ours

    def _idle(self, name: str, definition: Definition, committed: Committed, epoch: int, *, silent: bool) -> bool:
        """Whether a model's owner is known to have nothing to do; in silence it is settled then."""
        with self._lock:
            if name in self._busy:
                return False  # its step may have found what it has not told yet
        owner = self.owners.get(name)
        if owner is None or name in self._late or time.monotonic() >= self._checked.get(name, 0.0):
            return False
        if not owner.idle(definition.contract, definition.monitors, committed, silent=silent, rebuild=definition.rebuild):
            return False
        if silent:
            self._settled[name] = epoch
        return True

    def _committed(self, progress: Progress) -> Committed:
        return Committed(progress.predictions, progress.labels, progress.watermark, progress.logged, progress.frozen, self._lateness)

    def _hand(self, job: _Job) -> None:
        """Queue a step; that of a model with a step under way follows that."""
        name = job.model
        with self._lock:
            if name in self._busy:
                self._wanted.add(name)
                return
            self._busy.add(name)
        if name in self._late and (owner := self.owners.get(name)) is not None:
            owner.doubt()
        self._late.discard(name)
        self._jobs.put(job)

    def _want(self, name: str | None) -> None:
        with self._lock:
            self._wanted.add(name)
        self._called.set()

    def _work(self) -> None:
        """Take steps as they are handed out."""
        while (job := self._jobs.get()) is not None and not self._stop.is_set():
            name = job.model
            worked, self._settled[name] = self._step(job)
            with self._lock:
                self._busy.discard(name)
                again = worked or name in self._wanted
            if again:
                self._want(name)

    def _step(self, job: _Job) -> tuple[bool, int]:
        """Take a step, if the model is still ours; whether there may be more to do, and at which call there was nothing, in silence."""
        name, began = job.model, time.monotonic()
        try:
            if not self._owns(name):
                return False, _NEVER
            silent = job.silent and self._silent()  # the job may have waited
            owner = self.owners.get(name) or self.owners.setdefault(name, self._new(name))
            contract, monitors, rebuild = job.definition
            worked = owner.step(dataclasses.replace(self._model(contract), rebuild=rebuild), monitors, job.committed, silent=silent)
            self._told(StepDone(name, owner, contract, monitors, job.committed, silent, worked, time.monotonic() - began))
        except Fenced as error:
            _log.warning("%s", error, extra={"model": name})
            self.owners.pop(name, None)
            self._resting[name] = time.monotonic() + _REST
            with self._lock:
                self._taken.add(name)
            return True, _NEVER
        except Exception as error:  # one model's edge: the others go on
            _log.log(
                logging.WARNING if isinstance(error, Retryable) else logging.ERROR,
                "%s could not be evaluated; it is tried again: %s",
                name,
                error,
                exc_info=not isinstance(error, Retryable),
                extra={"model": name},
            )
            self._failed[name] = f"{type(error).__name__}: {error}"[:300]
            self._checked.pop(name, None)
            self._resting[name] = time.monotonic() + _SWEEP
            return True, _NEVER
        self._failed.pop(name, None)
        self._checked[name] = time.monotonic() + _CHECK * random.uniform(0.5, 1.0)  # noqa: S311 - spread over time
        self.last = time.time()
        if worked:
            self.seconds = time.monotonic() - began
        return worked, job.epoch if silent and not worked else _NEVER

    def _model(self, contract: Contract) -> Model:
        known = self._models.get(contract.model)
        if known is None or known.contract.version != contract.version:
            stored = self._control.reference(contract.model, contract.version)
            known = self._models[contract.model] = Model(contract, Reference.from_bytes(stored) if stored else None)
        return known
