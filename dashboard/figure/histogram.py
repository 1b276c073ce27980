"""Baseline against target: a numeric column as densities, a categorical one as bars.

Bars of a numeric column are unions of the contract's bins, so that every share is exact. The values beyond the outer edges have
no width; they are bars of their own beside that of the missing values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core import text
from core.contract import Column
from dashboard import texts as word
from dashboard.figure import axis, colour

BARS = 40  # a bar is at least this fraction of the range wide
CATEGORIES = 15
MANY = 200  # edges
_REST = ("null", "invalid")

Link = Callable[[str], str]
"""The address of the events with a value in a bin, given by the bin's name."""


@dataclass(frozen=True)
class BinShare:
    """A part of a column's values with its share on both sides; `bin` is what events are asked for by, "" if it is no bin, and `n` the rows of the target."""

    name: str
    target: float
    baseline: float
    bin: str = ""
    n: int = 0

    @property
    def moved(self) -> float:
        """Target share minus baseline share."""
        return self.target - self.baseline


def parts(column: Column, target: Sequence[int], baseline: Sequence[int]) -> list[BinShare]:
    """The bins with names for people and shares of all rows. Bins that are empty on both sides are left out."""
    if column.numeric:
        edges = [word.number(edge) for edge in column.edges]
        values = [f"below {edges[0]}", *_between(column.edges), f"{edges[-1]} and above"] if edges else ["any value"]
        names = [*values, *_REST]
        bins = [*(interval(*ends) for ends in pairwise([None, *column.edges, None])), *_REST]
    else:
        names = [*(text.unquote(value) for value in column.categories), "other", "unseen", *_REST]
        bins = [*column.categories, "other", "unseen", *_REST]
    left, right = _shares(target), _shares(baseline)
    whole = zip(names, left, right, bins, target or [0] * len(names), strict=True)
    return [BinShare(*part) for part in whole if part[1] or part[2]]


def interval(low: float | None, high: float | None) -> str:
    """The name of the numbers from `low` to below `high`, by which events are asked for; None is no bound."""
    return f"[{'-inf' if low is None else text.of(low)},{'inf' if high is None else text.of(high)})"


def numeric(column: Column, target: Sequence[int], baseline: Sequence[int], link: Link) -> axis.Figure:
    """Densities between the outer edges, and to their right the shares below, above, null and invalid; the target alone without a baseline. A click opens the events."""
    left, right = _shares(target), _shares(baseline)
    low, high = _drawn(column, left, right)
    cuts = [low + cut for cut in _cuts(column.edges[low : high + 1])]
    steps = [column.edges[cut] for cut in cuts]
    inner = [link(interval(*ends)) for ends in pairwise(steps)]
    edges = [interval(None, steps[0]), interval(steps[-1], None)] if steps else []
    outside = [link(name) for name in (*edges, *_REST)]
    last = len(column.edges)
    outer = ["null", "invalid"] if not last else [f"< {word.number(steps[0])}", f"≥ {word.number(steps[-1])}", "null", "invalid"]
    beyond = (slice(0, low + 1), slice(high + 1, last + 1)) if last else ()
    data: list[axis.Figure] = []
    for name, shares in (("Baseline", right), ("Target", left)):
        if not any(shares):
            continue
        held = [sum(shares[low + 1 : high + 1]) for low, high in pairwise(cuts)]
        data.append(_density(name, steps, held, inner))
        beside = [*(sum(shares[part]) for part in beyond), shares[column.null], shares[column.invalid]]
        data.append({**_bars(name, outer, beside, outside), "xaxis": "x2", "yaxis": "y2", "showlegend": False})
    bare = {"showgrid": False, "zeroline": False}
    return {
        "data": data,
        "layout": axis.layout(
            320,
            uirevision=column.name,
            meta={"pick": "address"},
            hovermode="closest",
            barmode="group",
            bargap=0.35,
            xaxis=bare | {"domain": [0, 0.62], "ticks": "outside", "ticklen": 4, "tickcolor": colour.QUIET, "title": _title(column.name)},
            yaxis=axis.value_axis("share of rows per unit", rangemode="tozero"),
            xaxis2=bare
            | {"domain": [0.71, 1], "type": "category", "fixedrange": True, "tickangle": 0, "tickfont": {"size": 11}}
            | {"title": _title("outside and missing")},
            yaxis2=axis.value_axis("share of rows", anchor="x2", rangemode="tozero", nticks=5),
        ),
    }


