"""The spine without threads: the real log, steps, stores and owner, driven one action at a time, and a fuse that kills it anywhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from alerts.engine import AlertEngine
from core import moment
from core.clock import SystemClock
from core.contract import Column, Contract, Dimension, Kind, Task
from core.monitor import Monitor
from ingest.consumer import Consumer, Limits
from ingest.embedded_log import EmbeddedLog
from ingest.record import TOPICS, Topic
from monitors.evaluate import Evaluate, Model
from monitors.owner import Committed, Owner, Stores
from monitors.rebuild import Rebuild
from storage.control.store import ControlStore
from storage.facts.chdb import Chdb
from storage.facts.migration import migrate
from storage.facts.panes import Panes
from storage.facts.progress import Batches
from storage.facts.raw import Raw
from storage.facts.readings import Readings
from storage.facts.truth import Truth
from storage.facts.writer import Writer

_EVER = (-2_208_988_800_000_000, 9_000_000_000_000_000)
_MEASURES = {
    "nulls": ("quality.null_rate", None),
    "psi": ("drift.psi", "previous"),
    "accuracy": ("performance.accuracy", None),
    "auc": ("performance.roc_auc", "previous"),
}


class Killed(BaseException):
    """The process is gone."""


class Fuse:
    """Kills at a write, before or after it is done; `arm` says at which one from now on."""

    def __init__(self) -> None:
        self._left = 0
        self._after = False

    def arm(self, writes: int, *, after: bool) -> None:
        """Let `writes` - 1 more writes pass; 0 lets all pass."""
        self._left, self._after = writes, after

    def through(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, with the fuse in its way."""

        def guarded(*given: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            result = work(*given, **named)
            if self._left == 0:
                raise Killed
            return result

        return guarded


class Fused:
    """What it is given, with a fuse in the way of the named methods."""

    def __init__(self, whole: Any, fuse: Fuse, names: Sequence[str]) -> None:
        self._whole = whole
        for name in names:
            setattr(self, name, fuse.through(getattr(whole, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


class Spine:
    """One data folder. Models are told apart by name, so that many runs share it; `kill` forgets all that is not in the stores."""

    def __init__(self, folder: Path) -> None:
        self.engine = Chdb(folder / "facts")
        migrate(self.engine)
        self.control = ControlStore(f"sqlite:///{folder / 'control.sqlite'}", SystemClock())
        self.control.migrate()
        self.fuse = Fuse()
        self.contracts: dict[str, Contract] = {}
        self._path = folder / "log.sqlite"
        self._bytes = 1
        self._begin()

    def add(self, model: str) -> None:
        """Give a model its contract."""
        self.contracts[model] = contract(model)

    def append(self, topic: Topic, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append a request, durably."""
        self.log.append(topic, "json", json.dumps(rows).encode(), time.time_ns() // 1_000).result()

    def ingest(self, size: int) -> None:
        """Read the log to its end, in batches of about `size` bytes."""
        for topic in TOPICS:
            consumer = self._consumers[topic]
            consumer._limits = Limits(bytes=size, seconds=0)
            while consumer.written < self.log.end(topic):
                if (batch := consumer._cut()) is not None:
                    while not consumer._submitted(batch):
                        consumer._steps.poll()
                consumer._steps.poll()

    def evaluate(self, model: str, *, silent: bool) -> bool:
        """One step of the model's owner; whether there was anything to do."""
        progress = Batches(self.engine).progress(0).get(model)
        if progress is None:
            return False
        committed = Committed(progress.predictions, progress.labels, progress.watermark, progress.logged, progress.frozen)
        owner = self._owners.get(model) or self._owners.setdefault(model, self._owner(model))
        return owner.step(Model(self.contracts[model], None), monitors(model), committed, silent=silent)

    def kill(self) -> None:
        """Die and begin again."""
        self.fuse.arm(0, after=False)
        self._end()
        self._begin()

    def close(self) -> None:
        """Close the stores."""
        self._end()
        self.control.close()
        self.engine.close()

    def readings(self, model: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """The newest readings of a model: every field but model and revision, by monitor, column, segment and window."""
        held = Readings(self.engine)
        rows = [row for one in monitors(model) for row in held.newest(model, one.name, one.revision, _EVER).to_pylist()]
        key = ("monitor", "column", "segment", "window_start")
        return {
            tuple(row.pop(name) for name in key): tuple(
                sorted((name, value) for name, value in row.items() if name not in {"model", "revision"})
            )
            for row in rows
        }

    def twice(self, model: str) -> tuple[int, int]:
        """How many rows raw holds more than ids, and how many the panes hold more than ids."""
        sql = "SELECT count() AS rows, uniqExact(prediction_id) AS ids FROM predictions WHERE model = {model:String}"
        row = self.engine.query(sql, {"model": model}).to_pylist()[0]
        return row["rows"] - row["ids"], int(Panes(self.engine).slots(self.contracts[model])[1].sum()) - row["ids"]

    def _begin(self) -> None:
        self.log = EmbeddedLog(self._path)
        log = Fused(self.log, self.fuse, ["commit"])
        ingested = Fused(Writer(self.engine), self.fuse, ["predictions", "labels", "panes", "dead_letters", "batches"])
        self._writer = Fused(Writer(self.engine), self.fuse, ["panes", "rebuilt", "performance_panes", "readings"])
        self._consumers = {
            topic: Consumer(log, ingested, Raw(self.engine), self.contracts.get, topic, limits=Limits(seconds=0)) for topic in TOPICS
        }
        self._owners: dict[str, Owner] = {}

    def _end(self) -> None:
        for consumer in self._consumers.values():
            consumer._steps.abandon()
        self.log.close()

    def _owner(self, model: str) -> Owner:
        raw, panes, clock = Raw(self.engine), Panes(self.engine), SystemClock()

        def versions(name: str, _version: int) -> Contract:
            return self.contracts[name]

        stores = Stores(
            raw=raw,
            truth=Fused(Truth(self.engine), self.fuse, ["join"]),
            panes=panes,
            readings=Readings(self.engine),
            write=self._writer,
            cursors=Fused(self.control, self.fuse, ["save_cursor"]),
            alerts=AlertEngine(self.control, clock),
        )
        return Owner(model, stores, Rebuild(raw, panes, self._writer, versions, clock), Evaluate(panes, raw, versions), clock)


def contract(model: str) -> Contract:
    """A small binary model: a number, and a category to segment by."""
    return Contract(
        model=model,
        version=1,
        task=Task.BINARY,
        features=(
            Column(name="x", kind=Kind.NUMERIC, edges=(0.0, 1.0)),
            Column(name="c", kind=Kind.CATEGORICAL, categories=("a", "b")),
        ),
        outputs=(
            Column(name="@prediction", kind=Kind.CATEGORICAL, categories=("0", "1")),
            Column(name="@label", kind=Kind.CATEGORICAL, categories=("0", "1")),
        ),
        dimensions=(Dimension(name="c", values=("a", "b")),),
        classes=("0", "1"),
        scored=True,
        score_edges=((0.25, 0.5, 0.75),),
    )


def monitors(model: str) -> list[Monitor]:
    """A monitor of each kind: input panes, performance panes, outcomes, against the window before."""
    columns = {"quality.null_rate": ("x", "c"), "drift.psi": ("x", "@prediction", "@label")}
    shared = Monitor(name="", model=model, measure="", segments=("all", "c"), window=moment.DAY, min_samples=1, warn=0.1)
    return [
        msgspec.structs.replace(shared, name=name, measure=measure, baseline=baseline, columns=columns.get(measure, ()))
        for name, (measure, baseline) in _MEASURES.items()
    ]
