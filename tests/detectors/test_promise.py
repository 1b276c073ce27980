"""What intervals and ensembles say of labels, and bets against promised coverage, against scikit-learn or plain Python on the raw rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from core.block import Categories, Floats, Outcomes
from core.contract import Column, Contract, Kind, Roles, Task
from core.error import ConfigError
from core.region import ENSEMBLE, INTERVAL, ensembles
from core.segment import Segments
from detectors import catalogue
from detectors.certainty import Coverages
from detectors.evidence import Losses, LossSums
from detectors.spec import Result
from detectors.summary.loss import LOSSES, TENTHS, LossRows, losses_of
from detectors.summary.performance import PerformanceSummary
from monitors.reference.derive import Options, derive
from tests.detectors import blocks
from tests.oracle import promise

BLOCKS = blocks.outcomes(Task.REGRESSION)
WINDOWS = st.lists(st.integers(0, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=3, max_size=3)
FIRST = (np.array([0]), np.array([0]))


def contract(*signals: str) -> Contract:
    """A regression whose events have intervals of 80 %, or ensembles."""
    columns = tuple(Column(name=name, kind=Kind.NUMERIC) for name in signals)
    return msgspec.structs.replace(blocks.contract(Task.REGRESSION), signals=columns, roles=Roles(interval=("low", "high", 0.8)))


def _one(number: float) -> Floats:
    """A block of one place."""
    return np.full((1, 1), float(number))


def losses(of: Contract, rows: Outcomes) -> Losses:
    """The evidence of some rows."""
    found = {}
    for name in losses_of(of):
        values = LOSSES[name].of(LossRows(of, rows))
        held = values[~np.isnan(values)]
        found[name] = LossSums(_one(len(held)), _one(held.sum()), _one((held**2).sum()))
    return Losses(np.full((1, 1), float(len(rows))), found)


def result(name: str, of: Contract, rows: Outcomes, **params: Any) -> tuple[Result, float]:
    """What a measure says, with settled params, and how many rows count."""
    spec, side = catalogue.spec(f"uncertainty.{name}"), losses(of, rows)
    found: Result = spec.compute(side, None, spec.settle(msgspec.convert(params, spec.params), of))
    return found, spec.counted(side).item()


def labels(rows: Outcomes) -> list[int]:
    """The rows with a finite label and prediction."""
    return [row for row in range(len(rows)) if np.isfinite([rows.label[row], rows.prediction[row]]).all()]  # type: ignore[index]


def _outcomes(label: Floats, members: Floats) -> Outcomes:
    """Rows with these labels and ensembles."""
    same, nothing = Categories(np.zeros(len(label), np.int32), ["1"]), np.full(len(label), np.nan)
    return Outcomes(np.zeros(len(label), np.int64), same, same, {}, np.zeros(len(label)), label, nothing, None, ensemble=members)


@given(BLOCKS)
def test_the_loss_of_bounds_is_the_pinball_loss_of_scikit_learn(rows: Outcomes) -> None:
    """Of each bound as a quantile, and of both bounds at the level of the contract."""
    assert rows.interval is not None
    lower, upper = rows.interval
    held = [row for row in labels(rows) if np.isfinite(lower[row])]
    wanted = {
        q: mean_pinball_loss(np.asarray(rows.label)[held], bound[held], alpha=q) if held else None
        for q, bound in ((0.1, lower), (0.9, upper))
    }
    for params, quantiles in (({"q": 0.1}, (0.1,)), ({"q": 0.9}, (0.9,)), ({}, (0.1, 0.9)), ({"level": 0.8}, (0.1, 0.9))):
        found, n = result("quantile_loss", contract(INTERVAL), rows, **params)
        assert n == (len(held) or len(rows))
        if held:
            assert found.value.item() == pytest.approx(np.mean([wanted[q] for q in quantiles]), abs=1e-12)
        else:
            assert np.isnan(found.value).all()


@given(BLOCKS)
def test_the_transform_of_a_label_is_its_rank_among_the_members(rows: Outcomes) -> None:
    """Spread evenly over the places that it may have, as plain Python counts them; the value is the largest distance from the tenths."""
    ranks = []
    for row in labels(rows):
        members = [float(one) for one in rows.ensemble[row] if not math.isnan(one)]  # type: ignore[index]
        label = float(np.asarray(rows.label)[row])
        if members:
            ranks.append(
                (sum(one < label for one in members) / (len(members) + 1), (sum(one <= label for one in members) + 1) / (len(members) + 1))
            )
    shares = {u: [min(max((u - low) / (high - low), 0.0), 1.0) for low, high in ranks] for u in TENTHS}
    found, n = result("pit_uniformity", contract(ENSEMBLE), rows)
    assert n == (len(ranks) or len(rows))
    if not ranks:
        assert np.isnan(found.value).all()
        return
    assert found.value.item() == pytest.approx(max(abs(np.mean(one) - u) for u, one in shares.items()), abs=1e-12)
    assert found.evidence is not None
    (said,) = found.evidence(FIRST)
    assert [point["share"] for point in said["curve"]] == pytest.approx([np.mean(one) for one in shares.values()], abs=1e-12)


@given(BLOCKS)
def test_intervals_tell_the_transform_at_both_ends(rows: Outcomes) -> None:
    """The shares of labels below the lower bound, and up to the upper one, against 10 % and 90 %."""
    assert rows.interval is not None
    lower, upper = rows.interval
    held = [row for row in labels(rows) if np.isfinite(lower[row])]
    found, _ = result("pit_uniformity", contract(INTERVAL), rows)
    if held:
        label = np.asarray(rows.label)[held]
        off = (np.mean(label < lower[held]) - 0.1, np.mean(label <= upper[held]) - 0.9)
        assert found.value.item() == pytest.approx(max(map(abs, off)), abs=1e-12)


def test_labels_that_are_draws_like_the_members_have_a_uniform_transform() -> None:
    """Of 20,000 rows with ensembles of 1 to 7 members; of members that are half as far apart as labels the value is large, and its interval excludes 0."""
    rng, rows = np.random.default_rng(5), 20_000
    counts = rng.integers(1, 8, rows)
    members, label = ensembles(rng.normal(size=int(counts.sum())), counts), rng.normal(size=rows)
    for scale, least, most in ((1.0, 0.0, 0.011), (0.5, 0.05, 0.3)):
        found, _ = result("pit_uniformity", contract(ENSEMBLE), _outcomes(label, members * scale))
        assert found.interval is not None
        assert least <= found.value.item() <= most
        assert (found.interval(np.ones(1))[0].item() > 0) is (scale != 1.0)


@given(BLOCKS, BLOCKS)
def test_panes_of_two_blocks_add_up_to_those_of_both(one: Outcomes, other: Outcomes) -> None:
    """The losses of bounds and of ranks, too: their sums are exact for such numbers, ranks to rounding."""
    of = contract(INTERVAL, ENSEMBLE)
    parts = [PerformanceSummary.of(of, Segments(of), block) for block in (one, other)]
    merged, together = parts[0].merge(parts[1]), PerformanceSummary.of(of, Segments(of), blocks.concat(one, other))
    keys = ("slot", "version", "role", "segment")
    found, wanted = ({tuple(row[key] for key in keys): row for row in table.to_columns().to_pylist()} for table in (merged, together))
    assert found.keys() == wanted.keys()
    for key, row in found.items():
        sums = [dict(zip(one["loss"], zip(one["loss_count"], one["loss_sum"], strict=True), strict=True)) for one in (row, wanted[key])]
        assert sums[0].keys() == sums[1].keys()
        for name, both in sums[0].items():
            assert both == pytest.approx(sums[1][name], abs=1e-9)


def test_a_reference_tells_where_labels_lie_among_its_members() -> None:
    """Its columns are the members; a row with an invalid one has no ensemble, one without a member has the others."""
    table = pa.table(
        {
            "prediction_id": list("abcd"), "x": [1.0, 2.0, 3.0, 4.0], "prediction": [0.0] * 4, "label": [1.5, 0.5, 1.0, 2.0],
            "m1": [1.0, 1.0, math.inf, None], "m2": [2.0, 2.0, 1.0, 1.0],
        }
    )  # fmt: skip
    _, summary = derive("m", table, Options.of({"task": "regression", "features": ["x"], "ensemble_prefix": "m"}))
    (row,) = summary.performance.to_columns().to_pylist()
    place = row["loss"].index("below_0.5")
    # Ranks: the second of 3 places, the first of 3, none, the second of 2.
    assert (row["loss_count"][place], row["loss_sum"][place]) == (3, pytest.approx(0.5 + 1.0 + 0.0))


def test_what_bounds_are_to_be_must_be_known() -> None:
    """The contract's level, or what the monitor says; ensembles need none."""
    plain, levelled = blocks.contract(Task.REGRESSION), contract(INTERVAL)
    loss, pit = (catalogue.spec(f"uncertainty.{name}") for name in ("quantile_loss", "pit_uniformity"))
    assert (loss.settle(loss.params(), levelled).level, pit.settle(pit.params(), levelled).level) == (0.8, 0.8)
    assert pit.settle(pit.params(), contract(ENSEMBLE)).level is None
    for spec in (loss, pit):
        with pytest.raises(ConfigError, match="does not say which"):
            spec.settle(spec.params(), plain)
    with pytest.raises(ConfigError, match="median"):
        loss.settle(loss.params(q=0.5), levelled)
    with pytest.raises(ConfigError, match="both `q` and `level`"):
        loss.settle(loss.params(q=0.1, level=0.8), levelled)


