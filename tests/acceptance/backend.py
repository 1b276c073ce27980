"""The backend without threads: real logs, steps, stores and owners, run one action at a time; a `fuse` interrupts it at any action."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from alerts.engine import AlertEngine
from alerts.trust_watch import TrustWatch
from core import moment
from core.baseline.previous import Previous
from core.baseline.rows import Version
from core.clock import Clock, SystemClock
from core.contract import Column, Contract, Dimension, Kind, Task
from core.error import Fenced
from core.monitor import Monitor
from core.reading import WITHDRAWN, Query
from core.window.tumbling import Tumbling
from detectors.catalogue import MEASURES
from ingest.consumer import Consumer, Limits
from ingest.embedded_log import EmbeddedLog
from ingest.memory import MOST
from ingest.ports import CommittedPosition as Place
from ingest.record import TOPICS, LogStretch, Topic
from ingest.waiting import Admission, Limited, Room
from monitors.evaluation.evaluate import Evaluate
from monitors.model import Model
from monitors.ownership.owner import Owner, OwnerStores
from monitors.ownership.rebuild import Rebuild
from monitors.ports import Committed
from storage.control.store import ControlStore
from storage.facts.chdb import Chdb
from storage.facts.migration import migrate
from storage.facts.outcome_store import OutcomeStore
from storage.facts.panes import Panes
from storage.facts.progress import Batches
from storage.facts.raw import Raw
from storage.facts.readings import Readings
from storage.facts.stream import Stream
from storage.facts.waiting import WaitingStore
from storage.facts.writer import Writer
from tests.acceptance.spanning import spanning
from watchkeeper.standing import standing

PARTITIONS = (0, 1, 2)
When = Literal["before", "after", "late"]

ByPlace = dict[tuple[Any, ...], tuple[Any, ...]]  # readings by monitor, column, segment and window: all fields but model and revision
_EVER = (-2_208_988_800_000_000, 9_000_000_000_000_000)
_MEASURES = {
    "nulls": ("quality.null_rate", None),
    "psi": ("drift.psi", Previous()),
    "accuracy": ("performance.accuracy", None),
    "auc": ("performance.roc_auc", Previous()),
    "coverage": ("quality.label_coverage", None),
    "delay": ("quality.label_delay", Previous()),
    "orphans": ("quality.orphan_label_rate", None),
    "schema": ("quality.schema_changes", None),
    "freshness": ("quality.freshness", None),
    "volume": ("quality.volume", Previous()),
    "more nulls": ("quality.null_rate", Previous()),
    "compared": ("compare.difference", Version("1")),
    "changes": ("change.page_hinkley", None),
    "traffic": ("service.throughput", None),
    "errors": ("service.error_rate", None),
}
_FOUND: dict[str, Any] = {"of": "performance.accuracy", "min_instances": 1, "threshold": 0.2, "delta": 0.0}  # in a row or two
_COMPARED: dict[str, Any] = {"other": Version("2"), "warn": None, "params": {"of": "performance.accuracy", "margin": 0.1, "split": 0.5}}


class Killed(BaseException):
    """The process is gone."""


class Fuse:
    """Kills at a write, before or after it is done; `arm` sets at which write from now on. A write of an owner can also be held back, so that it comes late."""

    def __init__(self) -> None:
        self._left = 0
        self._when: When = "before"
        self._kept: list[Callable[[], Any]] = []

    def arm(self, writes: int, when: When) -> None:
        """Kill at the write number `writes` from now on; 0 lets all writes pass."""
        self._left, self._when = writes, when

    def land(self) -> None:
        """Do the writes that were held back. One to the control store may find that its owner was replaced."""
        while self._kept:
            with suppress(Fenced):
                self._kept.pop(0)()

    def through(self, work: Callable[..., Any], *, fenced: bool) -> Callable[..., Any]:
        """The same function, through the fuse. Only writes of `fenced` writers may come late."""

        def guarded(*given: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and self._when != "after":
                if self._when == "late" and fenced:
                    self._kept.append(lambda: work(*given, **named))
                raise Killed
            result = work(*given, **named)
            if self._left == 0:
                raise Killed
            return result

        return guarded


class Fused:
    """The given object, with the named methods through a fuse."""

    def __init__(self, whole: Any, fuse: Fuse, names: Sequence[str], *, fenced: bool) -> None:
        self._whole = whole
        for name in names:
            setattr(self, name, fuse.through(getattr(whole, name), fenced=fenced))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


class Partition:
    """One partition of a log of several: an embedded log whose positions begin at `first`."""

    def __init__(self, path: Path, first: int) -> None:
        self.whole, self._less = EmbeddedLog(path), 1 - first

    def committed(self, topic: Topic, partition: int) -> Place:
        """The committed position of the consumer."""
        return self._ours(self.whole.committed(topic, 0), -self._less)

    def commit(self, topic: Topic, partition: int, committed: Place) -> None:
        """Make the consumer's position durable."""
        self.whole.commit(topic, 0, self._ours(committed, self._less))

    def read(self, topic: Topic, partition: int, start: int, *, until: int | None, most: int) -> LogStretch:
        """Records from `start` on."""
        until = until if until is None else until + self._less
        records, last = self.whole.read(topic, 0, start + self._less, until=until, most=most)
        return LogStretch([record._replace(position=record.position - self._less) for record in records], last - self._less)

    def wait(self, topic: Topic, partition: int, position: int, seconds: float) -> bool:
        """Wait until the log has been read beyond `position`."""
        return self.whole.wait(topic, 0, position + self._less, seconds)

    def end(self, topic: Topic) -> int:
        """The position after the last record."""
        return self.whole.end(topic) - self._less

    @staticmethod
    def _ours(place: Place, less: int) -> Place:
        return Place(place.next + less, place.intent if place.intent is None else place.intent + less)


