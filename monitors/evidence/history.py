"""Reads a model's raw events in the layout of one contract, whichever contract versions they came under."""

from __future__ import annotations

from collections.abc import Iterator

from core.block import Ints, Outcomes, Predictions
from core.contract import Contract
from core.error import Fatal
from core.region import INTERVAL, SET, has
from monitors.evidence.conversion import convert, convert_outcomes
from monitors.ports import Contracts, Raw


class History:
    """Reads the events of slots, one block for each contract version under which events came; empty blocks are left out."""

    def __init__(self, raw: Raw, contracts: Contracts) -> None:
        self._raw, self._contracts = raw, contracts

    def predictions(self, contract: Contract, slots: Ints) -> Iterator[Predictions]:
        """The distinct events of these slots that count."""
        for source in self._sources(contract, slots):
            if len(block := self._raw.predictions(source, slots, contract.pane)):
                yield convert(block, source, contract)

    def outcomes(self, contract: Contract, slots: Ints, *, version: str | None = None) -> Iterator[Outcomes]:
        """The labelled events of these slots that count; of one version of the model, or of all."""
        dimensions, regional = [dimension.name for dimension in contract.dimensions], has(contract, INTERVAL, SET)
        for source in self._sources(contract, slots):
            if len(block := self._raw.outcomes(source, dimensions, slots, contract.pane, version=version, with_regions=regional)):
                yield convert_outcomes(block, source, contract)

    def _sources(self, contract: Contract, slots: Ints) -> Iterator[Contract]:
        """The contract versions under which the slots' events came."""
        for version in self._raw.contracts(contract.model, slots, contract.pane):
            source = contract if version == contract.version else self._contracts(contract.model, version)
            if source is None:
                raise Fatal(
                    f"events of {contract.model} were taken under contract version {version}, which the control store does not know; restore it"
                )
            yield source
