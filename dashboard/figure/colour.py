"""Colours by name. The browser puts in those of the reader's theme; `assets/20_style.css` says which they are."""

from __future__ import annotations

from typing import Any

ACCENT = "--accent"  # the target
BASELINE = "--baseline"
BAND = "--band"  # the window that is looked at
GAP = "--gap"
VOLUME = "--volume"  # predictions
LABELLED = "--labelled"  # those whose truth is known
INK = "--ink"
QUIET = "--quiet"
WARN = "--warn"
CRITICAL = "--critical"
GROUND = "--ground"
HEAT = ("--heat-0", "--heat-1", "--heat-2")

LEVELS = {"warn": WARN, "critical": CRITICAL}


def tint(figure: Any, theme: dict[str, str]) -> Any:
    """The figure with the names in `theme` replaced: what the browser does, for tests."""
    if isinstance(figure, dict):
        return {key: tint(value, theme) for key, value in figure.items()}
    if isinstance(figure, list | tuple):
        return [tint(value, theme) for value in figure]
    return theme.get(figure, figure) if isinstance(figure, str) else figure