class Backend:
    """One data folder. Many runs share it, each with models of its own; `kill` drops everything that is not in the stores.

    The log has several partitions; the positions of the first begin at 0, as those of Kafka, and those of the others at 1. `replace` leaves a model's owner
    to itself: it still believes that it owns the model, while another one begins with the next step. Ingest remembers so many ids as `memory` says.
    """

    def __init__(self, folder: Path, memory: int = MOST) -> None:
        self.engine = Chdb(folder / "facts")
        migrate(self.engine)
        self.control = ControlStore(f"sqlite:///{folder / 'control.sqlite'}", SystemClock())
        self.control.migrate()
        self.fuse = Fuse()
        self.clock: Clock = SystemClock()
        self.contracts: dict[str, Contract] = {}
        self.earlier: dict[tuple[str, int], Contract] = {}  # versions of contracts before the current one
        self.monitors: dict[str, list[Monitor]] = {}  # of models that have others than `monitors`
        self._folder, self.memory = folder, memory
        self._begin()

    def add(self, model: str) -> None:
        """Give a model its contract."""
        self.contracts[model] = contract(model)

    def take_up(self, contract: Contract, _fence: tuple[str, int]) -> None:
        """Give a model the next version of its contract."""
        held = self.contracts[contract.model]
        if held.version == contract.version:
            self.earlier[held.model, held.version] = held
            self.contracts[held.model] = msgspec.structs.replace(contract, version=held.version + 1, referred=held.based_on)

    def append(self, topic: Topic, rows: Sequence[Mapping[str, Any]], partition: int = 0, logged: int | None = None) -> int:
        """Append a request durably. Returns when the log took it."""
        logged = logged or time.time_ns() // 1_000
        self.log[partition].whole.append(topic, "json", json.dumps(rows).encode(), logged).result()
        return logged

    def ingest(self, size: int, partitions: Sequence[int] = PARTITIONS) -> None:
        """Read these partitions of the log to their ends, in batches of about `size` bytes."""
        for partition, topic in itertools.product(partitions, TOPICS):
            consumer = self._consumers[topic, partition]
            consumer.limits = Limits(bytes=size, seconds=0)
            while consumer.written < self.log[partition].end(topic):
                if (batch := consumer._cut()) is not None:
                    while not consumer._submitted(batch):
                        consumer._stages.poll()
                consumer._stages.poll()

    def committed(self, model: str) -> Committed | None:
        """What ingest has committed of a model."""
        found = Batches(self.engine).progress(0).get(model)
        return None if found is None else Committed(found.predictions, found.labels, found.watermark, found.logged, found.frozen)

    def evaluate(self, model: str, *, silent: bool) -> bool:
        """Take one step of the model's owner. Returns whether there was anything to do. An owner that is fenced goes, as the scheduler has it."""
        committed = self.committed(model)
        if committed is None or model not in self.contracts:
            return False
        self._known[model] = committed
        owner = self.owner(model)
        owner.recheck_earlier_owners()  # as the scheduler has it once one has written late
        try:
            return self.step(owner, model, committed, silent=silent)
        except Fenced:  # an owner that was killed while it took the model has it now, and nobody works for it
            del self._owners[model], self._known[model]
            return True

    def step(self, owner: Owner, model: str, committed: Committed, *, silent: bool) -> bool:
        """Take one step of an owner, the current one or a former one."""
        watched = self.monitors.get(model, monitors(model))
        asked = self.control.rebuilds().get(model, 0)
        return owner.step(Model(self.contracts[model], None, asked), watched, committed, silent=silent)

    def owner(self, model: str) -> Owner:
        """The model's owner in this process."""
        return self._owners.get(model) or self._owners.setdefault(model, self._owner(model))

    def replace(self, model: str) -> None:
        """Let another owner take the model over with the next step; the current one does not know it."""
        if model in self._known:
            self._replaced.append((self._owners.pop(model), model, self._known.pop(model)))

    def haunt(self) -> None:
        """Let former owners take a step with their last state; one that gets Fenced ends."""
        for one in list(self._replaced):
            try:
                self.step(*one, silent=True)
            except Fenced:
                self._replaced.remove(one)

    def kill(self) -> None:
        """Kill everything and start again."""
        self.fuse.arm(0, "before")
        self._end()
        self._begin()

    def close(self) -> None:
        """Close the stores."""
        self._end()
        self.control.close()
        self.engine.close()

    def readings(self, model: str) -> ByPlace:
        """The current readings of a model."""
        held = Readings(self.engine)
        found = held.newest(model, {one.name: one.revision for one in monitors(model)}, _EVER)
        return _keyed(row for table in found.values() for row in table.to_pylist() if row["verdict"] != WITHDRAWN)

    def readings_as_of(self, model: str, at: int) -> ByPlace:
        """As `readings`, those that were known at a time."""
        current = {(model, one.name): (one.revision, self.contracts[model].version) for one in monitors(model)}
        found, _ = Readings(self.engine).read(Query(model=model, as_of=at, limit=1_000_000), current)
        return _keyed(found.to_pylist())

    def twice(self, model: str) -> tuple[int, int]:
        """How many raw rows neither count nor are contested, and by how many rows the panes exceed the distinct ids."""
        beaten = "SELECT prediction_id, partition, position, place FROM contested WHERE model = {model:String}"
        sql = (
            f"SELECT countIf((prediction_id, partition, position, place) NOT IN ({beaten})) AS rows, uniqExact(prediction_id) AS ids"
            " FROM predictions WHERE model = {model:String}"
        )
        row = self.engine.query(sql, {"model": model}).to_pylist()[0]
        return row["rows"] - row["ids"], int(Panes(self.engine).slots(self.contracts[model])[1].sum()) - row["ids"]

    def _begin(self) -> None:
        self.log = [Partition(self._folder / f"log-{partition}.sqlite", min(partition, 1)) for partition in PARTITIONS]
        names = ["predictions", "labels", "panes", "dead_letters", "waiting", "batches"]
        ingested = Fused(Writer(self.engine, 7 * moment.DAY), self.fuse, names, fenced=False)
        self._writer = Fused(Writer(self.engine), self.fuse, ["panes", "rebuilt", "performance_panes", "readings"], fenced=True)
        self._consumers = {
            (topic, partition): Consumer(
                Fused(self.log[partition], self.fuse, ["commit"], fenced=False),
                ingested,
                Raw(self.engine),
                self.contracts.get,
                topic,
                partition,
                limits=Limits(seconds=0),
                memory=self.memory,
                waiting=Limited(WaitingStore(self.engine), topic, partition, Room(1_000_000)),
            )
            for topic, partition in itertools.product(TOPICS, PARTITIONS)
        }
        self._owners: dict[str, Owner] = {}
        self._known: dict[str, Committed] = {}
        self._replaced: list[tuple[Owner, str, Committed]] = []

    def _end(self) -> None:
        for consumer in self._consumers.values():
            consumer._stages.abandon()
        for partition in self.log:
            partition.whole.close()

    def _owner(self, model: str) -> Owner:
        raw, panes, readings = Raw(self.engine), Panes(self.engine), Readings(self.engine)

        def versions(name: str, version: int) -> Contract:
            return self.earlier.get((name, version), self.contracts[name])

        waiting = Fused(WaitingStore(self.engine), self.fuse, ["forget"], fenced=True)
        admitted = Fused(Writer(self.engine), self.fuse, ["predictions", "labels", "dead_letters", "batches"], fenced=True)
        stores = OwnerStores(
            raw=raw,
            stream=Stream(self.engine),
            outcomes=Fused(OutcomeStore(self.engine), self.fuse, ["join", "find_contested"], fenced=True),
            panes=panes,
            readings=readings,
            write=self._writer,
            cursors=Fused(self.control, self.fuse, ["take", "save_cursor"], fenced=True),
            alerts=AlertEngine(self.control, self.clock, MEASURES),
            trust=TrustWatch(self.control, partial(standing, readings), self.clock),
            admission=Admission(waiting, raw, admitted, always=True),
            contracts=Fused(self, self.fuse, ["take_up"], fenced=True),
        )
        return Owner(
            model, stores, Rebuild(raw, panes, self._writer, versions), Evaluate(panes, raw, Stream(self.engine), versions), self.clock
        )


