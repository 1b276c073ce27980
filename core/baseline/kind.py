"""The kinds of baselines: a new one is a file beside this and its name here.

Each has `read`, `written` and `check` for the grammar, `brief` and `words` for people, its `source`, and `spans`: for each of some windows what is pooled, as one set of
spans for each part of the pool. A baseline from the reference has no spans.
"""

from __future__ import annotations

from typing import Any

import msgspec

from core.baseline.previous import Previous
from core.baseline.prior import Prior
from core.baseline.reference import Reference

Baseline = Reference | Previous | Prior
KINDS: tuple[type[Baseline], ...] = (Reference, Previous, Prior)


def read(written: Any) -> Baseline | None:
    """The baseline that is meant; None if no kind reads it. Raises ConfigError where one does and finds a fault."""
    return next((found for kind in KINDS if (found := kind.read(written)) is not None), None)


def text(baseline: Baseline) -> str:
    """What a reading says of its baseline: as it is written, an object as JSON."""
    return baseline.written if isinstance(baseline.written, str) else msgspec.json.encode(baseline.written).decode()


def written(said: str) -> Any:
    """What was written for a baseline of which a reading says so."""
    return msgspec.json.decode(said) if said.startswith("{") else said


def brief(said: str) -> str:
    """The name for people of a baseline of which a reading says so."""
    found = read(written(said))
    return said if found is None else found.brief
