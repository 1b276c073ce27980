"""The names of planned measures, so that one that is not built yet is refused by its name."""

from __future__ import annotations

PLANNED = frozenset(
    f"{family}.{name}"
    for family, names in {
        "performance": "delay_corrected",
    }.items()
    for name in names.split()
)
