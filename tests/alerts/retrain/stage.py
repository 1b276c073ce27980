"""A stage for the whole way of a request: a store, an alert engine, a target, and what follows requests."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from alerts.engine import AlertEngine
from alerts.retrain.watch import RetrainWatch
from core import moment
from core.clock import ManualClock
from core.retrain import Retrain
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.retrain.scene import HORIZON, Facts, hook
from tests.alerts.sample import MONITOR, reading
from watchkeeper.change import retrain as change
from watchkeeper.change.context import Context
from watchkeeper.settings.settings import Settings


class Stage:
    """A store, an alert engine, and what follows requests."""

    def __init__(self, store: ControlStore, clock: ManualClock, receiver: Receiver) -> None:
        self.store, self.clock, self.receiver, self.facts = store, clock, receiver, Facts()
        self.engine = AlertEngine(store, clock, MEASURES)
        self.watch = self.another()
        self.resolved: list[str] = []

    def another(self, **changes: Any) -> RetrainWatch:
        return RetrainWatch(
            self.store,
            self.facts,
            self.clock,
            HORIZON,
            address="http://127.0.0.1:8650",
            better=lambda name: MEASURES[name].better,
            effective=lambda request, _: self.resolved.append(request.id) or "the reference is kept",  # type: ignore[func-returns-value]
            **changes,
        )

    def apply(self, **changes: Any) -> None:
        self.store.apply_hooks([hook(self.receiver.url, **changes)])

    def breach(self, *columns: str, day: int = 0) -> None:
        self.engine.observe(MONITOR, [reading(day, "critical", column=column) for column in columns])

    def clear(self, *columns: str, day: int = 1) -> None:
        self.engine.observe(MONITOR, [reading(day, "ok", column=column) for column in columns])

    def pass_(self, time: int = 6 * moment.SECOND) -> Retrain:
        """Some time later, what is due is done. Returns the newest request."""
        self.clock.advance(time)
        self.watch.look()
        return self.newest

    @property
    def newest(self) -> Retrain:
        return self.store.retrains()[0][0]

    def report(self, state: str, **told: Any) -> Retrain:
        call = json.loads(self.receiver.calls[-1].body)["data"]
        name, token = call["id"], call["callback_url"].partition("token=")[2]
        return self.act(change.take_report, change.RetrainReport(id=name, token=token, state=state, **told))

    def act(self, what: Any, payload: msgspec.Struct) -> Retrain:
        done: Retrain = what(Context(Held(self.store), "ada"), payload)  # type: ignore[arg-type]
        return done

    def cycle(self, *, good: bool) -> Retrain:
        """A run from its dispatch to the verdict."""
        version = str(len(self.facts.known) + 1)
        self.report("succeeded", version=version)
        self.facts.known.append(version)
        self.facts.windows.clear()
        self.facts.judge(good, good, good, good, good)
        return self.pass_()


class Held:
    """The part of the stores that commands about retraining use."""

    def __init__(self, control: ControlStore) -> None:
        self.control, self.settings = control, Settings()
