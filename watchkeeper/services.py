"""The services of API and pages, over a backend."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import msgspec

from alerts.policy.supposed import Way
from core import moment
from core.cause import Causes
from core.episode import Episode
from core.error import ConfigError, Retryable
from core.monitor import Monitor
from core.noise import Noise
from core.principal import Principal
from dashboard.ports import Audited, Goes, LabelledRows, ModelRow, Pipeline, ScoreBins, SegmentErrors, Silenced
from detectors.catalogue import MEASURES
from ingest.decode.payload import Kind
from watchkeeper import command as commands
from watchkeeper.api.ports import AnyDecoded, Overloaded, Topic
from watchkeeper.backend import Backend
from watchkeeper.learning import proposal
from watchkeeper.reader.reader import Reader


class Services:
    """The API's services: the log, the commands, and queries to the reader."""

    def __init__(self, backend: Backend) -> None:
        self._backend, self._control = backend, backend.stores.control
        self.reader = Reader(backend)
        self.contract, self.contract_versions = self._control.contract, self.reader.contract_versions
        self.keeps_unknown = backend.settings.ingest.unknown_models == "keep"
        self.readings, self.models, self.monitors = self.reader.page, self.reader.models, self.reader.monitors
        self.episodes, self.episode = self.reader.episodes, self.reader.episode
        self.noise, self.suggestion = self.reader.noise, self.reader.suggestion
        self.calibration, self.evaluate, self.backtest = self.reader.calibration, self.reader.evaluate, self.reader.backtest
        self.ranking, self.newest_window, self.trust = self.reader.ranking, self.reader.newest_window, self.reader.trust
        self.cause, self.cause_of = self.reader.cause, self.reader.cause_of
        self.comparisons, self.compared = self.reader.comparisons, self.reader.compared
        self.events, self.event, self.values = self.reader.events, self.reader.event, self.reader.values
        self.export, self.signing_key = self.reader.export, self._control.signing_key
        self.monitor, self.destinations, self.budgets = self.reader.monitor, self._control.destinations, self._control.budgets
        self.policy, self.silences, self.hooks = self._control.policy, self._control.silences, self._control.hooks
        self.members = self._control.members
        self.retrains, self.retrain, self.trainings = self._control.retrains, self._control.retrain, self.reader.trainings
        self.deliveries, self.delivery = self._control.deliveries, self._control.delivery
        self.audit, self.rebuilding = self._control.audit_entries, self._control.rebuilding
        self.status, self.ready, self.version_tag = backend.status, backend.obstacles, backend.tag

    async def append(self, topic: Topic, body: bytes, kind: Kind, decoded: AnyDecoded, now: int) -> None:
        """Append to the log; returns when that is durable."""
        try:
            future = await asyncio.to_thread(self._backend.append, topic, body, kind, decoded, now)  # to Kafka each row is sent alone
        except Retryable as error:
            raise Overloaded(str(error), after=error.after) from error
        await asyncio.wrap_future(future)
        self._backend.appended()

    def model(self, name: str) -> Mapping[str, Any] | None:
        """One model's row."""
        contract = self.contract(name)
        return None if contract is None else self.reader.model(contract)

    def proposal(self, model: str) -> Mapping[str, Any]:
        """The contract that is proposed for a model that has none."""
        return proposal(self._backend.stores, model, self._backend.clock.now())

    def do(self, principal: Principal, command: str, payload: msgspec.Struct) -> Any:
        """Run a command of `watchkeeper.command`, and note for the owners that something has changed."""
        answer = commands.do(self._backend.stores, principal, command, payload)
        self._backend.call()
        return answer


_LETTERS = 100  # how many kinds of dead letters a page shows


