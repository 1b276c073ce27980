"""The kinds of baselines. A new kind is a file in this folder, and its name in the union and in `KINDS` below.

A kind has `read`, `written` and `check` for the grammar, `brief` and `words` for people, and its `source`. Its `spans` gives for some windows what is
pooled as their baselines: one set of spans for each part of the pool, in which a span may be empty. A baseline from the reference has no spans.
"""

from __future__ import annotations

from typing import Any

import msgspec

from core.baseline.expanding import Expanding
from core.baseline.fixed import Fixed
from core.baseline.previous import Previous
from core.baseline.prior import Prior
from core.baseline.reference import Reference
from core.baseline.rolling import Rolling
from core.baseline.rows import Role, Version
from core.baseline.same_period import SamePeriod
from core.baseline.same_weekday import SameWeekday

Baseline = Reference | Previous | Prior | Rolling | Expanding | SameWeekday | SamePeriod | Fixed | Version | Role
KINDS: tuple[type[Baseline], ...] = (Reference, Previous, Prior, Rolling, Expanding, SameWeekday, SamePeriod, Fixed, Version, Role)


def read(written: Any) -> Baseline | None:
    """The baseline that a document defines; None if no kind reads it. Raises ConfigError if a kind reads it and finds a fault."""
    return next((found for kind in KINDS if (found := kind.read(written)) is not None), None)


def text(baseline: Baseline) -> str:
    """The text of a baseline in readings: as it is written in a monitor, an object as JSON."""
    return baseline.written if isinstance(baseline.written, str) else msgspec.json.encode(baseline.written).decode()


def written(said: str) -> Any:
    """The document of a baseline, from its text in a reading."""
    return msgspec.json.decode(said) if said.startswith("{") else said


def brief(said: str) -> str:
    """The short name of a baseline for people, from its text in a reading."""
    found = read(written(said))
    return said if found is None else found.brief
