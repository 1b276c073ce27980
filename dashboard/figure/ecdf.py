"""The distribution function of a numeric column: how large a share of the values is below x, in the baseline and in the target.

It is known exactly at the contract's edges, and drawn straight between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from core.contract import Column
from dashboard import texts as word
from dashboard.figure import axis, colour


def ecdf(column: Column, target: Sequence[int], baseline: Sequence[int]) -> axis.Figure | None:
    """The chart; None if the column has no two edges, or neither side has a value. Null and invalid are no values."""
    if len(column.edges) < 2:
        return None
    data = []
    for name, counts in (("Baseline", baseline), ("Target", target)):
        values = counts[: column.values]
        total = sum(values)
        if not total:
            continue
        below = [held / total for held in accumulate(values[:-1])]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": list(column.edges),
                "y": axis.rounded(below),
                "line": {"color": colour.ACCENT, "width": 1.8}
                if name == "Target"
                else {"color": colour.BASELINE, "width": 1.8, "dash": "dash"},
                "text": [f"{word.number(held)} below {word.number(edge)}" for held, edge in zip(below, column.edges, strict=True)],
                "hovertemplate": f"{name}: %{{text}}<extra></extra>",
            }
        )
    if not data:
        return None
    return {
        "data": data,
        "layout": axis.layout(
            320,
            uirevision=column.name,
            hovermode="closest",
            margin={"l": 56, "r": 12, "t": 34, "b": 44},
            xaxis={"showgrid": False, "zeroline": False, "ticks": "outside", "ticklen": 4, "tickcolor": colour.QUIET, "nticks": 5}
            | {"title": {"text": axis.plain(column.name), "standoff": 8}},
            yaxis=axis.value_axis("share of values below", range=[0, 1.02]),
        ),
    }


def widest(column: Column, target: Sequence[int], baseline: Sequence[int]) -> tuple[float, float] | None:
    """Where the two functions are furthest apart, at an edge, and by how much; None if either side has no value."""
    sides = []
    for counts in (target, baseline):
        values = counts[: column.values]
        if not (total := sum(values)):
            return None
        sides.append([held / total for held in accumulate(values[:-1])])
    gaps = [(edge, one - other) for edge, one, other in zip(column.edges, *sides, strict=True)]
    return max(gaps, key=lambda gap: abs(gap[1]), default=None)
