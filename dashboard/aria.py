"""`aria-*` attributes as keywords, for people who use a screen reader."""

from __future__ import annotations

from typing import Any


def aria(**names: str) -> dict[str, Any]:
    """Keywords of a component.

    >>> aria(label="Filters")
    {'aria-label': 'Filters'}
    """
    return {f"aria-{name}": value for name, value in names.items()}
