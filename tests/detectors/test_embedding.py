"""`drift.embedding` on raw vectors: against the kernel itself, against plain numpy, and under its own law."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from core.block import Categories, Floats, Vectors
from core.contract import Column, Task
from core.segment import Segments
from detectors import catalogue
from detectors.dispersion import Dispersion, p_value
from detectors.drift.embedding import SPEC, EmbeddingParams
from detectors.evidence import VectorSums
from detectors.spec import Result
from detectors.summary.panes import PaneRows
from detectors.summary.vector_column import embedding, names, profiled, states, statistics, sums
from tests.detectors.blocks import contract


def drawn(rows: int, size: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> Vectors:
    return np.random.default_rng(seed).normal(shift, scale, (rows, size)).astype(np.float32)


def side(column: Column, vectors: Vectors) -> VectorSums:
    """The sums of vectors, as panes hold them."""
    rows = len(vectors)
    one = Categories(np.zeros(rows, np.int32), [""])
    plain = msgspec.structs.replace(contract(Task.BINARY), dimensions=(), crosses=())
    panes = PaneRows.of(plain, Segments(plain), np.zeros(rows, np.int64), one, one, {})
    held = states(vectors, np.zeros(rows, np.bool_))
    return VectorSums(
        np.array([float(rows)]), sums(panes, column, vectors, statistics(column, vectors, held)).astype(np.float64), embedding(column)
    )


def result(target: VectorSums, baseline: VectorSums, of: str) -> Result:
    found: Result = SPEC.compute(target, baseline, msgspec.convert({"of": of}, EmbeddingParams))
    return found


def value(target: VectorSums, baseline: VectorSums, of: str) -> float:
    return float(result(target, baseline, of).value[0])


def kernel(x: Floats, y: Floats, bandwidth: float) -> float:
    """The unbiased squared MMD of a Gaussian kernel, by all pairs."""

    def mean(a: Floats, b: Floats, same: bool) -> float:
        held = np.exp(-cdist(a, b, "sqeuclidean") / (2 * bandwidth**2))
        return float((held.sum() - len(a)) / (len(a) * (len(a) - 1)) if same else held.mean())

    return mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False)


@pytest.mark.parametrize("size", [2, 20, 64])
@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.4, 1.0), (0.0, 1.5), (2.0, 0.5)])
def test_the_discrepancy_is_that_of_the_kernel(size: int, shift: float, scale: float) -> None:
    """Within what 128 random features are off: a few hundredths of the kernel's largest value."""
    reference, window = drawn(1_500, size, 1), drawn(800, size, 2, shift, scale)
    column = profiled("e", reference)
    known = embedding(column)
    x, y = ((one.astype(np.float64) - np.array(known.center)) / known.scale for one in (window, reference))
    found = value(side(column, window), side(column, reference), "mmd")
    assert found == pytest.approx(kernel(x, y, known.bandwidth), abs=0.05, rel=0.3)


@pytest.mark.parametrize("size", [3, 64, 500])
def test_shifts_are_those_of_numpy(size: int) -> None:
    """Of means, within what the projection of long vectors keeps; of lengths and distances, in standard deviations of the reference."""
    reference, window = drawn(2_000, size, 1), drawn(1_000, size, 2, 0.3, 1.1)
    column = profiled("e", reference)
    target, baseline = side(column, window), side(column, reference)
    apart = np.linalg.norm(window.mean(0) - reference.mean(0)) / np.sqrt(reference.var(0).sum())
    assert value(target, baseline, "mean_shift") == pytest.approx(apart, rel=0.35 if size > 64 else 0.05)
    for of, name in zip(("norm_shift", "nearest_reference"), names("e"), strict=True):
        held = [statistics(column, one, states(one, np.zeros(len(one), np.bool_)))[name] for one in (window, reference)]
        mean, deviation = getattr(embedding(column), name.rpartition(":")[2])
        assert value(target, baseline, of) == pytest.approx((held[0].mean() - held[1].mean()) / deviation, abs=2e-3)
        assert value(target, baseline, of) > 0.2
        assert deviation == pytest.approx(held[1].std(), rel=0.05)
        assert mean == pytest.approx(held[1].mean(), rel=0.05)


@pytest.mark.parametrize("of", ["mmd", "mean_shift", "norm_shift", "nearest_reference"])
def test_p_is_uniform_where_nothing_moved_and_small_where_something_did(of: str) -> None:
    """250 windows of 200 vectors each against 2,000 others: as many p-values below 0.05 as there may be by chance. A shift of every kind is found."""
    column = profiled("e", drawn(2_000, 16, 1))
    baseline = side(column, drawn(2_000, 16, 99))
    known = Dispersion.none((1,))

    def p(window: Vectors) -> float:
        law = result(side(column, window), baseline, of).law
        assert law is not None
        return float(p_value(law, known)[0])

    found = np.array([p(drawn(200, 16, 1_000 + place)) for place in range(250)])
    assert 0.01 <= (found < 0.05).mean() <= 0.1
    assert 0.4 < found.mean() < 0.6
    assert p(drawn(200, 16, 7, 0.3, 1.2)) < 1e-4


def test_statistics_have_the_mean_one_where_nothing_moved() -> None:
    """So that a dispersion can be told from their mean."""
    column = profiled("e", drawn(2_000, 100, 1))
    baseline = side(column, drawn(1_000, 100, 3))
    for of in ("mmd", "mean_shift", "norm_shift", "nearest_reference"):
        laws = [result(side(column, drawn(150, 100, 2_000 + place)), baseline, of).law for place in range(200)]
        assert np.mean([law.statistic[0] for law in laws if law]) == pytest.approx(1.0, abs=0.2), of


def test_what_has_no_value_says_why() -> None:
    """Fewer than two vectors on a side; and vectors that are all alike have moved by nothing."""
    column = profiled("e", drawn(100, 4, 1))
    known, one = side(column, drawn(50, 4, 2)), side(column, drawn(1, 4, 3))
    for of in ("mmd", "mean_shift", "norm_shift", "nearest_reference"):
        found = result(one, known, of)
        assert np.isnan(found.value).all()
        assert found.why is not None
        assert found.why[0] == "a side has less than two vectors"
    alike = profiled("e", np.ones((40, 3), np.float32))
    same = side(alike, np.ones((30, 3), np.float32))
    assert value(same, same, "mmd") == pytest.approx(0.0, abs=1e-6)
    assert result(same, same, "mmd").law is not None


def test_an_unknown_kind_is_refused() -> None:
    """With those that there are."""
    spec: Any = catalogue.spec("drift.embedding")
    with pytest.raises(msgspec.ValidationError, match="of"):
        msgspec.convert({"of": "cosine"}, spec.params)
