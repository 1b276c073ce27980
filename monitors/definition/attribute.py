"""The attributes of a monitor: the protected dimensions, and crosses, whose groups it compares."""

from __future__ import annotations

from typing import Any

from core.contract import Contract
from core.error import ConfigError
from core.measure import Measure, Subject
from core.segment import grouping_of
from monitors.definition.document import unknown
from monitors.definition.field import names
from monitors.definition.segment import groupings
from monitors.evidence.groups import crossed


def attributes(value: Any, measure: Measure | None, contract: Contract | None) -> tuple[str, ...]:
    """The attributes to compare the groups of; empty for all protected ones. Dimensions and crosses are written as segments are."""
    if value == [] or measure is None:
        return ()
    if not measure.subject.protected:
        raise ConfigError(f"`{measure.name}` does not compare groups of attributes", remedy="leave `attributes` out")
    wanted = names(value)
    if "all" in wanted:
        raise unknown("attribute", "all", [] if contract is None else [one.name for one in contract.dimensions])
    return wanted if contract is None else groupings(list(wanted), contract)[1:]


def check(measure: Measure, attributes: tuple[str, ...], within: tuple[str, ...], reference: str | None, contract: Contract) -> None:
    """Raise ConfigError unless panes hold the groups of all attributes, in all segments in which they are compared, and the reference group is one of each attribute."""
    known = attributes or contract.protected
    if not known:
        raise ConfigError("the contract has no protected attribute", remedy="name `attributes`, or give the reference with `--protected`")
    for name in known:
        for segment in within:
            if segment == "all" or (measure.subject is Subject.GROUP and segment in known):
                continue
            if measure.subject is Subject.GROUP:
                raise ConfigError(f"`{measure.name}` has a reading of each group, and none of segments", remedy="leave `segments` out")
            own, others = name.split("*"), segment.split("*")
            if both := {*own} & {*others}:
                raise ConfigError(
                    f"groups of `{name}` cannot be compared within `{segment}`: both hold {', '.join(sorted(both))}",
                    remedy="leave one of them out",
                )
            if crossed(contract, *own, *others) is None:
                cross = "*".join((*own, *others))
                raise ConfigError(
                    f"the contract declares no cross of `{name}` and `{segment}`, so panes do not hold groups of one within the other",
                    remedy=f"declare `{cross}` among the segments of the contract, or give the reference with `--segments {cross}`",
                )
        if reference is not None and "=" in reference and "*".join(grouping_of(reference)) != name:
            raise ConfigError(f"`params.reference`: `{reference}` is no group of `{name}`", remedy="write a monitor for each attribute")