def contract(model: str) -> Contract:
    """A small binary model: a number, a category to segment by, and two signals."""
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
        signals=(
            Column(name="@confidence", kind=Kind.NUMERIC, edges=(0.65, 0.8)),
            Column(name="@status", kind=Kind.CATEGORICAL, categories=("ok", "error")),
        ),
        dimensions=(Dimension(name="c", values=("a", "b")),),
        classes=("0", "1"),
        scored=True,
        score_edges=((0.25, 0.5, 0.75),),
    )


def monitors(model: str) -> list[Monitor]:
    """Monitors for each kind of evidence: input panes, performance panes, outcomes, labels by their own time, events before the window, losses in order, traffic; some against the window before. Some windows are to date or slide, against baselines that pool the stream."""
    columns = {"quality.null_rate": ("x", "c", "@status"), "drift.psi": ("x", "@prediction", "@label", "@confidence")}
    shared = Monitor(name="", model=model, measure="", segments=("all", "c"), window=Tumbling(moment.DAY), min_samples=1, warn=0.1)
    of_stream = {name for name, about in MEASURES.items() if about.of_stream}
    fields: dict[str, Any] = {"compare.difference": _COMPARED, "change.page_hinkley": {"warn": None, "critical": 1.0, "params": _FOUND}}
    return [
        msgspec.structs.replace(
            shared,
            name=name,
            measure=measure,
            baseline=baseline,
            columns=columns.get(measure, ()),
            segments=("all",) if measure in of_stream else shared.segments,
            **fields.get(measure, {}),
        )
        for name, (measure, baseline) in _MEASURES.items()
    ] + spanning(shared)


def _keyed(rows: Iterable[dict[str, Any]]) -> ByPlace:
    key = ("monitor", "column", "segment", "window_start", "window_end")
    return {
        tuple(row.pop(name) for name in key): tuple(
            sorted((name, value) for name, value in row.items() if name not in {"model", "revision"})
        )
        for row in rows
    }
