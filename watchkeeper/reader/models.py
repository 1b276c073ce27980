"""Reads models, with how many events each has, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.contract import Contract
from core.error import ConfigError, Missing
from core.moment import DAY
from watchkeeper.advice import advice, versions_apart
from watchkeeper.learning import proposal, waiting
from watchkeeper.reader.sources import Sources

_LEAST = 100  # predictions of a version in a day, by which its columns are judged


class ModelReader(Sources):
    """Reads models."""

    def models(self) -> list[dict[str, Any]]:
        """A row a model: model, task, contract_version, first_ts, last_ts (microseconds or None), predictions, labels, labelled, open_episodes."""
        return self.rows(self.contracts())

    def contracts(self) -> list[Contract]:
        """The newest contract of every model."""
        return [definition.contract for definition in self._defined.read().values()]

    def model(self, contract: Contract) -> dict[str, Any]:
        """The row of one model; and `outside`, by topic, how many events came with a prediction or label that was none of its classes."""
        return self.rows([contract])[0] | {"outside": self.outside(contract.model)}

    def outside(self, model: str) -> dict[str, int]:
        """By topic, how many predictions and labels of a model were none of its classes when they came."""
        return {"predictions": 0, "labels": 0} | self._stores.batches.outside(model)

    def advice(self, model: str, last: int | None) -> list[str]:
        """Sentences that say what would be better for a model, whose last prediction has the time `last` (microseconds; None if there is none)."""
        found = self._defined.read().get(model)
        return [] if found is None else [*advice([found]), *versions_apart(model, self._valueless(found.contract, last))]

    def _valueless(self, contract: Contract, last: int | None) -> Mapping[str, frozenset[str]]:
        """By version, the features without a value in the day up to a time; nothing if the model has one version."""
        if last is None or len(self._stores.panes.versions(contract)) < 2:
            return {}
        return self._stores.panes.valueless(contract, (last - DAY, last + 1), _LEAST)

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

    def rows(self, contracts: Sequence[Contract]) -> list[dict[str, Any]]:
        """The rows of these models. The number of queries does not grow with the number of models."""
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
