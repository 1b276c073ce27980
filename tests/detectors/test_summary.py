"""Summaries add up, and equal a count row by row."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import moment
from core.block import Categories, Outcomes, Predictions
from core.contract import Contract, Task
from core.segment import Segments
from detectors.summary import tally as tally_module
from detectors.summary.inputs import LAYOUT, InputSummary
from detectors.summary.performance import PerformanceSummary
from detectors.summary.sketch import REGISTERS, estimate
from tests.detectors import blocks

LISTED = settings(max_examples=30, deadline=None)


@pytest.fixture(params=["dense", "sorted"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of counting."""
    if request.param == "sorted":
        monkeypatch.setattr(tally_module, "_DENSE", -(10**9))


def segments_of(row: dict[str, str]) -> list[str]:
    """The four segments of a row of the tests' contract, from the words of the documentation."""
    kept = {"carrier": ("UA", "DL", "null", "invalid"), "origin": ("UA", "null", "invalid")}
    carrier, origin = (row[name] if row[name] in kept[name] else "other" for name in ("carrier", "origin"))
    return ["all", f"carrier={carrier}", f"origin={origin}", f"carrier={carrier},origin={origin}"]


def number_bin(edges: tuple[float, ...], value: float) -> int:
    """The bin of a number, by going through the edges."""
    if math.isnan(value):
        return len(edges) + 1
    return len(edges) + 2 if value == math.inf else sum(value >= edge for edge in edges)


def carrier_bin(text: str) -> int:
    """UA, DL, other (AA), unseen, null, invalid."""
    return {"UA": 0, "DL": 1, "AA": 2, "null": 4, "invalid": 5}.get(text, 3)


def text(values: Categories, row: int) -> str:
    return str(values.texts[values.codes[row]])


def rows_of(table: Any, names: list[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[name] for name in names): row for row in table.to_pylist()}


@LISTED
@given(data=st.data(), task=blocks.TASKS)
def test_input_summaries_add_up(data: st.DataObject, task: Task) -> None:
    """The summary of two blocks together is the sum of their summaries, in any order and with nothing added."""
    contract = blocks.contract(task)
    segments = Segments(contract)
    a, b = (data.draw(blocks.predictions(task)) for _ in "ab")
    of_a, of_b = InputSummary.of(contract, segments, a), InputSummary.of(contract, segments, b)
    both = InputSummary.of(contract, segments, Predictions.concat([a, b]))
    assert of_a.merge(of_b) == both
    assert of_b.merge(of_a) == both
    assert of_a.add(contract, segments, b) == both
    assert InputSummary.zero().merge(of_a) == of_a
    assert InputSummary.from_columns(both.to_columns()) == both


@settings(max_examples=10, deadline=None)
@given(data=st.data(), task=blocks.TASKS, one=st.booleans())
def test_without_dimensions_there_are_the_panes_of_all_rows(data: st.DataObject, task: Task, one: bool) -> None:
    """The same as beside those of segments; all rows may be in one pane."""
    whole = blocks.contract(task)
    bare = msgspec.structs.replace(whole, dimensions=(), crosses=())
    drawn: list[tuple[Any, Any]] = [(InputSummary, blocks.predictions(task)), (PerformanceSummary, blocks.outcomes(task))]
    for kind, blocks_of_kind in drawn:
        block = data.draw(blocks_of_kind)
        if one:
            version, role = (Categories.of([text] * len(block)) for text in ("1", "champion"))
            block = replace(block, ts=np.zeros_like(block.ts), version=version, role=role)
        tables = (kind.of(contract, Segments(contract), block).to_columns().to_pylist() for contract in (whole, bare))
        expected, found = ([row for row in table if row["segment"] == "all"] for table in tables)
        assert found == expected


def rounded(summary: PerformanceSummary) -> PerformanceSummary:
    """The summary with sums of losses to 9 digits: quotients and logarithms do not add up to the last one."""
    table = summary.to_columns()
    for name in ("loss_sum", "loss_square"):
        held = pa.array([[round(one, 9) + 0.0 for one in row] for row in table[name].to_pylist()], table.schema.field(name).type)
        table = table.set_column(table.column_names.index(name), name, held)
    return PerformanceSummary(table)


@LISTED
@given(data=st.data(), task=blocks.TASKS)
def test_performance_summaries_add_up(data: st.DataObject, task: Task) -> None:
    """The summary of two blocks together is the sum of their summaries, in any order and with nothing added."""
    contract = blocks.contract(task)
    segments = Segments(contract)
    a, b = (data.draw(blocks.outcomes(task)) for _ in "ab")
    of_a, of_b = PerformanceSummary.of(contract, segments, a), PerformanceSummary.of(contract, segments, b)
    both = PerformanceSummary.of(contract, segments, blocks.concat(a, b))
    assert rounded(of_a.merge(of_b)) == rounded(both)
    assert rounded(of_b.merge(of_a)) == rounded(both)
    assert rounded(of_a.add(contract, segments, b)) == rounded(both)
    assert PerformanceSummary.zero().merge(of_a) == of_a
    assert PerformanceSummary.from_columns(both.to_columns()) == both


