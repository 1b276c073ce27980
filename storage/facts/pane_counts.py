"""Counts in panes: how many events have a value, a label or a wrong prediction, and the labelled rows of a whole span by class and score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from core.block import Floats, Ints
from core.contract import PREDICTION, Contract
from core.text import INVALID, NULL
from storage.facts import column as col
from storage.facts.engine import Engine
from storage.facts.pane_condition import CURRENT, HELD, NEWEST, WINDOW, parameters_of
from storage.facts.raw import narrowed

# Columns of the sorting key are looked at first, which ClickHouse does by itself only without FINAL. The generation is none of them.
_FROM = f"FROM performance_panes FINAL PREWHERE {HELD} AND segment = {{segment:String}}"
_WRONG = f"arraySum(arrayMap((said, label, many) -> if(said IN (label, '{NULL}', '{INVALID}'), 0, many), cell_prediction, cell_label, cell_count))"
_BY_SCORE = ("positive", "negative", "positive_sum", "negative_sum")


class Of(NamedTuple):
    """The predictions that are counted: those of a segment, of one version of the model or of all, and of one role or of all; by windows of `step` microseconds."""

    segment: str
    step: int
    version: str | None = None
    role: str | None = None


class InputCounts(NamedTuple):
    """By start of a window: the predictions, those with one of some bins, those outside of the range, and those of which panes tell whether they are outside: (windows,) each."""

    start: Ints
    n: Ints
    inside: Ints
    outside: Ints
    measured: Ints


class PaneCounts:
    """Queries of counts in panes. Spans are of whole panes, in microseconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def inputs(self, contract: Contract, of: Of, span: tuple[int, int], column: str = PREDICTION, bins: Sequence[int] = ()) -> InputCounts:
        """The predictions of each window, and of these the ones with a value of the column in one of the bins."""
        inside = "arraySum(mapValues(mapFilter((bin, _) -> has({bins:Array(UInt16)}, bin), count)))" if bins else "0"
        sql = (
            f"SELECT {WINDOW} AS start, sum(n) AS rows, sum({inside}) AS inside, sum(outside) AS beyond, sum(measured) AS told FROM panes"
            f" WHERE {HELD} AND {CURRENT} AND column = {{column:String}} AND segment = {{segment:String}}{narrowed(of.version, of.role)}"
            " GROUP BY start ORDER BY start"
        )
        table = self._engine.query(sql, self._asked(contract, of, span) | {"column": column, "bins": list(bins)})
        return InputCounts(*(col.ints(table[name]) for name in ("start", "rows", "inside", "beyond", "told")))

    def labels(self, contract: Contract, of: Of, span: tuple[int, int]) -> tuple[Ints, Ints, Ints]:
        """The starts of windows, how many predictions of each have a label, and of how many the label is of another class than the one that was predicted."""
        sql = (
            f"SELECT {WINDOW} AS start, sum(arraySum(label_count)) AS labelled, sum({_WRONG}) AS wrong {_FROM}"
            f" WHERE {NEWEST}{narrowed(of.version, of.role)} GROUP BY start ORDER BY start"
        )
        table = self._engine.query(sql, self._asked(contract, of, span))
        start, labelled, wrong = (col.ints(table[name]) for name in ("start", "labelled", "wrong"))
        return start, labelled, wrong

    def scores(self, contract: Contract, of: Of, span: tuple[int, int], widths: Mapping[str, int]) -> dict[str, list[Floats]]:
        """By class the labelled rows of the whole span by bin of their score: those of the class, those of others, and the sums of their scores: (width,) each.

        `widths` gives how many bins each class has. They are summed here, since a year has millions of them.
        """
        starts = dict(zip(widths, accumulate(widths.values(), initial=0), strict=False))
        wanted = {"classes": list(starts), "starts": list(starts.values()), "none": sum(widths.values())}
        each = ", ".join(f"sumResampleArray(0, {wanted['none']}, 1)({name}, places) AS s_{name}" for name in _BY_SCORE)
        first = "transform(name, {classes:Array(LowCardinality(String))}, {starts:Array(UInt32)}, {none:UInt32})"
        places = f"arrayMap((name, bin) -> {first} + bin, score_class, score_bin) AS places"
        sql = f"SELECT {each} FROM (SELECT {places}, {', '.join(_BY_SCORE)} {_FROM} WHERE {NEWEST}{narrowed(of.version, of.role)})"
        row = self._engine.query(sql, self._asked(contract, of, span) | wanted)
        sums = [np.asarray(row[f"s_{name}"][0].values, np.float64) for name in _BY_SCORE]
        return {name: [one[start : start + widths[name]] for one in sums] for name, start in starts.items()}

    @staticmethod
    def _asked(contract: Contract, of: Of, span: tuple[int, int]) -> dict[str, object]:
        return parameters_of(contract, of.step, span) | {"segment": of.segment, "version": of.version or "", "role": of.role or ""}