def _drawn(column: Column, left: Sequence[float], right: Sequence[float]) -> tuple[int, int]:
    """The indices of the outer edges. If there are more than `MANY`, as for latencies, those between which all but 2 % of the values lie."""
    last = max(len(column.edges) - 1, 0)
    held = np.cumsum([one + other for one, other in zip(left[: column.values], right[: column.values], strict=True)])
    if last < MANY or not held[-1]:
        return 0, last
    low, high = np.searchsorted(held, [0.01 * held[-1], 0.99 * held[-1]]).tolist()
    return max(min(low - 1, last - 1), 0), min(max(high, 1), last)


def _title(text: str) -> axis.Figure:
    return {"text": axis.plain(text), "standoff": 8}


def _density(name: str, steps: Sequence[float], held: Sequence[float], links: Sequence[str]) -> axis.Figure:
    """The share held between each pair of `steps`, over its width; the target is filled, the baseline dashed."""
    dense = [share / (high - low) for share, (low, high) in zip(held, pairwise(steps), strict=True)]
    target = name == "Target"
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "x": list(steps),
        "y": [*axis.rounded(dense), dense[-1]] if dense else [],
        "line": {"color": colour.ACCENT if target else colour.BASELINE, "width": 1.8, "dash": "solid" if target else "dash", "shape": "hv"},
        **({"fill": "tozeroy", "fillcolor": colour.BAND} if target else {"fill": "none"}),
        "customdata": [*([link, word.number(share)] for link, share in zip(links, held, strict=True)), ["", ""]],
        "hovertemplate": f"{name}: %{{customdata[1]}} of all rows, from here to the next edge<extra></extra>",
    }


def categorical(column: Column, target: Sequence[int], baseline: Sequence[int], link: Link) -> axis.Figure:
    """Pairs of bars, the largest on top, with the rest summed in one. Values that are no longer there are marked as vanished. A click on a bar opens its events."""
    ranked = sorted(parts(column, target, baseline), key=lambda part: -max(part.target, part.baseline))
    shown, rest = ranked[:CATEGORIES], ranked[CATEGORIES:]
    if rest:
        shown.append(BinShare(f"{len(rest)} more", sum(part.target for part in rest), sum(part.baseline for part in rest)))
    alone = not sum(baseline)
    names = [part.name + (" (vanished)" if not part.target else " (new)" if not part.baseline and not alone else "") for part in shown]
    sides = {"Baseline": [part.baseline for part in shown], "Target": [part.target for part in shown]}
    links = [link(part.bin) if part.bin else "" for part in shown]
    data = [_bars(side, names, shares, links, flat=True) for side, shares in sides.items() if any(shares)]
    return {
        "data": data,
        "layout": axis.layout(
            90 + 30 * max(len(shown), 3),
            uirevision=column.name,
            meta={"pick": "address"},
            hovermode="closest",
            barmode="group",
            bargap=0.3,
            legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
            xaxis=axis.value_axis("share of rows", rangemode="tozero"),
            yaxis={"type": "category", "autorange": "reversed", "automargin": True, "showgrid": False, "fixedrange": True}
            | axis.names(names),
        ),
    }


def _bars(name: str, names: Sequence[str], shares: Sequence[float], links: Sequence[str], *, flat: bool = False) -> axis.Figure:
    paint = (
        {"color": colour.ACCENT}
        if name == "Target"
        else {
            "color": colour.VOLUME,
            "line": {"width": 1, "color": colour.BASELINE},
            "pattern": {"shape": "/", "size": 5, "solidity": 0.25, "fgcolor": colour.BASELINE},
        }
    )
    values = axis.rounded(shares)
    return {
        "type": "bar",
        "name": name,
        "legendgroup": name,
        "orientation": "h" if flat else "v",
        **({"x": values, "y": [axis.plain(one) for one in names]} if flat else {"x": list(names), "y": values}),
        "customdata": [[link] for link in links],
        "marker": paint,
        "text": [word.number(share) for share in shares],
        "textposition": "none",
        "hovertemplate": f"{name}: %{{text}} of all rows<extra></extra>",
    }


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]


def _between(edges: Sequence[float]) -> list[str]:
    """Names of the closed bins; a bin that holds one value only is that value."""
    return [
        word.number(low) if high == np.nextafter(low, np.inf) else f"{word.number(low)} to {word.number(high)}"
        for low, high in pairwise(edges)
    ]


def _cuts(edges: Sequence[float]) -> list[int]:
    """Indices of the edges that bound bars: narrow bins are merged until a bar can be seen."""
    if len(edges) < 2:
        return list(range(len(edges)))
    least = (edges[-1] - edges[0]) / BARS
    cuts = [0]
    for index in range(1, len(edges)):
        if edges[index] - edges[cuts[-1]] >= least:
            cuts.append(index)
    if cuts[-1] != len(edges) - 1:  # the remainder joins the last bar
        cuts[-1:] = [len(edges) - 1] if len(cuts) > 1 else [0, len(edges) - 1]
    return cuts
