"""Reads models, with how many events each has, and when."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from core.contract import Contract
from core.document_name import OWNER
from core.error import ConfigError, Missing
from core.moment import DAY
from storage.facts.progress import Progress
from watchkeeper.advice import advice, versions_apart
from watchkeeper.backend import Readable
from watchkeeper.learning import proposal, waiting
from watchkeeper.reader.kept import Kept, stamp
from watchkeeper.reader.sources import Sources

_LEAST = 100  # predictions of a version in a day, by which its columns are judged


class ModelStanding(NamedTuple):
    """What the facts say of one model: `labelled` of its `predictions` have a label; versions and roles that have predictions; all segments; and by topic how many rows were none of its classes."""

    predictions: int
    labelled: int
    served: Sequence[tuple[str, str]]
    segments: Sequence[str]
    outside: Mapping[str, int]
    apart: Sequence[str]


class ModelReader(Sources):
    """Reads models."""

    def __init__(self, backend: Readable) -> None:
        super().__init__(backend)
        self._counted: Kept[tuple[int, int]] = Kept()  # predictions and how many of them have a label
        self._standing: Kept[ModelStanding] = Kept()

    def models(self) -> list[dict[str, Any]]:
        """A row a model: model, task, contract_version, first_ts, last_ts (microseconds or None), predictions, labels, labelled, open_episodes."""
        rows = self.rows()
        came = self._stores.outcomes.came([row["model"] for row in rows])
        return [row | {"labels": came.get(row["model"], 0)} for row in rows]

    def contracts(self) -> list[Contract]:
        """The newest contract of every model."""
        return [definition.contract for definition in self._defined.read().values()]

    def model(self, contract: Contract) -> dict[str, Any]:
        """The row of one model; and `outside`, by topic, how many events came with a prediction or label that was none of its classes."""
        row, found = self.standing(contract)
        return row | {"labels": self._stores.outcomes.came([contract.model]).get(contract.model, 0), "outside": found.outside}

    def standing(self, contract: Contract) -> tuple[dict[str, Any], ModelStanding]:
        """The row of one model, without the number of labels that came, and what else the facts say of it."""
        model = contract.model
        progress, mark = self._stamped(contract)
        if (found := self._standing.get(model, mark)) is None:
            found = self._standing.put(model, mark, self._look(contract, progress, mark))
        opened = self._stores.control.open_episodes().get(model, 0)
        return _row(contract, progress, found.predictions, found.labelled, opened), found

    def _look(self, contract: Contract, progress: Progress | None, mark: Hashable) -> ModelStanding:
        panes, model, reference = self._stores.panes, contract.model, self._reference(contract)
        used = panes.use(contract)
        apart: list[str] = []
        if progress is not None and len({version for version, _, _ in used}) > 1:
            span = (progress.last_ts - DAY, progress.last_ts + 1)
            apart = versions_apart(model, panes.valueless(contract, span, _LEAST))
        return ModelStanding(
            sum(rows for _, _, rows in used),
            panes.labelled([contract]).get(model, 0),
            [(version, role) for version, role, _ in used],
            sorted({*self._segments(contract, mark), *(reference.segments if reference else ())}),
            {"predictions": 0, "labels": 0} | self._stores.batches.outside(model),
            apart,
        )

    def advice(self, model: str) -> list[str]:
        """Sentences that say what would be better for a model, by its definitions."""
        found = self._defined.read().get(model)
        return [] if found is None else advice([found])

    def proposal(self, model: str) -> Mapping[str, Any] | None:
        """The contract that is proposed for a model that has none; None if it has one, if none of its predictions wait, or if nothing can be proposed."""
        try:
            return proposal(self._stores, model, self._backend.clock.now())
        except (Missing, ConfigError):
            return None

    def waiting(self) -> dict[str, int]:
        """How many events wait of each model that has no contract."""
        return waiting(self._stores)

    def referenced(self, model: str) -> bool:
        """Whether the newest contract of a model has a reference."""
        return self._reference(self._known(model)) is not None

    def recent(self, spans: Mapping[str, tuple[int, int]], step: int) -> dict[str, dict[int, int]]:
        """By model, how many predictions came in each step of its span, by the step's start."""
        return self._stores.panes.recent(self.contracts(), step, spans)

    def rows(self) -> list[dict[str, Any]]:
        """The rows of all models, without the numbers of labels that came. The number of queries does not grow with the number of models."""
        contracts = self.contracts()
        names = [contract.model for contract in contracts]
        progress = self._stores.batches.progress(self._backend.clock.now(), names)
        cursors = self._stores.control.cursors(OWNER)
        marks = {one.model: stamp(one, progress.get(one.model), cursors.get(OWNER + one.model)) for one in contracts}
        known = {name: found for name, mark in marks.items() if (found := self._counted.get(name, mark)) is not None}
        self._counted.drop(lambda name: name not in marks)
        if new := [contract for contract in contracts if contract.model not in known]:
            predictions, labelled = self._stores.panes.totals(new), self._stores.panes.labelled(new)
            for name in (contract.model for contract in new):
                known[name] = self._counted.put(name, marks[name], (predictions.get(name, 0), labelled.get(name, 0)))
        episodes = self._stores.control.open_episodes()
        return [_row(one, progress.get(one.model), *known[one.model], episodes.get(one.model, 0)) for one in contracts]


def _row(contract: Contract, progress: Progress | None, predictions: int, labelled: int, opened: int) -> dict[str, Any]:
    seen = progress if predictions and progress is not None and progress.predictions else None
    return {
        "model": contract.model,
        "task": str(contract.task),
        "contract_version": contract.version,
        "first_ts": seen.first_ts if seen else None,
        "last_ts": seen.last_ts if seen else None,
        "predictions": predictions,
        "labelled": labelled,
        "open_episodes": opened,
    }
