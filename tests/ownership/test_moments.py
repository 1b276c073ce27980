"""Moments, sums by bin and distinct values of windows, from panes of real events, against the rows themselves."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from core import moment
from core.baseline.previous import Previous
from core.monitor import Monitor
from core.span import Spans
from core.window.tumbling import Tumbling
from detectors.evidence import Distinct, Moments, Sums
from detectors.tails import Tails
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.frame import VERDICTS
from monitors.evidence.extent import Extent
from monitors.evidence.kind import KINDS
from monitors.evidence.reads import Scope
from monitors.model import Model
from monitors.reference.derive import Options, derive
from storage.facts.panes import Panes
from tests.acceptance.backend import Backend
from tests.ownership.scene import START, predict, settle

X = (-1.5, 0.25, None, 7.0, 100.5, "text", 3.0, 0.0)
C = ("a", "b", "new", "newer", None, "a", "b", "new")
ALL = {"all": range(8), "c=a": (0, 5), "c=other": (2, 3, 7)}


def event(day: int, row: int) -> tuple[Any, Any]:
    """The values of x and c in a row of a day."""
    x = X[row]
    return (x + day if isinstance(x, float) else x), C[row]


def rows_of(days: range, segment: str) -> list[tuple[Any, Any]]:
    """The events of some days: day d has the first d + 5 events."""
    return [event(day, row) for day in days for row in range(day + 5) if row in ALL[segment]]


@pytest.fixture
def scope(backend: Backend, model: str) -> Scope:
    """Four days of events, and the scope in which evidence is read."""
    held = backend.contracts[model]
    x = msgspec.structs.replace(held.features[0], tails=(-1.0, 50.0), range=(0.0, 7.5))
    backend.contracts[model] = msgspec.structs.replace(held, features=(x, held.features[1]))
    for day in range(4):
        for row in range(day + 5):
            predict(backend, model, 1, 5, f"{day}-{row}", day=day, hour=row, features=dict(zip("xc", event(day, row), strict=True)))
    settle(backend, model)
    return Scope(Model(backend.contracts[model], None), tuple(ALL), ("", "c"), ("x", "c"))


def read(backend: Backend, scope: Scope, kind: type[Any], column: str, spans: Spans) -> Any:
    """The evidence of spans."""
    reads = Evaluate(Panes(backend.engine), None, None, None).reads(scope)  # type: ignore[arg-type]
    (found,) = KINDS[kind].read(reads, Extent.of(spans), column, [[spans]])
    return found


def test_moments_of_windows_are_those_of_their_rows(backend: Backend, scope: Scope) -> None:
    """Also in overlapping windows and in each segment; null and invalid values count in n only."""
    spans = Spans.of([(START + day * moment.DAY, START + (day + 2) * moment.DAY) for day in range(3)])
    found: Moments = read(backend, scope, Moments, "x", spans)
    sums: Sums = read(backend, scope, Sums, "x", spans)
    tails: Tails = read(backend, scope, Tails, "x", spans)
    for at, segment in np.ndindex(3, len(ALL)):
        rows = rows_of(range(at, at + 2), tuple(ALL)[segment])
        numbers = np.array([x for x, _ in rows if isinstance(x, float)])
        place = (at, segment)
        assert (int(found.n[place]), int(found.finite[place]), bool(found.known[place])) == (len(rows), len(numbers), True)
        assert (found.low[place], found.high[place]) == (min(numbers, default=np.inf), max(numbers, default=-np.inf))
        assert found.outside[place] == ((numbers < 0) | (numbers > 7.5)).sum()
        assert tails.n[place] == len(rows)
        for one in (sums, tails):
            assert (one.below[place], one.above[place]) == ((numbers < -1).sum(), (numbers > 50).sum())
        bins = [numbers[numbers < 0], numbers[(numbers >= 0) & (numbers < 1)], numbers[numbers >= 1]]
        assert sums.sums[place].tolist() == pytest.approx([*(one.sum() for one in bins), 0, 0])
        assert sums.counts[place][:3].tolist() == [len(one) for one in bins]
        assert [found.total[place], found.absolute[place]] == pytest.approx([numbers.sum(), np.abs(numbers).sum()])
        assert found.mean[place] == pytest.approx(numbers.mean(), nan_ok=True)
        expected = numbers.var(ddof=1) if len(numbers) > 1 else np.nan
        assert found.variance[place] == pytest.approx(expected, nan_ok=True)


def test_distinct_values_of_windows_are_those_of_their_rows(backend: Backend, scope: Scope) -> None:
    """With a bin of their own or without; null does not count."""
    spans = Spans.of([(START + day * moment.DAY, START + (day + 2) * moment.DAY) for day in range(3)])
    found: Distinct = read(backend, scope, Distinct, "c", spans)
    for at, segment in np.ndindex(3, len(ALL)):
        rows = rows_of(range(at, at + 2), tuple(ALL)[segment])
        assert found.distinct[at, segment] == len({c for _, c in rows if c is not None})


def test_the_reference_has_the_same_evidence() -> None:
    """The evidence of the reference is that of its rows; the variance stays exact if numbers are far from zero."""
    x = np.random.default_rng(5).normal(1e9, 2.0, 4_000)
    table = pa.table({"x": x, "c": [f"v{row % 700}" for row in range(4_000)], "prediction": [row % 2 for row in range(4_000)]})
    model = Model(*derive("m", table, Options.of({"task": "binary"})))
    scope = Scope(model, ("all",), ("",), ("x", "c"))
    found: Moments = KINDS[Moments].reference(scope, "x")
    assert found.mean.item() == pytest.approx(x.mean(), rel=1e-15)
    assert found.variance.item() == pytest.approx(x.var(ddof=1), rel=1e-9)
    assert found.outside.item() == 0
    assert KINDS[Distinct].reference(scope, "c").distinct.item() == pytest.approx(700, abs=8)
    sums: Sums = KINDS[Sums].reference(scope, "x")
    assert sums.sums.sum() == pytest.approx(x.sum())
    tails: Tails = KINDS[Tails].reference(scope, "x")
    for one in (sums, tails):
        assert (one.n.item(), one.below.item(), one.above.item()) == (4_000, (x < np.quantile(x, 0.01, method="inverted_cdf")).sum(), 40)


def test_moments_of_panes_from_before_are_not_known(backend: Backend, model: str) -> None:
    """Then the variance is unknown, and not wrong."""
    predict(backend, model, 1, 5, "a")
    settle(backend, model)
    backend.engine.command("ALTER TABLE panes UPDATE measured = 0 WHERE model = {m:String} SETTINGS mutations_sync = 1", {"m": model})
    scope = Scope(Model(backend.contracts[model], None), ("all",), ("",), ("x", "c"))
    found: Moments = read(backend, scope, Moments, "x", Spans.of([(START, START + moment.DAY)]))
    assert (bool(found.known.item()), bool(np.isnan(found.variance.item()))) == (False, True)


@pytest.mark.parametrize(
    ("measure", "column", "reason"),
    [
        ("drift.ks", "c", "drift.ks is for numeric columns"),
        ("quality.new_categories", "x", "quality.new_categories is for categorical columns"),
        ("drift.wasserstein", "x", "the contract has no spread of a reference in this column to divide by"),
        ("drift.mean_shift", "x", "the contract has no spread of a reference in this column to divide by"),
        ("quality.constant", "@status", "no values"),
    ],
)
def test_a_column_that_a_measure_cannot_serve_says_why(backend: Backend, scope: Scope, measure: str, column: str, reason: str) -> None:
    """Its readings are not estimable, with the reason; n is told all the same."""
    windows = Spans.of([(START + day * moment.DAY, START + (day + 1) * moment.DAY) for day in range(1, 4)])
    baseline = Previous() if measure.startswith("drift.") else None
    monitor = Monitor(
        name="w", model="m", measure=measure, columns=(column,), window=Tumbling(moment.DAY), baseline=baseline, min_samples=1
    )
    evaluate = Evaluate(Panes(backend.engine), None, None, None)  # type: ignore[arg-type]
    frame = evaluate(monitor, windows, evaluate.reads(dataclasses.replace(scope, columns=("x", "c", "@status"))))
    assert frame.n_target[:, 0, 0].tolist() == [6, 7, 8]
    assert {VERDICTS[code] for code in frame.verdict[:, 0, 0]} == {"not_estimable"}
    assert set(frame.reason[:, 0, 0]) == {reason}
    assert np.isnan([frame.value, frame.lower, frame.upper]).all()


def test_evidence_is_of_its_own_window_column_and_segment(backend: Backend, scope: Scope) -> None:
    """The shares of each reading are those of its own rows, whichever readings are written."""
    windows = Spans.of([(START + day * moment.DAY, START + (day + 1) * moment.DAY) for day in range(1, 4)])
    monitor = Monitor(
        name="w", model="m", measure="drift.total_variation", columns=("c", "x"), segments=("all", "c"), baseline=Previous(), min_samples=1
    )
    evaluate = Evaluate(Panes(backend.engine), None, None, None)  # type: ignore[arg-type]
    frame = evaluate(monitor, windows, evaluate.reads(scope))
    mask = np.zeros(frame.value.shape, np.bool_)
    mask[1:, :, 0] = mask[2, 0, 1:] = True
    held = list(frame.readings(mask, np.ones(mask.shape, np.int64)))
    written = frame.table(mask, np.ones(mask.shape, np.int64), 0, 0)
    told = {(item["column"], item["segment"], item["window_start"]): item["evidence"] for item in written.to_pylist()}
    for reading in held:
        assert msgspec.json.decode(told[reading.column, reading.segment, reading.window_start]) == reading.evidence
        if reading.column == "c" and reading.value:
            day = (reading.window_start - START) // moment.DAY
            now = [c for _, c in rows_of(range(day, day + 1), reading.segment)]
            for one in reading.evidence["contributions"]:
                others: dict[str, list[Any]] = {"unseen": ["new", "newer"], "null": [None]}
                names = others.get(one["category"], [one["category"]])
                assert one["target"] == pytest.approx(sum(c in names for c in now) / len(now))
    assert any(reading.evidence for reading in held)


def test_labels_have_counts_and_nothing_else(backend: Backend, scope: Scope) -> None:
    """Of classes: sums, moments and a sketch of labels are not kept: they are not known, and say so; n is told."""
    spans = Spans.of([(START, START + moment.DAY)])
    for kind in (Sums, Tails, Moments, Distinct):
        found = read(backend, scope, kind, "@label", spans)
        assert found.n.tolist() == [[0.0] * len(ALL)]
        assert "labels" in found.unknown
