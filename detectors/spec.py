"""The specification of a measure, which its file gives to the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from core.block import Floats
from core.contract import Contract
from core.measure import Measure

E = TypeVar("E")
P = TypeVar("P", bound=msgspec.Struct)


class NoParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The params of a measure that takes none."""


@dataclass(frozen=True)
class Result:
    """The result of a measure for a block: arrays of one shape (...), NaN where there is no value. `lower` and `upper` bound a 95 % interval."""

    value: Floats
    lower: Floats | None = None
    upper: Floats | None = None
    n_effective: Floats | None = None


@dataclass(frozen=True)
class Spec(Generic[E, P]):
    """A measure: what it is, the evidence and the params that it takes, and how it is computed.

    `compute(target, baseline, params)` takes a block of evidence for each side, None if there is no baseline. `no_value` says why there may be no value
    although there are rows. `settle` fills in the defaults for a contract, and raises ConfigError if the params do not fit it.
    """

    about: Measure
    evidence: type[E]
    compute: Callable[[E, E | None, P], Result]
    no_value: str
    params: type[P] = NoParams  # type: ignore[assignment]
    settle: Callable[[P, Contract], P] = lambda params, _contract: params


AnySpec = Spec[Any, Any]