@LISTED
@given(data=st.data(), task=blocks.TASKS)
def test_an_input_summary_counts_rows(data: st.DataObject, task: Task) -> None:
    """Counts, sums and tails of every pane are those of a loop over rows."""
    contract, block = blocks.contract(task), data.draw(blocks.predictions(task))
    found = rows_of(InputSummary.of(contract, Segments(contract), block).to_columns(), list(LAYOUT.keys))
    counts: dict[Any, Counter[int]] = defaultdict(Counter)
    sums: dict[Any, Counter[int]] = defaultdict(Counter)
    tails: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    numbers: dict[Any, list[float]] = defaultdict(list)
    loose: dict[Any, set[str]] = defaultdict(set)
    for row in range(len(block)):
        x, carrier, origin = float(block.numbers[0][row]), text(block.texts[0], row), text(block.texts[1], row)
        for segment in segments_of({"carrier": carrier, "origin": origin}):
            slot = block.ts[row] // moment.HOUR * moment.HOUR
            head = (slot, text(block.version, row), text(block.role, row), segment)
            counts[*head, "carrier"][carrier_bin(carrier)] += 1
            loose[*head, "carrier"] |= {carrier} - {"UA", "DL", "null", "invalid"}
            place = number_bin((-1.0, 0.0, 1.0), x)
            counts[*head, "x"][place] += 1
            if place < 4:
                sums[*head, "x"][place] += x  # type: ignore[assignment]
                tails[*head, "x"][0] += x < -2
                tails[*head, "x"][1] += x > 2
                numbers[*head, "x"].append(x)
    assert counts.keys() == {key for key in found if key[-1] in {"x", "carrier"}}
    for key, expected in counts.items():
        pane = found[key]
        assert pane["bin"] == sorted(expected)
        assert dict(zip(pane["bin"], pane["count"], strict=True)) == expected
        assert pane["n"] == expected.total()
        assert {place: value for place, value in zip(pane["bin"], pane["sum"], strict=True) if value} == {
            k: v for k, v in sums[key].items() if v
        }
        assert [pane["below"], pane["above"]] == tails[key]
        held = numbers[key]
        assert {name: pane[name] for name in ("measured", "square", "absolute", "low", "high", "outside")} == {
            "measured": pane["n"],
            "square": sum(x**2 for x in held),  # about the middle edge, 0
            "absolute": sum(abs(x) for x in held),
            "low": min(held, default=math.inf),
            "high": max(held, default=-math.inf),
            "outside": sum(not -2.5 <= x <= 1 for x in held),
        }
        ranks = np.zeros(REGISTERS)
        ranks[pane["register"]] = pane["rank"]
        assert round(float(estimate(ranks))) == len(loose[key])


@LISTED
@given(data=st.data(), task=st.sampled_from([Task.BINARY, Task.MULTICLASS]))
def test_predictions_by_score_are_counted_by_rows(data: st.DataObject, task: Task) -> None:
    """Each row is in one term of each class: below, whether it names the class, and the bin of its score; or that it has none."""
    contract, block = blocks.contract(task), data.draw(blocks.predictions(task))
    found = rows_of(InputSummary.of(contract, Segments(contract), block).to_columns(), list(LAYOUT.keys))
    assert isinstance(block.prediction, Categories)
    counts: dict[Any, Counter[int]] = defaultdict(Counter)
    for row in range(len(block)):
        said, slot = text(block.prediction, row), block.ts[row] // moment.HOUR * moment.HOUR
        held = [block.score[row]] if block.probabilities is None else block.probabilities[row]
        for segment in segments_of({"carrier": text(block.texts[0], row), "origin": text(block.texts[1], row)}):
            key, begin = (slot, text(block.version, row), text(block.role, row), segment, "@prediction"), 0
            for name, edges, score in zip(("1",) if task is Task.BINARY else ("0", "1"), contract.score_edges, held, strict=True):
                bins = len(edges) + 1
                counts[key][begin + (2 * bins if np.isnan(score) else bins * (said == name) + number_bin(edges, float(score)))] += 1
                begin += 2 * bins + 1
    assert counts.keys() == {key for key in found if key[-1] == "@prediction"}
    assert {key: dict(zip(found[key]["term"], found[key]["joint"], strict=True)) for key in counts} == counts
    assert all(pane["term"] == [] for key, pane in found.items() if key[-1] != "@prediction")


