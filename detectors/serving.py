"""Evidence of how a model serves its predictions: how long they take, how many there are, and how many fail. Blocks as in `detectors.evidence`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.block import Floats
from core.contract import Column

LATENCY, STATUS, CALLER = "@latency_ms", "@status", "@caller"


@dataclass(frozen=True)
class Latencies:
    """Predictions (...), and their latencies by bin of `column` (..., bins), the least and the largest (...), infinite if there is none. `column` is None if the contract has no `@latency_ms`."""

    n: Floats
    counts: Floats
    low: Floats
    high: Floats
    column: Column | None

    empty: ClassVar[str] = "no predictions"

    @property
    def measured(self) -> Floats:
        """Predictions with a latency that is a number: (...)."""
        return np.asarray(self.counts[..., : 0 if self.column is None else self.column.values].sum(-1))


@dataclass(frozen=True)
class Statuses:
    """Predictions, those of status `ok` and those of status `error`, each (...). `known`: the contract has `@status`. `earlier` are the spans that end with the window, as the measure asks for them."""

    n: Floats
    ok: Floats
    error: Floats
    known: bool
    earlier: tuple[Statuses, ...] = ()

    empty: ClassVar[str] = "no predictions"

    @property
    def measured(self) -> Floats:
        """Predictions that say their status: (...)."""
        return self.ok + self.error


@dataclass(frozen=True)
class Traffic:
    """Predictions (...), and the length of the window in seconds (...), NaN for the reference, which does not say. `callers`: predictions by `@caller`, none without that signal."""

    n: Floats
    seconds: Floats
    callers: Mapping[str, Floats]

    empty: ClassVar[str] = "no predictions"
