"""The segments of a monitor: groupings by name, or `{auto: [carrier], min_share: 0.02, most: 20}`."""

from __future__ import annotations

import math
from typing import Any

from core.contract import Contract
from core.error import ConfigError
from core.monitor import AutoSegments
from monitors.definition.document import short, unknown
from monitors.definition.field import names

MOST = 100  # values of a dimension that a contract keeps
_EXAMPLE = "write `{auto: [carrier], min_share: 0.02, most: 20}`"
_KEYS = ("auto", "min_share", "most")


def segments(value: Any, contract: Contract | None) -> tuple[tuple[str, ...], AutoSegments | None]:
    """The groupings, and how their segments are found; None if every value is one."""
    if not isinstance(value, dict):
        return groupings(value, contract), None
    if wrong := next((str(key) for key in value if key not in _KEYS), None):
        raise unknown("field", wrong, _KEYS)
    if value.get("auto") is None:
        raise ConfigError("`auto` is missing: the columns whose values are found", remedy=_EXAMPLE)
    wanted = groupings(value["auto"], contract)[1:]
    if not wanted or (cross := next((name for name in wanted if "*" in name), None)):
        raise ConfigError(f"`{cross}` is a cross, and `auto` takes columns" if wanted else "`auto` names no column", remedy=_EXAMPLE)
    usual = AutoSegments(columns=wanted)
    share, most = (getattr(usual, key) if value.get(key) is None else value[key] for key in ("min_share", "most"))
    if isinstance(share, bool) or not isinstance(share, int | float) or not (math.isfinite(share) and 0 < share < 1):
        raise ConfigError(f"`min_share: {short(share)}` is no share", remedy="write a number between 0 and 1, such as 0.02")
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= MOST:
        raise ConfigError(f"`most: {short(most)}` is no number of segments", remedy=f"write a whole number from 1 to {MOST}")
    return ("all", *wanted), AutoSegments(columns=wanted, min_share=float(share), most=int(most))


def groupings(value: Any, contract: Contract | None) -> tuple[str, ...]:
    """The groupings, `all` first; the dimensions of a cross in the contract's order."""
    wanted = names(value)
    if contract is None:
        return tuple(dict.fromkeys(("all", *wanted)))
    dimensions = [dimension.name for dimension in contract.dimensions]
    crosses = {frozenset(cross): "*".join(cross) for cross in contract.crosses}
    found = ["all"]
    for name in wanted:
        parts = [part.strip() for part in name.split("*")] if "*" in name else [name]
        for part in parts if name != "all" else ():
            if part not in dimensions:
                raise unknown("segment", part, ["all", *dimensions])
        if len(parts) > 1 and frozenset(parts) not in crosses:
            raise ConfigError(f"the contract declares no cross `{name}`", remedy="crosses: " + (", ".join(crosses.values()) or "none"))
        found.append(crosses[frozenset(parts)] if len(parts) > 1 else name)
    return tuple(dict.fromkeys(found))