class Pages:
    """The reader with the types that the pages' port declares."""

    def __init__(self, reader: Reader, principals: Sequence[Principal] = ()) -> None:
        self._reader, self._principals = reader, principals
        self.contract, self.contracts = reader.contract, reader.contracts
        self.monitors, self.readings = reader.monitors, reader.readings
        self.traffic, self.episode = reader.traffic, reader.episode
        self.charts, self.lines, self.counts = reader.charts, reader.lines, reader.counts
        self.transitions, self.status = reader.transitions, reader.status
        self.referenced, self.proposal, self.waiting = reader.referenced, reader.proposal, reader.waiting
        self.measures = MEASURES
        self.deliveries, self.delivery = reader.deliveries, reader.delivery
        self.evaluate, self.ranking, self.calibration, self.backtest = reader.evaluate, reader.ranking, reader.calibration, reader.backtest
        self.policy, self.silences, self.cause = reader.policy, reader.silences, reader.cause
        self.told_as, self.open_ones = reader.told_as, reader.open_ones
        self.hooks, self.retrains, self.ran, self.trainings = reader.hooks, reader.retrains, reader.ran, reader.trainings
        self.trust, self.importance, self.new_categories = reader.trust, reader.importance, reader.new_categories
        self.comparisons, self.course = reader.comparisons, reader.course
        self.recent, self.open_levels, self.header_facts = reader.recent, reader.open_levels, reader.header_facts
        self.events, self.event, self.values = reader.events, reader.event, reader.values
        self.event_counts, self.beside = reader.event_counts, reader.beside
        self.standings, self.contract_versions = reader.standings, reader.contract_versions
        self.use = reader.use

    def cause_of(self, name: str, segment: str | None = None) -> Causes | None:
        """The causes of an episode, which may be a minute old."""
        return self._reader.cause_of(name, segment, age=moment.MINUTE)

    def worth(self, model: str, monitor: str) -> Noise | None:
        """What became of a monitor's episodes."""
        return next(iter(self._reader.noise(model, monitor, None, None)), None)

    def quieter(self, model: str, monitor: str) -> Mapping[str, Any] | None:
        """The change of its rule that a back-test supports; None of one that was deleted."""
        found, retired = self._reader.monitor(model, monitor) or (None, None)
        return None if found is None or retired is not None else self._reader.suggestion(found, None, None)

    def audit(self, limit: int, after: str | None) -> tuple[list[Audited], str | None]:
        """Changes, the newest first."""
        entries, following = self._reader.audit(limit, after)
        return [Audited(one.at, one.actor, one.action, one.subject, one.before, one.after) for one in entries], following

    def principals(self) -> Sequence[Principal]:
        """Who has a token, by the settings."""
        return self._principals

    def silenced(self) -> list[Silenced]:
        """All silences, with what they match and have held back."""
        return [Silenced(*one) for one in self._reader.silenced()]

    def goes(self) -> list[Goes]:
        """Where an episode of each monitor that can fire would go now."""
        return [_goes(*found) for found in self._reader.ways()]

    def would_go(self, monitor: Mapping[str, Any]) -> Goes:
        """Where an episode of a monitor would go, given its definition."""
        return _goes(*self._reader.ways([self._reader.tried(monitor)])[0])

    def pipeline(self) -> Pipeline:
        """The flow of events."""
        return Pipeline(*self._reader.flow(_LETTERS))

    def models(self) -> list[ModelRow]:
        """Every model."""
        return [_row(row) for row in self._reader.rows()]

    def model(self, name: str) -> ModelRow | None:
        """One model."""
        contract = self._reader.contract(name)
        if contract is None:
            return None
        row, found = self._reader.standing(contract)
        return replace(
            _row(row),
            advice=[*self._reader.advice(name), *found.apart],
            segments=found.segments,
            served=found.served,
            outside=found.outside,
        )

    def histogram(self, model: str, column: str, segment: str, start: int, end: int) -> tuple[list[int], list[int]]:
        """Counts by bin; empty if nothing is known."""
        try:
            return self._reader.histogram(model, column, segment, start, end)
        except ConfigError:
            return [], []

    def labelled(self, model: str, segment: str, version: str | None, start: int, end: int) -> LabelledRows:
        """The labelled rows of a span."""
        n, cells, scores = self._reader.labelled(model, segment, version, start, end)
        return LabelledRows(n, cells, {name: ScoreBins(*held) for name, held in scores.items()})

    def score_bins(self, model: str, segment: str, start: int, end: int) -> dict[str, ScoreBins]:
        """The labelled rows of a span by score."""
        return {name: ScoreBins(*held) for name, held in self._reader.score_bins(model, segment, start, end).items()}

    def errors(self, model: str, grouping: str, version: str | None, start: int, end: int) -> list[SegmentErrors]:
        """The errors of a regression by segment."""
        return [SegmentErrors(*one) for one in self._reader.errors(model, grouping, version, start, end)]

    def residuals(self, model: str, segment: str, version: str | None, start: int, end: int) -> list[SegmentErrors] | None:
        """The errors of a regression by tenth of the predictions; None where the rows are too many to be read."""
        found = self._reader.residuals(model, segment, version, start, end)
        return None if found is None else [SegmentErrors(*one) for one in found]

    def episodes(self, state: str | None, model: str | None, limit: int) -> list[Episode]:
        """Episodes, newest first."""
        return self.history(state, model, None, limit, None)[0]

    def history(
        self, state: str | None, model: str | None, monitor: str | None, limit: int, after: str | None
    ) -> tuple[list[Episode], str | None]:
        """A page of episodes, and the next cursor."""
        wanted: Literal["open", "closed"] | None = "open" if state == "open" else "closed" if state == "closed" else None
        return self._reader.episodes(wanted, model, limit, after, monitor=monitor)


def _row(row: Mapping[str, Any]) -> ModelRow:
    return ModelRow(labels=row["labelled"], **{name: value for name, value in row.items() if name != "labelled"})


def _goes(monitor: Monitor, way: Way) -> Goes:
    return Goes(monitor.model, monitor.name, monitor.severity, way.to, way.escalates, way.nowhere, way.held)
