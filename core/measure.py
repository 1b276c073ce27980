"""A measure as monitors, alerts and pages know it. `detectors.catalogue` has how it is computed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

from core.baseline.kind import Baseline
from core.contract import Contract, Kind, Task

USER = "user.*"  # stands for all measures that users write as expressions
_UNSAID = frozenset(
    {"share", "area", "target units"}
)  # units that an axis does not show: they need no mention, or the contract does not have them


class Family(StrEnum):
    """The families of measures."""

    QUALITY = "quality"
    DRIFT = "drift"
    PERFORMANCE = "performance"
    FAIRNESS = "fairness"
    UNCERTAINTY = "uncertainty"
    CHANGE = "change"
    EXPLAIN = "explain"
    SERVICE = "service"
    COMPARE = "compare"
    CAUSE = "cause"
    USER = "user"


class Subject(StrEnum):
    """The subject of a measure: what it is computed for. An attribute is compared over its groups; a measure of groups has a reading for each."""

    COLUMN = "column"
    MODEL = "model"
    ATTRIBUTE = "attribute"
    GROUP = "group"

    @property
    def protected(self) -> bool:
        """Whether the measure is of attributes, whose names then are the columns of its readings."""
        return self in (Subject.ATTRIBUTE, Subject.GROUP)


class Judged(StrEnum):
    """What is compared with the thresholds: the value, its absolute value, the larger of a ratio and its inverse, how much worse it is than the baseline, or how far it is
    from what the model promises (`params.promise`).
    """

    VALUE = "value"
    ABSOLUTE = "absolute"
    RATIO = "ratio"
    WORSE = "worse"
    PROMISE = "promise"


class Need(StrEnum):
    """What a model's events must have for a measure to have a value."""

    LABELS = "labels"
    SCORES = "scores"


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A measure.

    `name` is `family.measure`; `title`, `brief` (where there is little room) and `formula` are for people. `better`: +1 where more is better, -1 where less
    is, 0 where neither. `compares`: the value itself compares a target with a baseline, so that a baseline has none of its own. `usual_baseline` is taken
    where a monitor names none. `usual`: a model that has only a reference is watched with it. `kinds` are the kinds of columns that can have a value.
    `of_stream`: it is of how events come, so that there is none of a segment, of one version or of the reference.
    `sampled`: its value is an estimate from the window's rows, so that it needs some; else a window without rows has a value, too.
    `own_limit` is critical where a monitor sets no threshold, since the measure has one of its own; then one row is enough.
    `signed`: it is as bad as it is far from 0 on either side.
    `tested`: with a baseline it has a statistic whose law is known where nothing moved (`detectors.law`). `excess`: the value is that statistic times a number, so that
    the excess over its mean can be given in the value's unit.
    """

    name: str
    title: str
    formula: str = ""
    brief: str = ""
    unit: str = ""
    subject: Subject = Subject.MODEL
    judged: Judged = Judged.VALUE
    better: int = 0
    compares: bool = False
    usual_baseline: Baseline | None = None
    tasks: tuple[Task, ...] = tuple(Task)
    requires: tuple[Need, ...] = ()
    usual: bool = False
    kinds: tuple[Kind, ...] = tuple(Kind)
    tested: bool = False
    excess: bool = False
    of_stream: bool = False
    sampled: bool = True
    signed: bool = False
    own_limit: float | None = None

    @property
    def family(self) -> Family:
        """The family, which is the first part of the name."""
        return Family(self.name.partition(".")[0])

    @property
    def matures(self) -> bool:
        """Whether its values depend on how many labels have come, and do not tell that themselves."""
        return Need.LABELS in self.requires and self.family is not Family.QUALITY

    @property
    def short(self) -> str:
        """A short name, for an axis or the head of a table."""
        return self.brief or self.title

    @property
    def axis(self) -> str:
        """The unit for an axis; "" for a unit that needs no mention."""
        return "" if self.unit in _UNSAID else self.unit

    @property
    def from_zero(self) -> bool:
        """Whether its scale begins at zero, as it does where zero is the best value."""
        return self.judged is Judged.VALUE

    def directed(self, params: Mapping[str, Any]) -> Measure:
        """The measure with the good direction that `better` of its params names, if that is there."""
        better = {"more": 1, "less": -1}.get(str(params.get("better")), self.better)
        return self if better == self.better else msgspec.structs.replace(self, better=better)

    def takes_side(self, baseline: object | None) -> bool:
        """Whether a threshold has to say `below` or `above`: the value itself is judged although more of it is better, or there is no baseline to be worse than."""
        return (self.judged is Judged.WORSE and baseline is None) or (self.judged is Judged.VALUE and self.better > 0)

    def may_take_side(self, baseline: object | None) -> bool:
        """Whether a threshold may say `below` or `above` of the value itself."""
        return self.takes_side(baseline) or (self.judged is Judged.PROMISE and baseline is None)

    def worse(self, value: Any, baseline: Any, *, against: bool, promise: float | None = None) -> Any:
        """The number that is compared with thresholds that are numbers; value and baseline are floats or arrays of one shape.

        How much worse the value is than the baseline's, if it is judged so and there is a baseline (`against`); else the value, its absolute value, the
        larger one of a ratio and its inverse, or its distance from the promise, less the baseline's.
        """
        if self.judged is Judged.PROMISE and promise is not None:
            return abs(value - promise) - (abs(baseline - promise) if against else 0.0)
        if self.signed:
            value, baseline = abs(value), abs(baseline) if against else baseline
        if self.judged is Judged.ABSOLUTE:
            return abs(value)
        if self.judged is Judged.RATIO:
            with np.errstate(divide="ignore"):
                return np.maximum(value, np.float64(1.0) / value)
        return (baseline - value) * self.better if against and self.judged is Judged.WORSE else value

    def size(self, value: float) -> float:
        """What is compared with thresholds that are numbers, of a value that is judged by itself."""
        return float(self.worse(value, None, against=False))

    def limit(self, amount: float, baseline: float | None, *, against: bool, promise: float | None = None) -> float | None:
        """The point on the measure's own scale at which a threshold of `amount` is reached, below a promise; None if the baseline has no value."""
        if self.judged is Judged.PROMISE and promise is not None:
            return promise - amount
        if not (against and self.judged is Judged.WORSE):
            return amount
        return None if baseline is None or np.isnan(baseline) else (abs(baseline) if self.signed else baseline) - self.better * amount

    def called(self, name: str) -> Measure:
        """A user measure under its own name."""
        return msgspec.structs.replace(self, name=name, title=name.partition(".")[2])

    def fits(self, contract: Contract) -> bool:
        """Whether a model of this contract can have a value."""
        return contract.task in self.tasks and (contract.scored or Need.SCORES not in self.requires)


class Measures(dict[str, Measure]):
    """All measures by name. A name that is not known gives a measure with that name as its title, or the user measure that it names."""

    def __missing__(self, name: str) -> Measure:
        family = f"{Family.USER}."
        return self[USER].called(name) if name.startswith(family) and USER in self else Measure(name=name, title=name)
