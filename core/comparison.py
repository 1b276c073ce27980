"""What a comparison of two sides of a model tells, and what may be asked."""

from __future__ import annotations

from typing import Any

import msgspec

from core import moment
from core.baseline.rows import Role, Version

Side = Version | Role


class ComparisonQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison that no monitor makes: of side `b` with side `a` of a model, by a measure. The windows are of `window` (`1d`), those that begin in `[start, end)`, None is open."""

    model: str
    a: Side
    b: Side
    of: str
    margin: float = 0.0
    segment: str = "all"
    window: str = "1d"
    start: int | None = None
    end: int | None = None
    min_samples: int = 200


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What was known when a window closed; times are microseconds. The fields are those of a reading; `evidence` is that of docs/measures.md.

    `monitor` is "" where none made it. `better` is how much better b is at least, `better_upper` at most, at all windows together, None where that is not known.
    """

    monitor: str = ""
    a: Side
    b: Side
    of: str
    margin: float
    segment: str
    window_start: int
    window_end: int
    verdict: str
    reason: str | None
    value: float | None
    lower: float | None
    upper: float | None
    baseline_value: float | None
    n_target: int
    n_baseline: int | None
    evidence: dict[str, Any]

    @property
    def better(self) -> float | None:
        """How much better b is at least, so far."""
        return self.evidence.get("better")

    @property
    def better_upper(self) -> float | None:
        """How much better b is at most, so far."""
        return self.evidence.get("better_upper")

    def document(self) -> dict[str, Any]:
        """As the API gives it."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        known = {name: self.evidence.get(name) for name in ("better", "better_upper", "needed", "days_left")}
        times = {name: moment.text(getattr(self, name)) for name in ("window_start", "window_end")}
        return built | times | {"monitor": self.monitor or None, "a": self.a.written, "b": self.b.written} | known


def side(text: str) -> Side | None:
    """The side of a text in an address; None if it is none.

    >>> side("version:2"), side("role:champion")
    (Version(version='2'), Role(role='champion'))
    """
    kind, _, name = text.partition(":")
    return Version.read({kind: name}) or Role.read({kind: name})
