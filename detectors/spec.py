"""The specification of a measure, which its file gives to the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from core.block import Floats
from core.contract import Contract
from core.measure import Measure

Places = tuple[npt.NDArray[np.intp], ...]
"""One array of indices for each dimension of a block."""

E = TypeVar("E")
P = TypeVar("P", bound=msgspec.Struct)


class NoParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The params of a measure that takes none."""


class Law(NamedTuple):
    """A statistic over its degrees of freedom, so that its mean is 1 where rows are independent and nothing moved; `statistic * degrees` is then chi-square.

    Both (...), NaN where there is none. Without degrees the statistic's law depends on the data: only windows in which nothing moved tell it. `least`, which broadcasts,
    is the exact p-value of independent rows where the chi-square law is too short in its tail, as for counts of a few; a p-value is never below it.
    """

    statistic: Floats
    degrees: Floats
    least: Floats = np.zeros(())


GONE = "raw events of the window are not there any more"


@dataclass(frozen=True)
class Result:
    """The result of a measure for a block: arrays of one shape (...), NaN where there is no value.

    `why` says why there is no value; None means the measure's `no_value`. `interval(phi)` gives the bounds of a 95 % interval, with n / phi rows in place of
    n; phi (...) broadcasts. `law` is set if the measure is `tested` and there is a baseline; `expected` takes its place in the p-value, if it is set. `evidence(places)` gives a document, ready for JSON, for each of
    some places, which are given as one index array for each dimension. `note` is what a reading says of its value, None where nothing; `broken`: where what the value
    assumes does not hold, and the note says why. `few` is set where there is no value because too few rows are left to compare: it is the verdict
    then, and the place has evidence. `examples`, like `evidence`, adds values of raw rows to it when a reading is written: they alone make no revision.
    """

    value: Floats
    why: npt.NDArray[np.object_] | None = None
    interval: Callable[[Floats], tuple[Floats, Floats]] | None = None
    law: Law | None = None
    evidence: Callable[[Places], Sequence[dict[str, Any]]] | None = None
    note: npt.NDArray[np.object_] | None = None
    broken: npt.NDArray[np.bool_] | None = None
    few: npt.NDArray[np.bool_] | None = None
    examples: Callable[[Places], Sequence[dict[str, Any]]] | None = None
    expected: Law | None = None


def without_gone(found: Result, gone: npt.NDArray[np.bool_]) -> Result:
    """A result without values where raw events that panes count are `gone` (...)."""
    if not gone.any():
        return found
    at = np.broadcast_to(gone, found.value.shape)
    own = np.array(None, object) if found.why is None else found.why
    law = None if found.law is None else found.law._replace(statistic=np.where(at, np.nan, found.law.statistic))
    return replace(found, value=np.where(at, np.nan, found.value), why=np.where(at, GONE, own), law=law)


def estimable(value: Floats, *reasons: tuple[npt.NDArray[np.bool_] | bool, str]) -> tuple[Floats, npt.NDArray[np.object_]]:
    """The value without what is not finite and without the places of each reason, and why there is none there: the first reason that holds."""
    kept, why = np.where(np.isfinite(value), value, np.nan), np.full(value.shape, None, object)
    for where, text in reversed(reasons):
        held = np.broadcast_to(where, value.shape)
        kept[held], why[held] = np.nan, text
    return kept, why


def _no_evidence(_target: Any, _baseline: Any, _params: Any) -> Result:
    raise AssertionError("a measure of the course of all windows so far is not computed from evidence of some")


@dataclass(frozen=True, kw_only=True)
class Spec(Generic[E, P]):
    """A measure: what it is, the evidence and the params that it takes, and how it is computed.

    `compute(target, baseline, params)` takes a block of evidence for each side, None if there is no baseline. A measure without it is `of_course`: it is made of the readings of other
    measures, or of rows, of all windows so far, which `monitors.evaluation` goes through. `no_value` says why there may be no value
    although there are rows. `settle` fills in the defaults for a contract, and raises ConfigError if the params do not fit it.
    `of_scores` is the evidence that it takes in place of the other if its params have a `threshold`; `of_weights` that in place of each if they say `weighted`.
    `counted` gives the rows that count for `min_samples`, by default all of the evidence: (...).
    `wait` is how long after its end a window is evaluated, in microseconds. `earlier` is how many windows before it a value depends on: they are given as `target.earlier`.
    `ending` are the lengths, in microseconds, of spans that end with the window and on which a value depends: they follow in `target.earlier`.
    `sequential`: a value depends on all that came before it.
    `background`: a window is evaluated beside all others, because it takes seconds of CPU, or because each step would make many windows again.
    `trained`: a window trains trees, so only few are evaluated where somebody waits for them.
    """

    about: Measure
    evidence: type[E]
    compute: Callable[[E, E | None, P], Result] = _no_evidence
    no_value: str
    params: type[P] = NoParams  # type: ignore[assignment]
    settle: Callable[[P, Contract], P] = lambda params, _contract: params
    counted: Callable[[E], Floats] = lambda evidence: evidence.n  # type: ignore[attr-defined]
    wait: Callable[[P], int] = lambda _params: 0
    earlier: Callable[[P], int] = lambda _params: 0
    ending: Callable[[P], tuple[int, ...]] = lambda _params: ()
    sequential: bool = False
    background: bool = False
    trained: bool = False
    of_scores: type[Any] | None = None
    of_weights: Mapping[type[Any], type[Any]] = field(default_factory=dict)

    @property
    def of_course(self) -> bool:
        """Whether it is made of the course of all windows so far, and not computed from evidence of its own."""
        return self.compute is _no_evidence

    def reads(self, params: Mapping[str, Any]) -> type[Any]:
        """The evidence that the measure takes with these params."""
        found = self.evidence if self.of_scores is None or params.get("threshold") is None else self.of_scores
        return self.of_weights.get(found, found) if params.get("weighted") else found


AnySpec = Spec[Any, Any]
