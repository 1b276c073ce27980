"""The status of a cluster, from the brokers, the batches in the store, and the reports of the owners; it compares no clocks of other machines.

The cluster is quiet when every partition is read to its end, no batch is under way, and the owner of every model has reported that in silence there
was nothing to do, for exactly the positions and the definitions that hold now.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec

from alerts.failure import failures
from core import moment
from core.clock import Clock
from core.disk import filling
from core.document_name import OWNER
from core.error import WatchkeeperError
from ingest.kafka.ends import Ends
from storage.facts.disks import disks
from storage.facts.progress import Progress
from watchkeeper.advice import advice
from watchkeeper.learning import waiting_advice
from watchkeeper.liveness.heartbeat import LivingProcess, ProcessWatch
from watchkeeper.liveness.owner_report import OwnerReport, owner_reports
from watchkeeper.liveness.probe import Probe
from watchkeeper.scheduling.definition_cache import DefinitionCache
from watchkeeper.stores import Stores

_PATIENCE = 3.0  # seconds that a request waits for the servers
_STUCK = 60.0  # seconds for which lag may stay as it is
KINDS = ("ingest", "evaluate", "deliver")


class _Found(NamedTuple):
    """What the servers answered; of a server that does not answer, what it answered last."""

    ends: Mapping[str, Mapping[str, int]]
    totals: Mapping[str, Mapping[str, int]]
    progress: Mapping[str, Progress]
    contracts: Mapping[str, tuple[int, int]]
    monitors: Mapping[str, Mapping[str, int]]
    owner_reports: Mapping[str, OwnerReport]
    seen: list[LivingProcess]
    missing: list[str]
    outbox: Mapping[str, int]
    undelivered: list[str]
    filling: list[str]
    advice: list[str]
    waiting: list[str]


_NOTHING = _Found({}, {}, {}, {}, {}, {}, [], [], {}, [], [], [], [])


class _Poll(NamedTuple):
    """What was found, and which servers did not answer."""

    found: _Found
    away: list[str]


class ClusterStatus:
    """Answers for the cluster. Threads share it. It never raises because a server does not answer; then it returns what was found last."""

    def __init__(self, stores: Stores, clock: Clock, ends: Ends) -> None:
        self._stores, self._clock, self._ends = stores, clock, ends
        self._defined = DefinitionCache(stores.control)
        self._watch = ProcessWatch(stores.control, KINDS)
        self._lag, self._moved = (0, 0), time.monotonic()
        self._polling = ""
        self._probe = Probe(self._poll, _Poll(_NOTHING, ["the servers have not answered yet"]))

    def start(self) -> None:
        """Start polling the servers."""
        self._probe.start()

    def stop(self) -> None:
        """Stop polling."""
        self._probe.stop()

    def away(self) -> list[str]:
        """The servers that do not answer."""
        slow = self._probe.slow
        return [*self._probe.last.away, *([f"{self._polling} has not answered for {slow:.0f} s"] if slow else [])]

    def status(self, age: float = 0.0) -> dict[str, Any]:
        """What `GET /v1/status` says, as it was found at most `age` seconds ago."""
        poll = self._probe.now(_PATIENCE, age)
        found, away = poll or _Poll(self._probe.last.found, self.away() or [f"{self._polling} does not answer at once"])
        empty = {"end": 0, "written": 0, "lag": 0, "begun": 0, "partitions": 0}
        ingest = {
            topic: {
                **(found.ends.get(topic) or empty),
                **{name: found.totals.get(topic, {}).get(name, 0) for name in ("rows", "duplicates", "rejected")},
            }
            for topic in ("predictions", "labels")
        }
        reports = found.owner_reports.values()
        last = max((report.at for report in reports), default=0)
        evaluate = {
            "models": len(found.owner_reports),
            **{name: sum(getattr(report, name) for report in reports) for name in ("readings", "audited", "repaired")},
            "seconds": max((report.seconds for report in reports), default=0.0),
            "last": moment.text(last // moment.SECOND * moment.SECOND) if last else None,
        }
        processes = [{"kind": seen.kind, "where": seen.where} for seen in found.seen]
        return {
            "quiet": not away and _caught_up(found) and not self._unsettled(found),
            "version": version("watchkeeper"),
            "ingest": ingest,
            "evaluate": evaluate,
            "processes": processes,
            "problems": [*away, *self._problems(found)],
            "advice": [*found.advice, *found.waiting],
        }

    def problems(self) -> list[str]:
        """The problems of the status."""
        found: list[str] = self.status()["problems"]
        return found

    def tag(self) -> str:
        """A text that changes with every batch, new readings, contract, revision of a monitor and delivery, and when an owner or the cluster becomes quiet."""
        found = self._probe.last.found
        parts = (
            {name: (sorted(of.predictions.items()), sorted(of.labels.items())) for name, of in found.progress.items()},
            {name: (report.epoch, report.readings, report.quiet) for name, report in found.owner_reports.items()},
            found.contracts,
            found.monitors,
            found.outbox,
            _caught_up(found),
        )
        return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:16]

    def _poll(self) -> _Poll:
        """Ask the servers one after the other. Reports and ends come first: they may be older than the positions, and not newer."""
        found, away = self._probe.last.found, []
        for where, ask in (("PostgreSQL", self._control), ("Kafka", self._brokers), ("ClickHouse", self._facts)):
            self._polling = where
            try:
                found = ask(found)
            except WatchkeeperError as error:
                away.append(str(error))
        return _Poll(found, away)

    def _control(self, found: _Found) -> _Found:
        control = self._stores.control
        defined = self._defined.read()
        seen, missing = self._watch.living()
        return found._replace(
            owner_reports=owner_reports(control),
            contracts={name: of.contract.evaluated_as for name, of in defined.items()},
            monitors={name: {monitor.name: monitor.revision for monitor in of.monitors} for name, of in defined.items()},
            seen=seen,
            missing=missing,
            outbox={str(state.value): count for state, count in control.delivery_counts().items()},
            undelivered=failures(control),
            advice=advice(defined.values()),
        )

    def _brokers(self, found: _Found) -> _Found:
        return found._replace(ends=self._ends.status())

    def _facts(self, found: _Found) -> _Found:
        batches = self._stores.batches
        return found._replace(
            progress=batches.progress(self._clock.now()),
            totals=batches.totals(),
            filling=filling(disks(self._stores.engine)),
            waiting=waiting_advice(self._stores),
        )

    def _unsettled(self, found: _Found) -> list[str]:
        """The models whose owner has not reported that there is nothing to do now."""
        watched = [(name, progress) for name, progress in found.progress.items() if name in found.contracts]
        try:
            epochs = self._stores.control.epochs(OWNER) if watched else {}
        except WatchkeeperError:
            return [name for name, _ in watched]  # it cannot be known now
        return [name for name, progress in watched if not _settled(name, progress, found, epochs)]

    def _problems(self, found: _Found) -> list[str]:
        """Missing processes, lag that does not shrink, and the problems that processes and owners report."""
        lag = (sum(at["lag"] for at in found.ends.values()), sum(at["written"] for at in found.ends.values()))
        if lag[0] == 0 or lag[1] != self._lag[1]:
            self._moved = time.monotonic()
        self._lag = lag
        stuck = time.monotonic() - self._moved
        waiting = (
            [f"{lag[0]} records wait, and none has been written for {stuck:.0f} s; look at the ingest processes"] if stuck > _STUCK else []
        )
        complaints = [f"{seen.kind} at {seen.where}: {problem}" for seen in found.seen if seen.kind != "serve" for problem in seen.problems]
        failing = [
            f"monitor {monitor} of {name}: {why}"
            for name, report in sorted(found.owner_reports.items())
            for monitor, why in sorted(report.failing.items())
        ]
        return [*found.missing, *waiting, *complaints, *failing, *found.undelivered, *found.filling]


def _caught_up(found: _Found) -> bool:
    """Whether everything that the brokers have is durably written."""
    return bool(found.ends) and all(at["lag"] <= 0 and not at["begun"] for at in found.ends.values())


def _settled(name: str, progress: Progress, found: _Found, epochs: Mapping[str, int]) -> bool:
    """Whether a model's owner has reported that there is nothing to do now."""
    report = found.owner_reports.get(name)
    if (
        report is None
        or not report.quiet
        or (report.predictions, report.labels) != (progress.predictions, progress.labels)
        or (report.contract, report.summary) != found.contracts[name]
        or report.monitors != found.monitors.get(name, {})
    ):
        return False
    return report.epoch == epochs.get(OWNER + name)  # else another owner has taken the model since
