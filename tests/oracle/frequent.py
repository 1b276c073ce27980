"""Which segments a monitor has that finds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd


def frequent(segments: Sequence[str], whole: Iterable[str], found: Mapping[str, Any]) -> list[str]:
    """Those with a share of the reference's rows, the most frequent ones at most, and `other`."""
    counts = pd.Series(list(whole), dtype=object).value_counts()
    held = sorted(counts[counts >= found["min_share"] * counts.sum()].items(), key=lambda one: (-one[1], one[0]))
    kept = [name for name, _ in held if not str(name).endswith(("=other", "=invalid"))][: found["most"]]
    return [name for name in segments if name in kept or name.endswith("=other")]


def groupings(written: Any) -> tuple[list[str], Mapping[str, Any] | None]:
    """The groupings of a monitor, and how their segments are found; None if all are watched."""
    return (["all", *written["auto"]], written) if isinstance(written, Mapping) else (written, None)
