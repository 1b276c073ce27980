"""Reads evidence of another kind for each group of an attribute, in each segment in which groups are compared.

The groups are the values of the attribute in the reference or in the panes. A group within a segment is a segment of the cross of both, from the same panes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from core.contract import PREDICTION, Contract
from core.segment import ALL, grouping_of
from core.span import Spans
from core.text import NULL
from detectors.by_group import ByGroup
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.reader import EvidenceKind
from monitors.evidence.reads import PaneFields, Reads, Scope


@dataclass(frozen=True)
class OfGroups:
    """Reads `made` from the evidence of `kind`, which is read for `column`; "" for evidence of the whole model."""

    kind: EvidenceKind
    made: type[ByGroup[Any]]
    column: str = ""

    def fields(self, _attribute: str) -> PaneFields:
        """Those of the other kind."""
        return self.kind.fields(self.column)

    def parts(self, reads: Reads, extent: Extent, windows: Spans) -> list[slice]:
        """Those of the other kind, for the groups of the attribute that has most, in all segments. How many windows are read at once is bounded in the same way (`watched.most`)."""
        found = reads.predictions(extent)["segment"].unique().to_pylist()
        names = max((_groups(reads.scope, one, found) for one in _attributes(reads.scope)), key=len, default=("",))
        return self.kind.parts(reads.within(_within(names, reads.scope)), extent, windows)

    def read(self, reads: Reads, extent: Extent, attribute: str, sides: Sequence[Sequence[Spans]]) -> list[ByGroup[Any]]:
        """The evidence of each side, whose parts are pooled."""
        predictions = reads.predictions(extent)
        names = _groups(reads.scope, attribute, predictions["segment"].unique().to_pylist())
        texts = _within(names, reads.scope)
        counted = dense.Rows(predictions, extent.cells, texts).total("n")
        found = self.kind.read(reads.within(texts), extent, self.column, sides)
        return [self._of(reads.scope, names, one, extent.pooled(counted, side)) for one, side in zip(found, sides, strict=True)]

    def reference(self, scope: Scope, attribute: str) -> ByGroup[Any]:
        """The evidence of the reference; no rows if there is none."""
        names = _groups(scope, attribute, ())
        texts = _within(names, scope)
        predictions, extent, side = dense.inputs(scope, PREDICTION)
        counted = extent.pooled(dense.Rows(predictions, extent.cells, texts).total("n"), side)
        return self._of(scope, names, self.kind.reference(replace(scope, segments=texts), self.column), counted)

    def _of(self, scope: Scope, names: tuple[str, ...], of: Any, predictions: Any) -> ByGroup[Any]:
        shape = len(scope.segments), len(names)
        return self.made(names, _apart(of, shape), _apart(predictions, shape))


def crossed(contract: Contract, *dimensions: str) -> str | None:
    """The grouping of some dimensions, in the order in which the contract declares it; None if it declares none."""
    wanted = {*dimensions}
    orders = (*((one.name,) for one in contract.dimensions), *contract.crosses)
    return next(("*".join(order) for order in orders if {*order} == wanted and len(order) == len(dimensions)), None)


def _attributes(scope: Scope) -> list[str]:
    """The groupings of a scope whose groups it holds within all of its segments."""
    own, contract = {grouping_of(segment) for segment in scope.segments}, scope.model.contract
    every = [name for name in scope.groupings if name]
    return [name for name in every if all(crossed(contract, *name.split("*"), *within) in every for within in own)]


def _groups(scope: Scope, attribute: str, found: Collection[str]) -> tuple[str, ...]:
    """The segments that are the groups of an attribute, in the reference or found; that of nulls if there is none."""
    known = scope.model.reference.segments if scope.model.reference else ()
    names = sorted(segment for segment in {*known, *found} if "*".join(grouping_of(segment)) == attribute)
    return tuple(names) or (",".join(f"{name}={NULL}" for name in attribute.split("*")),)


def _within(names: tuple[str, ...], scope: Scope) -> tuple[str, ...]:
    """The segments of all groups in each segment of the scope, one segment after the other."""
    found = list[str]()
    for segment in scope.segments:
        order = crossed(scope.model.contract, *grouping_of(names[0]), *grouping_of(segment))
        for name in names:
            parts = [*name.split(","), *(() if segment == ALL else segment.split(","))]
            place = {part.split("=", 1)[0]: part for part in parts}
            found.append(",".join(place[one] for one in order.split("*")) if order else ",".join(parts))
    return tuple(found)


def _apart(held: Any, shape: tuple[int, int]) -> Any:
    """Evidence of (windows, segments * groups, ...) as (windows, segments, groups, ...)."""
    if isinstance(held, np.ndarray):
        wide = held.ndim > 1 and held.shape[1] == shape[0] * shape[1]
        return held.reshape(held.shape[0], *shape, *held.shape[2:]) if wide else held
    if isinstance(held, Mapping):
        return {name: _apart(one, shape) for name, one in held.items()}
    if is_dataclass(held) and not isinstance(held, type):
        return replace(held, **{field.name: _apart(getattr(held, field.name), shape) for field in fields(held) if field.init})
    return held
