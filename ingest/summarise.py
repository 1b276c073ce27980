"""The stage that makes a batch's partial panes."""

from __future__ import annotations

from dataclasses import replace

from core.contract import Contract
from core.segment import Segments
from detectors.summary.inputs import InputSummary
from ingest.record import Events


class Summarise:
    """Adds to a batch the input panes of its rows."""

    def __init__(self) -> None:
        self._segments: dict[str, tuple[Contract, Segments]] = {}

    def __call__(self, events: Events) -> Events:
        """The same batch, with panes."""
        panes = [
            (contract, InputSummary.of(contract, self._of(contract), block).to_columns())
            for contract, block in events.predictions
            if len(block)
        ]
        return replace(events, panes=panes)

    def _of(self, contract: Contract) -> Segments:
        known = self._segments.get(contract.model)
        if known is None or known[0].version != contract.version:
            known = self._segments[contract.model] = (contract, Segments(contract))
        return known[1]
