"""What all charts share: axes, margins, and rounded numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from core import moment
from dashboard import texts as word
from dashboard.figure import colour

Figure = dict[str, Any]
PLAIN = ",~r"  # digits written out


def rounded(values: Sequence[float | None]) -> list[float | None]:
    """The values with five significant digits, which is more than can be seen."""
    return [None if value is None else float(f"{value:.5g}") for value in values]


def milliseconds(length: int) -> float:
    """A length of time in microseconds as plotly takes it."""
    return length / 1_000


# Dates as in the text beside a chart, with the year where it changes. The steps are milliseconds, or months.
_DATES = [
    {"dtickrange": [None, milliseconds(moment.DAY) - 1], "value": "%H:%M\n%-d %b %Y"},
    {"dtickrange": [milliseconds(moment.DAY), "M1"], "value": "%-d %b\n%Y"},
    {"dtickrange": ["M1", "M12"], "value": "%b %Y"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]


def windows(start: int, step: int) -> Figure:
    """The x of a trace with one value a window: the starts of the windows, drawn in the middle of each window.

    Times go to plotly as UTC text only: it reads numbers in the zone of the browser.
    """
    return {"x0": moment.text(start), "dx": milliseconds(step), **centred(start, step)}


def centred(start: int, step: int) -> Figure:
    """Settings of a trace whose x are starts of windows, so that its points are drawn in the middle of each window."""
    return {"xperiod": milliseconds(step), "xperiod0": moment.text(start), "xperiodalignment": "middle"}


def time_axis(start: int, end: int, step: int, **more: Any) -> Figure:
    """A time axis in UTC over `[start, end)`, which is cut into windows of `step`."""
    return {
        "type": "date",
        "range": [moment.text(start), moment.text(end)],
        "title": {"text": "UTC", "standoff": 4, "font": {"size": 11, "color": colour.QUIET}},
        "showgrid": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": colour.QUIET,
        "nticks": 10,
        "tickformatstops": _DATES,
        "hoverformat": "%a %Y-%m-%d UTC" if step % moment.DAY == 0 else "%a %Y-%m-%d %H:%M UTC",
        "zeroline": False,
        **more,
    }


def value_axis(title: str, **more: Any) -> Figure:
    """An axis of values, named; its numbers are written out, never in powers of ten."""
    return {
        "title": {"text": title, "standoff": 12, "font": {"size": 12}},
        "tickformat": PLAIN,
        "zeroline": False,
        "nticks": 6,
        **more,
    }


def plain(text: str) -> str:
    """A text that somebody else has chosen, such as a name: plotly shows it as it is, and takes no tag in it for markup or a link.

    >>> plain("a < b & c")
    'a &lt; b &amp; c'
    """
    return escape(text, quote=False)


def names(of: Sequence[str]) -> Figure:
    """The ticks of a category axis whose values are the `plain` names, with long names cut."""
    return {"tickmode": "array", "tickvals": [plain(name) for name in of], "ticktext": [plain(word.cut(name, 24)) for name in of]}


def reach(values: Iterable[float | None], *, zero: bool) -> list[float] | None:
    """A range that holds every value with a margin; with `zero` it begins at zero. None if there is no value."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    low, high = min(there), max(there)
    air = 0.08 * ((high - min(low, 0) if zero else high - low) or abs(high) or 1.0)
    return [0.0 if zero and low >= 0 else low - air, high + air]


def layout(height: int, **more: Any) -> Figure:
    """The layout of a chart of `height` pixels. The caller sets `uirevision`; as long as it stays the same, the person's zoom stays."""
    return {
        "height": height,
        "margin": {"l": 64, "r": 24, "t": 34, "b": 44},
        "font": {"family": "inherit", "size": 12},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}, "traceorder": "normal"},
        "hovermode": "x unified",
        "barmode": "overlay",
        "bargap": 0,
        "dragmode": "zoom",
        **more,
    }
