"""Colours by name. The browser replaces the names by the colours of the person's theme, which are in `assets/30_style.css`."""

from __future__ import annotations

from typing import Any

ACCENT = "--accent"  # the target
BASELINE = "--baseline"
BAND = "--band"  # the selected window
GAP = "--gap"
VOLUME = "--volume"  # predictions
LABELLED = "--labelled"  # predictions with a label
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
