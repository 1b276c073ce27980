"""Connects parts that know one another only by protocols: owners to stores and alerts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from alerts.action_link import ActionLinks
from alerts.deliver import Deliverer
from alerts.engine import AlertEngine
from alerts.exchange import Produce
from alerts.retrain.watch import RetrainWatch
from alerts.trust_watch import TrustWatch
from core.clock import Clock
from core.destination import Destination
from core.monitor import Monitor
from core.trust import Standing
from detectors.catalogue import MEASURES
from ingest.record import Events, Topic
from ingest.waiting import Admission, Limited, Room
from monitors.evaluation.evaluate import Evaluate
from monitors.ownership import owner
from monitors.ownership.rebuild import Rebuild
from storage.facts.late_writes import LateWrites
from storage.facts.progress import Progress
from watchkeeper.change.new_values import NewValueContracts
from watchkeeper.guarding import files, guard
from watchkeeper.retraining.facts import RetrainFacts
from watchkeeper.retraining.outcome import Outcome
from watchkeeper.scheduling.completeness import Completeness, Positions
from watchkeeper.scheduling.scheduler import Scheduler, StepDone
from watchkeeper.settings.settings import Settings
from watchkeeper.standing import standing
from watchkeeper.stores import Stores
from watchkeeper.training_manifest import export_url


def owners(
    settings: Settings, stores: Stores, clock: Clock, wake: Callable[[], None] = lambda: None, topic: Destination | None = None
) -> Callable[[str], owner.Owner]:
    """A function that makes the owner of a model from its name. `wake` is called when there is something to deliver. `topic` is where states of trust are held, None without brokers."""
    control, alerts = stores.control, settings.alerts

    def states(model: str, monitors: Sequence[Monitor], contract: int) -> Standing:
        return standing(stores.readings, model, monitors, contract)

    keeps = settings.ingest.unknown_models == "keep"
    parts = owner.OwnerStores(
        raw=stores.raw,
        stream=stores.stream,
        outcomes=stores.outcomes,
        panes=stores.panes,
        readings=stores.readings,
        write=stores.writer,
        cursors=control,
        alerts=AlertEngine(control, clock, MEASURES, alerts.notify_horizon, address=settings.public, wake=wake),
        trust=TrustWatch(control, states, clock, alerts.notify_horizon, address=settings.public, wake=wake, topic=topic),
        admission=Admission(stores.waiting, stores.raw, stores.writer, always=keeps),
        contracts=NewValueContracts(stores),
    )
    evaluate = Evaluate(stores.panes, stores.raw, stores.stream, control.contract_version, stores.training, stores.lane)
    rebuild = Rebuild(stores.raw, stores.panes, stores.writer, control.contract_version)
    return lambda name: owner.Owner(name, parts, rebuild, evaluate, clock)


def waiting(settings: Settings, stores: Stores, topic: Topic, partition: int) -> Callable[[Events], Events] | None:
    """What lets events of models without a contract wait in a partition; None if they are refused."""
    ingest = settings.ingest
    if ingest.unknown_models == "refuse":
        return None
    return Limited(stores.waiting, topic, partition, Room(ingest.unknown_rows))


class _Facts:
    """The queries of the scheduler about commits (`CommitFacts`)."""

    def __init__(self, stores: Stores, clock: Clock) -> None:
        self._batches, self._earlier, self._clock = stores.batches, LateWrites(stores.engine), clock
        # A folder has one process, so no former owner can write late.
        self._alone = stores.settings.clickhouse.url is None

    def mark(self) -> object:
        """What changes when anything is committed."""
        return self._batches.mark()

    def progress(self, models: Collection[str] | None = None) -> dict[str, Progress]:
        """How far every model is, or these."""
        return self._batches.progress(self._clock.now(), models)

    def written(self, first: Mapping[str, int]) -> Mapping[str, object]:
        """What earlier owners have written, by model."""
        return {} if self._alone else self._earlier.written(first)


def deliverer(
    settings: Settings,
    stores: Stores,
    clock: Clock,
    *,
    poll: float = 1.0,
    lease: int = 0,
    produce: Produce | None = None,
    own: Sequence[Destination] = (),
) -> Deliverer:
    """What sends notifications; the arguments are those of `Deliverer`."""
    control = stores.control
    links = ActionLinks(settings.public, control.signing_key)
    parts: dict[str, Any] = {"guard": guard(settings), "files": files(settings), "produce": produce, "links": links, "own": own}
    return Deliverer(control, clock, poll=poll, lease=lease, **parts)


def retraining(
    settings: Settings, stores: Stores, clock: Clock, *, told: Callable[[], None] = lambda: None, poll: float = 1.0, lease: int = 0
) -> RetrainWatch:
    """What follows requests for retraining; the arguments are those of `RetrainWatch`."""
    return RetrainWatch(
        stores.control,
        RetrainFacts(stores, clock),
        clock,
        settings.hooks.horizon,
        exports=lambda one: export_url(stores, settings.public, one),
        address=settings.public,
        fleet=settings.hooks.rate,
        better=lambda name: MEASURES[name].better,
        effective=Outcome(stores).effective,
        told=told,
        poll=poll,
        lease=lease,
        guard=guard(settings),
        files=files(settings),
    )


def scheduler(
    settings: Settings,
    stores: Stores,
    clock: Clock,
    silent: Callable[[], bool],
    wake: Callable[[], None] = lambda: None,
    *,
    owns: Callable[[str], bool | None] = lambda _: True,
    on_step: Callable[[StepDone], None] = lambda _: None,
    on_fenced: Callable[[], None] = lambda: None,
    positions: Callable[[], Positions],
    topic: Destination | None = None,
) -> Scheduler:
    """A scheduler of owners that read and write `stores`; `positions` gives by partition the position after the last record of the log, and the next one that is
    not committed; `topic` is that of `owners`; the other arguments are those of `Scheduler`.
    """
    return Scheduler(
        stores.control,
        _Facts(stores, clock),
        owners(settings, stores, clock, wake, topic),
        silent,
        debounce=settings.evaluate.debounce_ms / 1_000,
        lateness=settings.ingest.lateness,
        threads=settings.evaluate.threads,
        owns=owns,
        on_step=on_step,
        on_fenced=on_fenced,
        complete=Completeness(positions, clock),
        silence=settings.ingest.silence,
    )
