"""When a cluster is quiet: the reports of owners against the positions and definitions that hold now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pyarrow as pa
import pytest

from core.clock import ManualClock
from core.contract import Column, Contract, Kind, Task
from core.error import Fenced, Retryable
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from monitors.evaluation.work_done import WorkDone
from monitors.ownership.owner import Owner
from monitors.ports import Committed
from storage.control.store import ControlStore
from storage.facts.progress import Progress
from watchkeeper.liveness.cluster_status import ClusterStatus
from watchkeeper.liveness.owner_report import OwnerReports
from watchkeeper.scheduling.scheduler import StepDone

CONTRACT = Contract(model="m", version=1, task=Task.BINARY, features=(Column(name="km", kind=Kind.NUMERIC),))
MONITOR = Monitor(name="nulls", model="m", measure="quality.null_rate", window=Tumbling(3_600_000_000))
SETTLED = {"end": 3, "written": 3, "lag": 0, "begun": 0, "partitions": 2}


@dataclass
class Brokers:
    """Returns prepared ends, or raises `away`."""

    ends: dict[str, dict[str, int]] = field(default_factory=lambda: {"predictions": dict(SETTLED), "labels": dict(SETTLED)})
    away: Exception | None = None

    def status(self) -> dict[str, dict[str, int]]:
        if self.away is not None:
            raise self.away
        return self.ends


@dataclass
class Batches:
    """What ingest has committed."""

    found: dict[str, Progress] = field(default_factory=lambda: {"m": Progress(predictions={0: 2, 1: 0}, labels={1: 2})})

    def progress(self, now: int) -> dict[str, Progress]:
        return self.found

    def totals(self) -> dict[str, dict[str, int]]:
        return {"predictions": {"rows": 3, "duplicates": 1, "rejected": 0}}


@dataclass
class Cluster:
    """A control store, and what the two other servers say."""

    control: ControlStore
    brokers: Brokers
    batches: Batches
    reports: OwnerReports
    standing: ClusterStatus
    epoch: int = 0

    def step(self, *, silent: bool = True, worked: bool = False, take: bool = False, **counts: Any) -> None:
        """The owner saves a report for what is committed now; with `take` another owner does."""
        self.epoch = self.control.take("owner:m") if take or not self.epoch else self.epoch
        owner = cast("Owner", SimpleNamespace(fence=("owner:m", self.epoch), counts=WorkDone(**counts)))
        progress = self.batches.found["m"]
        committed = Committed(progress.predictions, progress.labels, 0, 0, 0)
        contract = self.control.contract("m")
        assert contract is not None
        self.reports.save(StepDone("m", owner, contract, self.control.monitors("m"), committed, silent, worked, 0.1))

    @property
    def quiet(self) -> bool:
        return bool(self.standing.status()["quiet"])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A model with a monitor, three events of it written, and no owner yet."""
    clock = ManualClock(1)
    control = ControlStore(f"sqlite:///{tmp_path / 'control.sqlite'}", clock, refresh=0.0)
    control.migrate()
    control.save_contract(CONTRACT, content="a", reference=None)
    control.apply_monitors([MONITOR])
    brokers, batches = Brokers(), Batches()
    facts, settings = SimpleNamespace(query=lambda _: pa.table({})), SimpleNamespace(ingest=SimpleNamespace(unknown_models="refuse"))
    stores = SimpleNamespace(control=control, batches=batches, engine=facts, settings=settings)
    standing = ClusterStatus(cast("Any", stores), clock, cast("Any", brokers))
    standing.start()
    yield Cluster(control, brokers, batches, OwnerReports(control, clock), standing)
    standing.stop()
    control.close()


def test_nobody_has_said_a_word(cluster: Cluster) -> None:
    """Everything is written, and no owner has evaluated it."""
    assert not cluster.quiet


def test_it_is_quiet_when_the_owner_found_nothing_to_do_in_silence(cluster: Cluster) -> None:
    """And not before: work was found, or events still came."""
    cluster.step(silent=False, worked=True)
    assert not cluster.quiet
    cluster.step(silent=True, worked=True)
    assert not cluster.quiet
    cluster.step(silent=False)
    assert not cluster.quiet
    cluster.step()
    assert cluster.quiet


@pytest.mark.parametrize("change", [{"lag": 1}, {"begun": 1}])
def test_what_is_not_durably_written_is_awaited(cluster: Cluster, change: dict[str, int]) -> None:
    """A record after the committed position, or a batch under way, makes the cluster not quiet."""
    cluster.step()
    cluster.brokers.ends["labels"] |= change
    assert not cluster.quiet


