"""Answers the questions of the pages and of the API from the stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from core import moment
from core.contract import LABEL, Contract
from core.document_name import OWNER
from core.episode import Episode, Level, Transition
from core.error import ConfigError
from core.monitor import Monitor
from core.reading import Query
from core.refused import Refused
from monitors.reference.derive import Reference
from watchkeeper.backend import Backend
from watchkeeper.scheduling.definition_cache import DefinitionCache

_EVER = (moment.EARLIEST, moment.LATEST)
_RECENT = 10.0  # seconds that the state of the service on a page may be old


class Reader:
    """Reads; it changes nothing. Safe to share between threads."""

    def __init__(self, backend: Backend) -> None:
        self._backend, self._stores = backend, backend.stores
        self._defined = DefinitionCache(backend.stores.control)  # decoded once, and again when something was defined
        self._references: dict[tuple[str, int], Reference] = {}

    def models(self) -> list[dict[str, Any]]:
        """A row a model: model, task, contract_version, first_ts, last_ts (microseconds or None), predictions, labels, labelled, open_episodes."""
        return self.rows([definition.contract for definition in self._defined.read().values()])

    def model(self, contract: Contract) -> dict[str, Any]:
        """The row of one model; and `outside`, by topic, how many events came with a prediction or label that was none of its classes."""
        return self.rows([contract])[0] | {"outside": self.outside(contract.model)}

    def header_facts(self) -> tuple[int, int | None]:
        """How many episodes are open, and the latest event time of all models."""
        return sum(self._stores.control.open_episodes().values()), self._stores.batches.newest()

    def outside(self, model: str) -> dict[str, int]:
        """How many predictions and labels of a model were none of its classes when they came."""
        return {"predictions": 0, "labels": 0} | self._stores.batches.outside(model)

    def contract(self, model: str) -> Contract | None:
        """The newest contract."""
        return self._stores.control.contract(model)

    def monitors(self, model: str | None = None) -> list[Monitor]:
        """Monitors by model and name, of one model or of all."""
        if model is not None:
            return self._stores.control.monitors(model)
        return [monitor for definition in self._defined.read().values() for monitor in definition.monitors]

    def monitor(self, model: str, name: str) -> tuple[Monitor, int | None] | None:
        """The last definition of a monitor, and when it was deleted, None if it was not; None if there never was one."""
        control = self._stores.control
        if (found := control.last_monitor(model, name)) is None:
            return None
        there = any(one.name == name for one in control.monitors(model))
        gone = next((one.retired_at for one in control.retired_monitors(model) if one.name == name), None)
        return found, None if there else gone

    def page(self, query: Query) -> tuple[pa.Table, str | None]:
        """Readings, and the cursor of the next page. Those of a deleted monitor are told to whoever names it, or its model that was deleted too."""
        control, contracts = self._stores.control, self._evaluated(query.model)
        current = {
            (monitor.model, monitor.name): (monitor.evaluated_revision, contracts.get(monitor.model, 1))
            for monitor in control.monitors(query.model)
        }
        if query.monitor is not None or (query.model is not None and control.contract(query.model) is None):
            retired = {(one.model, one.name): (one.revision, one.contract) for one in control.retired_monitors(query.model)}
            current = retired | current
        if query.definition is not None:
            current = dict.fromkeys(current, query.definition)
        return self._stores.readings.read(query, current)

    def readings(self, query: Query) -> pa.Table:
        """The first page of readings."""
        return self.page(query)[0]

    def segments(self, model: str) -> list[str]:
        """Segments with predictions, or in the reference."""
        contract = self._known(model)
        reference = self._reference(contract)
        return sorted({*self._stores.panes.segments(contract), *(reference.segments if reference else ())})

    def histogram(
        self, model: str, column: str, segment: str, start: int | None = None, end: int | None = None
    ) -> tuple[list[int], list[int]]:
        """Counts of all bins of a column: in the span, and in the reference."""
        contract = self._known(model)
        try:
            bins = contract.column(column).bins
        except KeyError:
            raise ConfigError(f"`{model}` has no column `{column}`", remedy="see its contract") from None
        reference = self._reference(contract)
        baseline = np.zeros(bins) if reference is None else reference.counts(column).get(segment, np.zeros(bins))
        span = (start if start is not None else _EVER[0], end if end is not None else _EVER[1])
        target = (
            self._stores.panes.labels(contract, segment, span)
            if column == LABEL
            else self._stores.panes.histogram(contract, column, segment, span)
        )
        return target.tolist(), baseline.astype(np.int64).tolist()

    def traffic(self, model: str, segment: str, start: int | None, end: int | None, step: int) -> pa.Table:
        """Predictions of a segment by step: start (int64 microseconds), n."""
        span = (start if start is not None else _EVER[0], end if end is not None else _EVER[1])
        starts, rows = self._stores.panes.traffic(self._known(model), segment, step, span)
        return pa.table({"start": starts, "n": rows})

    def recent(self, spans: Mapping[str, tuple[int, int]], step: int) -> dict[str, dict[int, int]]:
        """By model, how many predictions came in each step of its span, by the step's start."""
        return self._stores.panes.recent([definition.contract for definition in self._defined.read().values()], step, spans)

    def open_levels(self) -> dict[str, set[tuple[str, Level]]]:
        """By model, the measures and levels of its open episodes."""
        return self._stores.control.open_levels()

    def episodes(
        self,
        state: Literal["open", "closed"] | None = None,
        model: str | None = None,
        limit: int = 100,
        after: str | None = None,
        *,
        monitor: str | None = None,
    ) -> tuple[list[Episode], str | None]:
        """Episodes, newest first, and the cursor of the next page."""
        return self._stores.control.episodes(state, model, limit, after, monitor=monitor)

    def episode(self, name: str) -> Episode | None:
        """One episode."""
        return self._stores.control.episode(name)

    def transitions(self, name: str) -> list[Transition]:
        """The life of an episode."""
        return self._stores.control.transitions(name)

    def referenced(self, model: str) -> bool:
        """Whether the newest contract of a model has a reference."""
        return self._reference(self._known(model)) is not None

    def flow(self, letters: int) -> tuple[dict[str, int], list[Refused]]:
        """By topic the rows of the last hour, by the log's time; and the newest kinds of dead letters, so many at most."""
        return self._stores.flow.rows(self._backend.clock.now() - moment.HOUR), self._stores.flow.refused(letters)

    def status(self) -> dict[str, Any]:
        """What `GET /v1/status` says, as pages need it: they are drawn again when it changes."""
        return self._backend.status(_RECENT)

    def rows(self, contracts: Sequence[Contract]) -> list[dict[str, Any]]:
        """The rows of these models; the stores are asked as often for many as for one."""
        names = [contract.model for contract in contracts]
        progress = self._stores.batches.progress(self._backend.clock.now(), names)
        counts = self._stores.outcomes.counts(names)
        held = self._stores.panes.totals(contracts)
        episodes = self._stores.control.open_episodes()
        rows = []
        for contract in contracts:
            name = contract.model
            seen = progress.get(name) if name in held else None
            labelled, labels = counts.get(name, (0, 0))
            rows.append(
                {
                    "model": name,
                    "task": str(contract.task),
                    "contract_version": contract.version,
                    "first_ts": seen.first_ts if seen and seen.predictions else None,
                    "last_ts": seen.last_ts if seen and seen.predictions else None,
                    "predictions": held.get(name, 0),
                    "labels": labels,
                    "labelled": labelled,
                    "open_episodes": episodes.get(name, 0),
                }
            )
        return rows

    def _evaluated(self, model: str | None) -> dict[str, int]:
        """By model, the contract version that its readings follow: the newest one as soon as everything has been evaluated under it.

        Two questions, for one model as for all.
        """
        control = self._stores.control
        if model is not None:
            one, cursor = control.contract(model), control.cursor(OWNER + model)
            newest, cursors = {model: one.version if one else 1}, {} if cursor is None else {OWNER + model: cursor}
        else:
            newest = {contract.model: contract.version for contract in control.contracts()}
            cursors = control.cursors(OWNER)
        return {name: int(cursors.get(OWNER + name, {}).get("contract", version)) for name, version in newest.items()}

    def _known(self, model: str) -> Contract:
        if (contract := self._stores.control.contract(model)) is None:
            raise ConfigError(f"there is no model `{model}`", remedy="`watchkeeper reference` makes one")
        return contract

    def _reference(self, contract: Contract) -> Reference | None:
        key = (contract.model, contract.version)
        if key not in self._references and (stored := self._stores.control.reference(*key)):
            self._references[key] = Reference.from_bytes(stored)
        return self._references.get(key)
