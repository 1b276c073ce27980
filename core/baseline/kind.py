"""The kinds of baselines: a new one is a file beside this and its name here.

Each has `read` for the grammar, `text` for readings, `words` for people, its `source`, and `spans`: for each of some windows what is pooled, as one set of
spans for each part of the pool. A baseline from the reference has no spans.
"""

from __future__ import annotations

from typing import Any

from core.baseline.previous import Previous
from core.baseline.reference import Reference

Baseline = Reference | Previous
KINDS: tuple[type[Baseline], ...] = (Reference, Previous)


def read(written: Any) -> Baseline | None:
    """The baseline that is meant; None if no kind reads it. Raises ConfigError where one does and finds a fault."""
    return next((found for kind in KINDS if (found := kind.read(written)) is not None), None)
