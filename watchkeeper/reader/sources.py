"""What readers read from: the stores, and the definitions and references that were decoded before."""

from __future__ import annotations

from collections.abc import Hashable

from core.contract import Contract
from core.document_name import OWNER
from core.error import ConfigError
from monitors.reference.derive import ReferenceSummary
from storage.facts.progress import Progress
from watchkeeper.backend import Readable
from watchkeeper.reader.kept import Kept, stamp
from watchkeeper.scheduling.definition_cache import DefinitionCache

PAGE = 1.0  # seconds that a stamp holds unless something is known to have come: as long as a page takes


class Sources:
    """Reads; it changes nothing. Safe to share between threads."""

    def __init__(self, backend: Readable) -> None:
        self._backend, self._stores = backend, backend.stores
        self._defined = DefinitionCache(backend.stores.control)  # decoded once, and again when something was defined
        self._references: dict[tuple[str, int, int], ReferenceSummary] = {}
        self._stamps = Kept[Hashable](PAGE)
        self._divided = Kept[list[str]]()

    def contract(self, model: str) -> Contract | None:
        """The newest contract."""
        return self._stores.control.contract(model)

    def _known(self, model: str) -> Contract:
        if (contract := self._stores.control.contract(model)) is None:
            raise ConfigError(f"there is no model `{model}`", remedy="`watchkeeper reference` makes one")
        return contract

    def _versions(self, model: str) -> list[Contract]:
        """All versions of a model's contract, the newest last. Raises ConfigError if there is no such model."""
        self._known(model)
        return self._stores.control.contract_versions(model)

    def _stamped(self, contract: Contract) -> tuple[Progress | None, Hashable]:
        """How far a model's events are, and the stamp of what is known of it now."""
        model, tag = contract.model, self._backend.tag()
        progress = self._stores.batches.progress(self._backend.clock.now(), [model]).get(model)
        mark = stamp(contract, progress, self._stores.control.cursor(OWNER + model))
        return progress, self._stamps.put(model, (tag, contract.version, contract.summary), mark)

    def _stamp(self, contract: Contract, tag: str) -> Hashable:
        """The stamp of what is known of a model, which the parts of a page ask for once; under a tag of the backend, which changes with whatever can be read."""
        held = self._stamps.get(contract.model, (tag, contract.version, contract.summary))
        return held if held is not None else self._stamped(contract)[1]

    def _segments(self, contract: Contract, mark: Hashable) -> list[str]:
        """The segments with predictions, under the stamp of what is known of the model."""
        held = self._divided.get(contract.model, mark)
        return held if held is not None else self._divided.put(contract.model, mark, self._stores.panes.segments(contract))

    def _reference(self, contract: Contract) -> ReferenceSummary | None:
        key = (contract.model, contract.based_on, contract.summary)  # versions that only took up values share it
        if key not in self._references and (stored := self._stores.control.reference(contract.model, contract.version)):
            self._references[key] = ReferenceSummary.from_bytes(stored)
        return self._references.get(key)
