"""A model as evaluation needs it."""

from __future__ import annotations

from dataclasses import dataclass

from core.contract import Contract
from monitors.reference.derive import ReferenceSummary


@dataclass(frozen=True)
class Model:
    """A model's contract and its reference (None for a declared contract), the number of its last requested rebuild, 0 for none, and who takes changes of trust in it."""

    contract: Contract
    reference: ReferenceSummary | None
    rebuild: int = 0
    listening: tuple[str, ...] = ()
