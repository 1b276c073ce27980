"""Which segments a monitor watches that names none: `segments: {auto: [carrier], min_share: 0.02, most: 20}`."""

from __future__ import annotations

from core.contract import Dimension
from core.monitor import AutoSegments
from core.text import NULL, OTHER
from monitors.model import Model


def automatic(auto: AutoSegments, model: Model) -> list[str]:
    """The segments: values that are frequent in the reference, those that the contract has taken up since, and `other`.

    They depend on contract and definition alone, not on the events: windows that are evaluated again have the same segments.
    """
    wanted = [dimension for dimension in model.contract.dimensions if dimension.name in auto.columns]
    return [f"{one.name}={value}" for one in wanted for value in (*_frequent(auto, one, model), *one.new, OTHER)]


def _frequent(auto: AutoSegments, dimension: Dimension, model: Model) -> list[str]:
    """The values with at least the share of the reference's rows, most frequent first, ties by name. A declared contract has no shares: the first ones that it lists."""
    if model.reference is None:
        return list(dimension.values[: auto.most])
    rows = model.reference.rows
    held = {value: rows.get(f"{dimension.name}={value}", 0) for value in (*dimension.values, NULL)}
    frequent = [value for value, n in held.items() if n and n >= auto.min_share * rows["all"]]
    return sorted(frequent, key=lambda value: (-held[value], value))[: auto.most]