def test_a_contract_without_intervals_and_ensembles_keeps_no_such_losses() -> None:
    """Its panes stay as they are, and its readings have no value."""
    of = blocks.contract(Task.REGRESSION)
    assert not [name for name in losses_of(of) if name.startswith(("below", "lower", "upper"))]
    side = Losses(np.full((1, 1), 9.0), {})
    for name, params in (("quantile_loss", {"q": 0.9}), ("pit_uniformity", {"level": 0.9})):
        spec = catalogue.spec(f"uncertainty.{name}")
        assert np.isnan(spec.compute(side, None, msgspec.convert(params, spec.params)).value).all()


@given(WINDOWS, st.sampled_from([{}, {"together": 1}, {"together": 4}, {"tolerance": 0.0}, {"promise": 0.99}]))
def test_bets_win_what_plain_arithmetic_gives(windows: list[tuple[int, int]], more: dict[str, Any]) -> None:
    """Of three windows, some without labels. Without labels in the last one there is no value."""
    sides = [Coverages(_one(n + 1), _one(held), _one(n)) for held, n in windows]
    spec = catalogue.spec("uncertainty.adaptive_coverage")
    params = msgspec.convert({"promise": 0.9, "windows": 3} | more, spec.params)
    assert spec.earlier(params) == 2
    found = spec.compute(replace(sides[0], earlier=tuple(sides[1:])), None, params)
    if not windows[0][1]:
        assert np.isnan(found.value).all()
        return
    assert found.value.item() == pytest.approx(promise.won(windows, {"promise": 0.9} | more), rel=1e-9)


def test_evidence_says_since_when_coverage_is_off() -> None:
    """Five windows at 90 %, then three at 60 %: the bets that won most were made before these three."""
    shares = [60.0, 60.0, 60.0, *[90.0] * 5]
    sides = [Coverages(_one(100), _one(held), _one(100)) for held in shares]
    spec = catalogue.spec("uncertainty.adaptive_coverage")
    found = spec.compute(replace(sides[0], earlier=tuple(sides[1:])), None, spec.params(promise=0.9, windows=8, together=1))
    assert found.value.item() > 1_000
    assert found.evidence is not None
    assert found.evidence(FIRST) == [{"promise": 0.9, "measured": 100, "since_windows": 3, "coverage": 0.6, "side": "low"}]
