"""What readers read from: the stores, and the definitions and references that were decoded before."""

from __future__ import annotations

from core.contract import Contract
from core.error import ConfigError
from monitors.reference.derive import ReferenceSummary
from watchkeeper.backend import Readable
from watchkeeper.scheduling.definition_cache import DefinitionCache


class Sources:
    """Reads; it changes nothing. Safe to share between threads."""

    def __init__(self, backend: Readable) -> None:
        self._backend, self._stores = backend, backend.stores
        self._defined = DefinitionCache(backend.stores.control)  # decoded once, and again when something was defined
        self._references: dict[tuple[str, int, int], ReferenceSummary] = {}

    def contract(self, model: str) -> Contract | None:
        """The newest contract."""
        return self._stores.control.contract(model)

    def _known(self, model: str) -> Contract:
        if (contract := self._stores.control.contract(model)) is None:
            raise ConfigError(f"there is no model `{model}`", remedy="`watchkeeper reference` makes one")
        return contract

    def _reference(self, contract: Contract) -> ReferenceSummary | None:
        key = (contract.model, contract.based_on, contract.summary)  # versions that only took up values share it
        if key not in self._references and (stored := self._stores.control.reference(contract.model, contract.version)):
            self._references[key] = ReferenceSummary.from_bytes(stored)
        return self._references.get(key)
