"""What would be better, although nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterable

from detectors.summary.edition import EDITION
from watchkeeper.scheduling.definition_cache import Definition


def advice(defined: Iterable[Definition]) -> list[str]:
    """A sentence for each model whose reference was summarised by an earlier version."""
    return [
        f"the reference of {one.contract.model} was summarised by an earlier version, which did not make all sums that measures need now;"
        " give the same file again, and the contract stays (`watchkeeper reference`)"
        for one in defined
        if one.referenced and one.contract.summary < EDITION
    ]
