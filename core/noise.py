"""The noise report: what a monitor's episodes were worth, and which change of its rule would have spared people most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a monitor's episodes. `notices` counts notifications once, also those that told of several episodes."""

    model: str
    monitor: str
    fired: int
    open: int
    told: int
    acknowledged: int
    useful: int
    noise: int
    brief: int
    notices: int


def advice(suggestion: Mapping[str, Any] | None) -> str:
    """A suggested change in words, None for none."""
    if suggestion is None:
        return "no change of its rule would have spared half of its episodes and none that was useful or acknowledged"
    change = ", ".join(f"{name}: {value}" for name, value in suggestion["change"].items())
    spared = f"{suggestion['episodes_then']} episodes instead of {suggestion['episodes']}"
    return f"with `{change}` there would have been {spared}, and all {suggestion['valued']} that were useful or acknowledged among them"