def test_a_word_counts_for_its_positions_only(cluster: Cluster) -> None:
    """A batch that came since, in any partition of either topic, has to be evaluated first."""
    for now in (Progress({0: 3, 1: 0}, {1: 2}), Progress({0: 3, 1: 0}, {0: 0, 1: 2})):
        cluster.step()
        assert cluster.quiet
        cluster.batches.found = {"m": now}
        assert not cluster.quiet


def _summarised(cluster: Cluster) -> Contract:
    contract = cluster.control.contract("m")
    assert contract is not None
    return msgspec.structs.replace(contract, summary=1)


def test_a_word_counts_for_its_definitions_only(cluster: Cluster) -> None:
    """A new contract, one whose reference was summarised again, a new monitor, a changed one."""
    for change in (
        lambda: cluster.control.save_contract(CONTRACT, content="b", reference=b"r"),
        lambda: cluster.control.summarise_contract(_summarised(cluster), reference=b"again"),
        lambda: cluster.control.apply_monitors(
            [Monitor(name="more", model="m", measure="quality.null_rate", window=Tumbling(3_600_000_000))]
        ),
        lambda: cluster.control.apply_monitors(
            [Monitor(name="more", model="m", measure="quality.null_rate", window=Tumbling(7_200_000_000))]
        ),
    ):
        cluster.step()
        assert cluster.quiet
        change()
        assert not cluster.quiet


def test_the_word_of_an_owner_that_is_none_any_more_does_not_count(cluster: Cluster) -> None:
    """Until the new one has looked. The old one says nothing more, and the counts of both are added."""
    cluster.step(readings=5, repaired=1)
    old = cluster.epoch
    cluster.control.take("owner:m")
    assert not cluster.quiet
    with pytest.raises(Fenced):
        cluster.step(worked=True)
    cluster.step(take=True, readings=2)
    assert (cluster.quiet, cluster.epoch) == (True, old + 2)
    evaluate = cluster.standing.status()["evaluate"]
    assert (evaluate["readings"], evaluate["repaired"]) == (7, 1)


def test_events_of_a_model_without_contract_are_not_awaited(cluster: Cluster) -> None:
    """Nobody can evaluate them."""
    cluster.step()
    cluster.batches.found["unknown"] = Progress(predictions={0: 9})
    assert cluster.quiet


def test_a_server_that_is_away_is_named_and_nothing_is_quiet(cluster: Cluster) -> None:
    """The last answer is given; when the server is back, the status is as before."""
    cluster.step()
    assert cluster.quiet
    cluster.brokers.away = Retryable("the Kafka brokers do not answer")
    status = cluster.standing.status()
    assert (status["quiet"], status["ingest"]["predictions"]["end"]) == (False, 3)
    assert status["problems"] == cluster.standing.away() == ["the Kafka brokers do not answer"]
    cluster.brokers.away = None
    assert cluster.quiet
    assert cluster.standing.away() == []


def test_what_processes_and_owners_complain_about_is_told(cluster: Cluster) -> None:
    """With where it comes from."""
    cluster.control.save_cursor("process:ingest:h:1", {"kind": "ingest", "where": "h:1", "at": 1, "problems": ["no room"]})
    cluster.step(failed={"nulls": "ValueError: x"})
    status = cluster.standing.status()
    assert status["problems"] == ["ingest at h:1: no room", "monitor nulls of m: ValueError: x"]
    assert status["processes"] == [{"kind": "ingest", "where": "h:1"}]


def test_the_tag_changes_with_whatever_can_be_read(cluster: Cluster) -> None:
    """Readings, batches, definitions; and with nothing else."""
    seen = []

    def look() -> None:
        cluster.standing.status()
        seen.append(cluster.standing.tag())

    cluster.step()
    look()
    look()
    assert seen[0] == seen[1]
    cluster.step(readings=1)
    look()
    cluster.batches.found = {"m": Progress(predictions={0: 3})}
    look()
    cluster.control.apply_monitors([Monitor(name="more", model="m", measure="quality.null_rate", window=Tumbling(3_600_000_000))])
    look()
    assert len(set(seen)) == 4


def test_a_late_word_of_an_owner_that_was_replaced_is_refused(cluster: Cluster) -> None:
    """That of its successor stays, which it will not say again while nothing comes."""
    cluster.step()
    replaced = cluster.epoch
    cluster.step(take=True)
    cluster.epoch = replaced
    with pytest.raises(Fenced, match="somebody else"):
        cluster.step(silent=False)
    assert cluster.quiet
