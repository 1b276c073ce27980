"""Monitors that are tried, without being stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Trial:
    """A monitor to try over the windows that begin in `[start, end)`; None is open. `closes`: only those that end then. `segment`: only this one."""

    monitor: Mapping[str, Any]
    start: int | None = None
    end: int | None = None
    segment: str | None = None
    closes: int | None = None
