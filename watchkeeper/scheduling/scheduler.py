"""Schedules the steps of all owners in a few threads, and knows whether all models are quiet."""

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
from monitors.reference.derive import ReferenceSummary
from storage.facts.progress import Progress
from watchkeeper.advice import advice
from watchkeeper.scheduling.commit_tracker import CommitFacts, CommitTracker
from watchkeeper.scheduling.definition_cache import Control as Defining
from watchkeeper.scheduling.definition_cache import Definition, DefinitionCache

_log = logging.getLogger(__name__)

_POLL = 1.0  # seconds between two polls of all models
_NEVER = -1  # no number of calls
_CHECK_ALONE = 1800.0  # seconds at most after which a step is taken for a model in any case; at least half of it
_RETAKE_AFTER = 3.0  # seconds until a model that another process has taken is taken back, if it is still ours


class Control(Defining, Protocol):
    """The definitions that owners work by."""

    def reference(self, model: str, version: int) -> bytes | None:
        """The reference of a contract version."""
        ...


class StepDone(NamedTuple):
    """A step that has ended. If it has not `worked`, there was nothing to do up to `committed` under these definitions; else there may be more."""

    model: str
    owner: Owner
    contract: Contract
    monitors: Sequence[Monitor]
    committed: Committed
    silent: bool
    worked: bool
    seconds: float


class _StepJob(NamedTuple):
    """A step to take. `calls` is the number of calls when it was queued; `silent` says whether events have stopped coming."""

    definition: Definition
    committed: Committed
    calls: int
    silent: bool

    @property
    def model(self) -> str:
        return self.definition.contract.model