@LISTED
@given(data=st.data())
def test_a_performance_summary_counts_rows(data: st.DataObject) -> None:
    """Cells, label bins and scores by label of every pane are those of a loop over rows."""
    contract, block = blocks.contract(Task.MULTICLASS), data.draw(blocks.outcomes(Task.MULTICLASS))
    found = rows_of(PerformanceSummary.of(contract, Segments(contract), block).to_columns(), ["slot", "version", "role", "segment"])
    assert isinstance(block.prediction, Categories)
    assert isinstance(block.label, Categories)
    assert block.probabilities is not None
    cells: dict[Any, Counter[Any]] = defaultdict(Counter)
    scores: dict[Any, Counter[Any]] = defaultdict(Counter)
    scored: Counter[Any] = Counter()
    for row in range(len(block)):
        predicted, label = text(block.prediction, row), text(block.label, row)
        for segment in segments_of({name: text(values, row) for name, values in block.dimensions.items()}):
            slot = block.ts[row] // moment.HOUR * moment.HOUR
            key = (slot, text(block.version, row), text(block.role, row), segment)
            cells[key][predicted, label] += 1
            held = block.probabilities[row]
            scored[key] += not np.isnan(held).all()
            for place, name in enumerate(contract.classes):
                if np.isnan(held[place]):
                    continue
                at = (name, number_bin(contract.score_edges[place], float(held[place])))
                side = "positive" if label == name else "negative"
                scores[key][*at, side] += 1
                scores[key][*at, side + "_sum"] += held[place]
    assert found.keys() == cells.keys()
    for key, pane in found.items():
        assert (pane["n"], pane["scored"]) == (cells[key].total(), scored[key])
        assert dict(zip(zip(pane["cell_prediction"], pane["cell_label"], strict=True), pane["cell_count"], strict=True)) == cells[key]
        kept: Counter[Any] = Counter()
        for name in ("positive", "negative", "positive_sum", "negative_sum"):
            for of, place, amount in zip(pane["score_class"], pane["score_bin"], pane[name], strict=True):
                kept[of, place, name] += amount
        assert +kept == +scores[key]
        by_label: Counter[str] = Counter()
        for (_, label), count in cells[key].items():
            by_label[label] += count
        bins = {"0": 0, "1": 1, "new": 3}
        assert dict(zip(pane["label_bin"], pane["label_count"], strict=True)) == {bins[label]: count for label, count in by_label.items()}


@LISTED
@given(data=st.data())
def test_residuals_are_summed_where_both_numbers_are_there(data: st.DataObject) -> None:
    """Rows without a residual leave n and the sums, and are in the bins of labels."""
    contract, block = blocks.contract(Task.REGRESSION), data.draw(blocks.outcomes(Task.REGRESSION))
    table = PerformanceSummary.of(contract, Segments(contract), block).to_columns().to_pylist()
    whole = [row for row in table if row["segment"] == "all"]
    pairs = [(p, y) for p, y in zip(block.prediction, block.label, strict=True) if math.isfinite(p) and math.isfinite(y)]  # type: ignore[arg-type]
    assert sum(row["n"] for row in whole) == len(pairs)
    errors = [p - y for p, y in pairs]
    of = {
        "error": errors,
        "absolute": [abs(error) for error in errors],
        "square": [error**2 for error in errors],
        "relative": [abs(p - y) / abs(y) for p, y in pairs if y],
        "symmetric": [2 * abs(p - y) / (abs(p) + abs(y)) if p or y else 0.0 for p, y in pairs],
        "label": [y - 2 for _, y in pairs],  # about the middle edge
        "label_size": [abs(y) for _, y in pairs],
    }
    assert all(row["loss"] == list(of) for row in whole)
    for place, (name, values) in enumerate(of.items()):
        found = [sum(row[column][place] for row in whole) for column in ("loss_count", "loss_sum", "loss_square")]
        assert found == pytest.approx([len(values), sum(values), sum(value**2 for value in values)]), name
    assert max((row["largest"] for row in whole), default=0) == max(of["absolute"], default=0)
    assert sum(sum(row["label_count"]) for row in whole) == len(block)


def test_a_summary_differs_from_another() -> None:
    """Equality is of content: one row more is another summary."""
    contract = blocks.contract(Task.REGRESSION)
    segments, one = Segments(contract), _one_outcome(contract)
    assert PerformanceSummary.of(contract, segments, one) != PerformanceSummary.of(contract, segments, blocks.concat(one, one))


def _one_outcome(_contract: Contract) -> Outcomes:
    nothing = Categories.of([""])
    return Outcomes(
        ts=np.zeros(1, np.int64),
        version=nothing,
        role=nothing,
        dimensions={"carrier": Categories.of(["UA"]), "origin": Categories.of(["null"])},
        prediction=np.ones(1),
        label=np.zeros(1),
        score=np.full(1, np.nan),
        probabilities=None,
    )
