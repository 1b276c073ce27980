"""The params of measures of groups."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType

from core import text
from core.classes import Classes
from core.contract import Contract, Task
from core.error import ConfigError
from detectors.fairness.gap import ANY, NOWHERE, OVERALL

BEST_WORST, BEST, ALL_GROUPS = "best_worst", "best", "overall"
POINTS = 0.1  # ten points: the least gap of shares that matters, unless params say otherwise
FOUR_FIFTHS = 0.8

Positive = str | int | float | bool | None
P = TypeVar("P", bound="GapParams")


class GapParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of a gap. `reference`: `best_worst`, the widest gap between any two groups; `best`, from the group that fares best, which is the same gap; `overall`, from all rows;
    or a group, such as `sex=f`. Groups with fewer rows than `min_group` are left out. `relevant`: the least gap that matters (of a ratio: the value below which it does);
    without a gap that is found, a possible gap of this size means too few rows to say.
    """

    reference: str = BEST_WORST
    min_group: Annotated[int, msgspec.Meta(ge=1)] = 30
    relevant: Annotated[float, msgspec.Meta(gt=0)] | UnsetType = UNSET

    def place(self, names: tuple[str, ...]) -> int:
        """The place of the reference among groups."""
        if self.reference in (BEST_WORST, BEST):
            return ANY
        if self.reference == ALL_GROUPS:
            return OVERALL
        return names.index(self.reference) if self.reference in names else NOWHERE


class PositiveParams(GapParams, frozen=True, forbid_unknown_fields=True):
    """Params of a gap in numbers of a class. `positive`: the class that counts as the positive outcome; of a binary model its positive class by default."""

    positive: Positive = None


class ClassParams(PositiveParams, frozen=True, forbid_unknown_fields=True):
    """Params of a gap in rates of a class. With `threshold` a row of a binary model is of its positive class if its score is that or more, whatever was predicted."""

    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | UnsetType = UNSET


class SelectionParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params of the selection rate of a group: see `ClassParams`."""

    min_group: Annotated[int, msgspec.Meta(ge=1)] = 30
    positive: Positive = None
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | UnsetType = UNSET


def settled(params: P, contract: Contract, relevant: float | UnsetType = UNSET) -> P:
    """The params with the defaults for a contract. ConfigError if they do not fit it."""
    known = {BEST_WORST, BEST, ALL_GROUPS}
    reference = params.reference if params.reference in known else _group(params.reference, contract)
    found = msgspec.structs.replace(params, reference=reference, relevant=relevant if params.relevant is UNSET else params.relevant)
    return cast("P", with_positive(found, contract)) if isinstance(found, PositiveParams) else found


C = TypeVar("C", bound=Any)


def with_positive(params: C, contract: Contract) -> C:
    """The params with the positive class by its name in the contract."""
    threshold = getattr(params, "threshold", UNSET)
    if threshold is not UNSET and (contract.task != Task.BINARY or not contract.scored):
        raise ConfigError("`params.threshold` is for a binary model with scores", remedy="leave it out")
    classes = ", ".join(contract.classes)
    if params.positive is None and contract.task != Task.BINARY:
        raise ConfigError("`params.positive` is missing: which class is the positive outcome?", remedy=f"classes: {classes}")
    given = contract.positive if params.positive is None else text.class_of(params.positive, binary=contract.task == Task.BINARY)
    if (found := Classes.of(contract).find(given)) is None:
        raise ConfigError(f"`params.positive`: there is no class `{params.positive}`", remedy=f"classes: {classes}")
    if threshold is not UNSET and found != contract.positive:
        raise ConfigError(
            f"`params.threshold` judges the score of `{contract.positive}`", remedy=f"leave `positive` out, or write `{contract.positive}`"
        )
    replaced: C = msgspec.structs.replace(params, positive=found)
    return replaced


def _group(written: str, contract: Contract) -> str:
    """A group as panes name it: the dimensions of a cross in the contract's order."""
    values = {one.name: {*one.kept, text.OTHER, text.NULL, text.INVALID} for one in contract.dimensions}
    parts = {part.partition("=")[0]: part for part in written.split(",")}
    allowed = "best_worst, overall, best, or a group such as " + next(
        (f"{one.name}={value}" for one in contract.dimensions if one.protected for value in one.values), "sex=f"
    )
    orders = (*((name,) for name in values), *contract.crosses)
    order = next((cross for cross in orders if {*cross} == {*parts}), None)
    if order is None or any(part.partition("=")[2] not in values[name] for name, part in parts.items()):
        raise ConfigError(f"`params.reference`: there is no group `{written}`", remedy=f"write {allowed}")
    return ",".join(parts[name] for name in order)