class Scheduler:
    """Calls a model's owner when something was committed or defined, or a window has closed. `threads` steps run at a time, one per model.

    It polls once a second, in queries about all models together; besides, each model gets a step after 15 to 30 minutes at most. `silent` tells whether the log
    has been read to its end and no event has come for a while. `owns` tells whether this process owns a model, None where that is not known at the
    moment. `complete` gives the time before which everything that the log took is committed; a model of which nothing came in the `silence` before that
    (microseconds) is silent, also while events of others come. `on_step` is called in the thread of the step, after each one that did not fail; `on_fenced` in the scheduling thread, after another
    process has taken a model.
    """

    def __init__(
        self,
        control: Control,
        facts: CommitFacts,
        owner: Callable[[str], Owner],
        silent: Callable[[], bool],
        debounce: float = 0.2,
        lateness: int = 0,
        threads: int = 4,
        *,
        owns: Callable[[str], bool | None] = lambda _: True,
        on_step: Callable[[StepDone], None] = lambda _: None,
        on_fenced: Callable[[], None] = lambda: None,
        complete: Callable[[], int] = lambda: moment.EARLIEST,
        silence: int = 0,
    ) -> None:
        self._control, self._new, self._silent = control, owner, silent
        self._defined, self._commits = DefinitionCache(control), CommitTracker(facts, complete)
        self._debounce, self._lateness, self._silence = debounce, lateness, silence
        self._owns, self._on_step, self._on_fenced = owns, on_step, on_fenced
        self.owners: dict[str, Owner] = {}
        self._models: dict[str, Model] = {}
        self._paused_until: dict[str, float] = {}  # by model: until when (time.monotonic())
        self._failed: dict[str, str] = {}  # by model
        self._written_late: set[str] = set()  # models of which an earlier owner has written late
        self._check_at: dict[str, float] = {}  # by model: when it gets a step in any case (time.monotonic())
        self._called, self._stop = threading.Event(), threading.Event()
        self._lock = threading.Lock()  # guards the next five attributes
        self._wanted: set[str | None] = set()  # None: every model
        self._reported: set[str] = set()  # models of which something may have been committed since they were polled
        self._lost: set[str] = set()  # models that another process has taken, or that were deleted
        self._busy: set[str] = set()  # models whose step is queued or under way
        self.calls = 0  # how often `note` or `call` was called
        self._settled: dict[str, int] = {}  # by model: the number of calls when it had nothing to do, in silence
        self._polled: tuple[int, set[str]] = (_NEVER, set())  # the number of calls at the last poll in silence, and its models
        self._problem: str | None = None
        self.seconds = 0.0  # how many seconds the last step with work took
        self.last: float | None = None  # when a step ended last (time.time())
        self._jobs: SimpleQueue[_StepJob | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name="evaluate", daemon=True)]
        self._threads += [threading.Thread(target=self._work, name=f"evaluate-{number}", daemon=True) for number in range(threads)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Finish the steps under way, and stop."""
        self._stop.set()
        self._called.set()
        for _ in self._threads[1:]:
            self._jobs.put(None)
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def call(self, model: str | None = None) -> None:
        """Something of a model, or of any model, was committed or defined: there may be work."""
        self.note()
        if model is not None:
            with self._lock:
                self._reported.add(model)
        self._want(model)

    def note(self) -> None:
        """Something has come: no model is quiet until it was polled again."""
        with self._lock:
            self.calls += 1

    @property
    def quiet(self) -> bool:
        """Whether every model had nothing to do, in silence, since the last call."""
        calls, models = self._polled
        return calls == self.calls and all(self._settled.get(name) == calls for name in models) and self._silent()

    @property
    def running(self) -> bool:
        """Whether its threads live."""
        return all(thread.is_alive() for thread in self._threads)

    def obstacles(self) -> list[str]:
        """Sentences that say what keeps models from being evaluated."""
        found = [f"evaluation: {self._problem}"] if self._problem else []
        return found + [f"evaluation of {name}: {why}" for name, why in sorted(self._failed.copy().items())]

    def problems(self) -> list[str]:
        """Obstacles, and monitors that cannot be evaluated."""
        counts = [(name, owner.counts) for name, owner in sorted(self.owners.copy().items())]
        return self.obstacles() + [f"monitor {monitor} of {name}: {why}" for name, of in counts for monitor, why in of.problems.items()]

    def advice(self) -> list[str]:
        """Sentences that say what would be better."""
        return advice(self._defined.read().values())

    def status(self) -> dict[str, Any]:
        """How many models this process watches, what was done for them here, and the last step."""
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
        """Gather calls, and queue the steps that they need. The first call after a rest is served at once, the next ones `debounce` seconds later."""
        polled = gathered = 0.0
        while not self._stop.is_set():
            self._called.wait(max(0.0, polled + _POLL - time.monotonic()))
            if self._called.is_set():
                self._stop.wait(max(0.0, gathered + self._debounce - time.monotonic()))
                self._called.clear()
                gathered = time.monotonic()
            if self._stop.is_set():
                return
            with self._lock:
                wanted, self._wanted, calls = self._wanted, set(), self.calls
                reported, self._reported = self._reported, set()
            began = time.monotonic()
            every = None in wanted or began - polled >= _POLL
            try:
                self._round(None if every else wanted, reported, calls)
                self._problem = None
            except Exception as error:  # top of the thread: the stores may be away for a while
                _log.log(logging.WARNING if isinstance(error, Retryable) else logging.ERROR, "evaluation is tried again: %s", error)
                self._problem = f"{type(error).__name__}: {error}"[:300]
                with self._lock:
                    self._reported |= reported
                self._want(None)
                self._stop.wait(1.0)
                continue
            polled = began if every else polled

    def _round(self, wanted: set[str | None] | None, reported: set[str], calls: int) -> None:
        """Queue a step for each wanted model that may have work; None: for every model. Of the `reported` ones a batch was committed."""
        began, silent = time.monotonic(), self._silent()
        asked = None if wanted is None else {name for name in wanted if name is not None}
        defined = self._defined.read()
        with self._lock:
            lost, self._lost = self._lost, set()
        if lost & defined.keys():
            self._on_fenced()
        for name in {*self.owners.copy(), *self._failed.copy()}:
            if name not in defined or self._owns(name) is False:
                why = "is watched by another process now" if name in defined else "was deleted"
                _log.info("%s %s", name, why, extra={"model": name})
                owner = self.owners.pop(name, None)
                with self._lock:
                    busy = name in self._busy
                if owner is not None and not busy:  # else its step finds that the model is another's
                    owner.close()
                self._failed.pop(name, None)
        if asked is None:
            self._commits.all(silent=silent)
        found = self._commits.some(reported)
        if asked is None:
            self._written_late |= self._commits.late(self.owners.copy())
        ours = {name for name in (found if asked is None else asked) if name in found and name in defined and self._owns(name)}
        due = {name for name in ours if began >= self._paused_until.get(name, 0.0)}
        due = {name for name in due if not self._idle(name, defined[name], self._committed(found[name]), calls, silent=silent)}
        if due and asked is None:
            found = self._commits.some(due)  # the limit of retention moves with the clock
        for name in due:
            self._enqueue(_StepJob(defined[name], self._committed(found[name]), calls, silent))
        if asked is None and silent:
            self._polled = calls, ours

    def _idle(self, name: str, definition: Definition, committed: Committed, calls: int, *, silent: bool) -> bool:
        """Whether a model's owner is known to have nothing to do. In silence the model is then settled."""
        with self._lock:
            if name in self._busy:
                return False  # its step may have found work that it has not reported yet
        owner = self.owners.get(name)
        if owner is None or name in self._written_late or time.monotonic() >= self._check_at.get(name, 0.0):
            return False
        contract, monitors, rebuild, listening, *_ = definition
        if not owner.idle(contract, monitors, committed, silent=silent, rebuild=rebuild, listening=listening):
            return False
        if silent and not owner.waiting:
            self._settled[name] = calls
        return True

    def _committed(self, progress: Progress) -> Committed:
        until = self._commits.complete if self._commits.complete - progress.logged >= self._silence else moment.EARLIEST
        return Committed(progress.predictions, progress.labels, progress.watermark, progress.logged, progress.frozen, self._lateness, until)

    def _enqueue(self, job: _StepJob) -> None:
        """Queue a step. If a step of the model is under way, another one follows it."""
        name = job.model
        with self._lock:
            if name in self._busy:
                self._wanted.add(name)
                return
            self._busy.add(name)
        if name in self._written_late and (owner := self.owners.get(name)) is not None:
            owner.recheck_earlier_owners()
        self._written_late.discard(name)
        self._jobs.put(job)

    def _want(self, name: str | None) -> None:
        with self._lock:
            self._wanted.add(name)
        self._called.set()

    def _work(self) -> None:
        """Take the queued steps."""
        while (job := self._jobs.get()) is not None and not self._stop.is_set():
            name = job.model
            worked, self._settled[name] = self._step(job)
            with self._lock:
                self._busy.discard(name)
                again = worked or name in self._wanted
            if again:
                self._want(name)

    def _step(self, job: _StepJob) -> tuple[bool, int]:
        """Take a step, if the model is still ours. Returns whether there may be more to do, and the number of calls at which there was none, in silence."""
        name, began = job.model, time.monotonic()
        owner: Owner | None = None
        try:
            if not self._owns(name):
                return False, _NEVER
            silent = job.silent and self._silent()  # the job may have waited in the queue
            owner = self.owners.get(name) or self.owners.setdefault(name, self._new(name))
            contract, monitors, rebuild, listening, *_ = job.definition
            model = dataclasses.replace(self._model(contract), rebuild=rebuild, listening=listening)
            worked = owner.step(model, monitors, job.committed, silent=silent)
            rest = owner.waiting  # computed in the background: a poll finds when it is there
            self._on_step(StepDone(name, owner, contract, monitors, job.committed, silent, worked or rest, time.monotonic() - began))
        except Fenced as error:
            _log.warning("%s", error, extra={"model": name})
            self.owners.pop(name, None)
            if owner is not None:
                owner.close()
            self._paused_until[name] = time.monotonic() + _RETAKE_AFTER
            with self._lock:
                self._lost.add(name)
            return True, _NEVER
        except Exception as error:  # whatever fails for one model, the others go on
            _log.log(
                logging.WARNING if isinstance(error, Retryable) else logging.ERROR,
                "%s could not be evaluated; it is tried again: %s",
                name,
                error,
                exc_info=not isinstance(error, Retryable),
                extra={"model": name},
            )
            self._failed[name] = f"{type(error).__name__}: {error}"[:300]
            self._check_at.pop(name, None)
            self._paused_until[name] = time.monotonic() + _POLL
            return True, _NEVER
        self._failed.pop(name, None)
        self._check_at[name] = time.monotonic() + _CHECK_ALONE * random.uniform(0.5, 1.0)  # noqa: S311 - spread over time
        self.last = time.time()
        if worked:
            self.seconds = time.monotonic() - began
        return worked, job.calls if silent and not (worked or rest) else _NEVER

    def _model(self, contract: Contract) -> Model:
        known = self._models.get(contract.model)
        if known is None or known.contract.evaluated_as != contract.evaluated_as:
            stored = self._control.reference(contract.model, contract.version)
            known = self._models[contract.model] = Model(contract, ReferenceSummary.from_bytes(stored) if stored else None)
        return known
