"""Control charts of the performance of a monitor's windows (docs/measures.md). Plainly, window by window."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.oracle.found import NOTHING, Asked, Found, Lookup
from tests.oracle.performance import measure

MEASURES = ("change.cusum", "change.ewma")


def lookup(asked: Asked) -> Lookup:
    """What a chart has over its limit in a window."""
    monitor, _, _, live, grouping, length, every, _ = asked
    params = dict(monitor.get("params", {}))
    name = params.get("of", "performance.accuracy").removeprefix("performance.")

    @cache
    def found(segment: str) -> dict[int, Found]:
        outcomes = live.outcomes()
        places = {key[0]: held for key, held in live.groups(grouping, length, every).items() if key[1] == segment}
        values = {
            start: measure(name, outcomes.take(held), {}, positive=live.spec.positive)[0].value for start, held in sorted(places.items())
        }
        n = {start: len(held) for start, held in places.items()}
        least = monitor.get("min_samples", 1)
        charted = charted_by_hand(
            {start: one for start, one in values.items() if one is not None and n[start] >= least}, monitor["measure"], params
        )
        return {start: Found(charted.get(start), n[start], few=values[start] is not None) for start in values}

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        return found(segment).get(start, NOTHING), None

    return find


def charted_by_hand(values: Mapping[int, float], name: str, params: Mapping[str, Any]) -> dict[int, float | None]:
    """What a chart of values, by the start of their windows, has over its limit; None while it learns."""
    over: dict[int, float | None] = {}
    learn = 0 if "mean" in params else params.get("learn", 20)
    seen: list[float] = []
    high = low = mean = 0.0
    for start, value in values.items():
        seen.append(value)
        if len(seen) <= learn:
            over[start] = None
            continue
        usual, sd = (params["mean"], params["sd"]) if "mean" in params else (statistics.mean(seen[:learn]), statistics.stdev(seen[:learn]))
        z, windows = (value - usual) / sd, len(seen) - learn
        if name == "change.cusum":
            high, low = max(0.0, high + z - params.get("k", 0.5)), max(0.0, low - z - params.get("k", 0.5))
            now = max(high, low) / params.get("h", 5)
        else:
            weight = params.get("weight", 0.2)
            mean = weight * z + (1 - weight) * mean
            now = abs(mean) / (params.get("limit", 3) * math.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * windows))))
        over[start] = now
        if now >= 1:
            seen, high, low, mean = [], 0.0, 0.0, 0.0
    return over
