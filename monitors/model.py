"""A model as evaluation needs it."""

from __future__ import annotations

from dataclasses import dataclass

from core.contract import Contract
from monitors.reference.derive import ReferenceSummary


@dataclass(frozen=True)
class Model:
    """A model's contract and its reference (None for a declared contract), and the number of its last requested rebuild, 0 for none."""

    contract: Contract
    reference: ReferenceSummary | None
    rebuild: int = 0
