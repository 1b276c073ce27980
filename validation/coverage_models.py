"""Coverage of the intervals of performance, its estimates, uncertainty and fairness, by the measures themselves on simulated windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from scipy.special import ndtr

from core.block import Floats
from core.contract import Column, Kind, Task
from detectors import catalogue
from detectors.by_group import LossesByGroup, PredictionsByGroup
from detectors.certainty import Signals
from detectors.estimate import ClassScores, Predicted
from detectors.evidence import Confusion, Counts, Losses, LossSums, Moments, Scores
from detectors.expected_error import AbsoluteErrors, RowErrors
from detectors.sample import FOLDS
from validation.cell import Cell, bounds, covered
from validation.stream import Generator

_CLASS = Column(name="@prediction", kind=Kind.CATEGORICAL, categories=("0", "1"))
_BINS = 40  # of scores


def cells(rng: Generator, draws: int) -> Iterator[Cell]:
    """The grid of every kind."""
    yield from _areas(rng, max(draws // 4, 50))
    yield from _means(rng, max(draws // 4, 50))
    yield from _transforms(rng, draws)
    yield from _gaps(rng, max(draws // 4, 50))
    yield from _errors_of_groups(rng, max(draws // 4, 50))
    yield from _estimates(rng, max(draws // 8, 50))
    yield from _expected_errors(rng, max(draws // 8, 50))


def _areas(rng: Generator, draws: int) -> Iterator[Cell]:
    """Normal scores of both classes, so far apart."""
    spec = catalogue.spec("performance.roc_auc")
    for n, share, apart in ((n, share, apart) for n in (100, 1_000) for share in (0.1, 0.3, 0.5) for apart in (0.2, 1.0, 2.0)):
        positive = int(n * share)
        x, y = rng.normal(apart, size=(draws, positive)), rng.normal(size=(draws, n - positive))
        places = np.concatenate([x, y], axis=1).argsort(1).argsort(1)[:, :positive] + 1.0
        area = (places.sum(1) - positive * (positive + 1) / 2) / (positive * (n - positive))
        each = np.full(draws, float(n))
        found = spec.compute(Scores(each, each, area, np.full(draws, float(positive))), None, spec.params())
        truth = float(ndtr(apart / np.sqrt(2)))
        yield Cell("performance.roc_auc", f"n {n:,}, {share:.0%} positive, area {truth:.2f}", covered(bounds(found), truth), positive >= 5)


def _means(rng: Generator, draws: int) -> Iterator[Cell]:
    spec = catalogue.spec("uncertainty.confidence")
    column = Column(name="@confidence", kind=Kind.NUMERIC, edges=(0.5,))
    for n, a, b in ((n, a, b) for n in (50, 300, 1_000) for a, b in ((2.0, 2.0), (8.0, 2.0), (20.0, 1.0))):
        x = rng.beta(a, b, (draws, n))
        many, nothing = np.full(draws, float(n)), np.zeros(draws)
        square = ((x - column.middle) ** 2).sum(1)
        held = Moments(many, many, many, x.sum(1), square, x.sum(1), x.min(1), x.max(1), nothing, column=column)
        found = spec.compute(Signals(many, {"@confidence": held}, Task.BINARY), None, spec.params())
        yield Cell("means of signals (Student)", f"n {n:,}, beta {a:g}, {b:g}", covered(bounds(found), a / (a + b)))


def _transforms(rng: Generator, draws: int) -> Iterator[Cell]:
    """Intervals of 80 %, of which labels are below, inside and above with these shares."""
    spec = catalogue.spec("uncertainty.pit_uniformity")
    for n, shares in ((n, shares) for n in (200, 1_000) for shares in ((0.1, 0.8, 0.1), (0.2, 0.7, 0.1), (0.05, 0.6, 0.35))):
        below, inside, _ = rng.multinomial(n, shares, draws).T.astype(np.float64)
        many = np.full(draws, float(n))
        sums = {"below_interval": LossSums(many, below, below), "in_interval": LossSums(many, inside, inside)}
        found = spec.compute(Losses(many, sums), None, spec.params(level=0.8))
        truth = max(abs(shares[0] - 0.1), abs(shares[0] + shares[1] - 0.9))
        yield Cell("uncertainty.pit_uniformity", f"n {n:,}, shares {shares}", covered(bounds(found), truth))


def _gaps(rng: Generator, draws: int) -> Iterator[Cell]:
    """Selection rates of some groups of equal size."""
    for name in ("fairness.demographic_parity_difference", "fairness.demographic_parity_ratio"):
        spec = catalogue.spec(name)
        for rates, n in ((rates, n) for rates in ((0.3, 0.3), (0.2, 0.4), (0.3,) * 5, (0.1, 0.2, 0.2, 0.3)) for n in (100, 1_000)):
            counts = np.zeros((draws, 1, len(rates), 6))
            counts[:, 0, :, 1] = rng.binomial(n, rates, (draws, len(rates)))
            counts[:, 0, :, 0] = n - counts[:, 0, :, 1]
            names = tuple(f"g={place}" for place in range(len(rates)))
            evidence = PredictionsByGroup(names, Counts(counts, _CLASS, np.arange(6)), counts.sum(-1))
            found = spec.compute(evidence, None, msgspec.convert({"positive": "1"}, spec.params))
            truth = min(rates) / max(rates) if name.endswith("ratio") else max(rates) - min(rates)
            yield Cell(name, f"{n:,} rows a group, rates {_listed(rates)}", covered(bounds(found), truth))


def _errors_of_groups(rng: Generator, draws: int) -> Iterator[Cell]:
    """Exponential errors of some groups."""
    spec = catalogue.spec("fairness.error_gap")
    for means, n in ((means, n) for means in ((1.0, 1.0), (1.0, 1.5), (1.0, 1.0, 1.0, 2.0)) for n in (100, 1_000)):
        x = rng.exponential(np.array(means)[:, None], (draws, 1, len(means), n))
        many = np.full((draws, 1, len(means)), float(n))
        sums = {"absolute": LossSums(many, x.sum(-1), (x**2).sum(-1))}
        evidence = LossesByGroup(tuple(f"g={place}" for place in range(len(means))), Losses(many, sums), many)
        found = spec.compute(evidence, None, spec.params())
        yield Cell("fairness.error_gap", f"{n:,} rows a group, means {_listed(means)}", covered(bounds(found), max(means) - min(means)))


def _estimates(rng: Generator, draws: int) -> Iterator[Cell]:
    """What labels of a window give, beside the interval that was there before them; each window has a reference of its own."""
    for n, known, slope in ((n, known, slope) for n in (300, 2_000) for known in (3_000, 20_000) for slope in (3.0, 8.0)):
        held: dict[str, list[bool]] = {"accuracy": [], "f1": [], "roc_auc": []}
        for _ in range(draws):
            target = _scored(rng, n, slope, _labelled(rng, known, slope)[1])
            for name, hits in held.items():
                spec = catalogue.spec(f"performance.estimated_{name}")
                found = spec.compute(target, None, spec.params())
                realised = float(found.evidence((np.zeros(1, np.intp), np.zeros(1, np.intp)))[0]["realised"]) if found.evidence else np.nan
                lower, upper = bounds(found)
                hits.append(bool(lower[0, 0] <= realised <= upper[0, 0]))
        for name, hits in held.items():
            yield Cell(f"performance.estimated_{name}", f"n {n:,}, reference {known:,}, slope {slope:g}", float(np.mean(hits)))


def _labelled(rng: Generator, n: int, slope: float) -> tuple[Any, Floats]:
    """Rows by bin of score and label: the places and labels, and the rows of the class and of others (2, bins)."""
    place = rng.integers(0, _BINS, n)
    label = rng.random(n) < 1 / (1 + np.exp(-slope * (place / _BINS - 0.5)))
    return (place, label), np.stack([np.bincount(place[label == side], minlength=_BINS) for side in (True, False)]).astype(np.float64)


def _scored(rng: Generator, n: int, slope: float, known: Floats) -> Predicted:
    """A window whose labels have all come."""
    (place, label), truth = _labelled(rng, n, slope)
    said = place >= _BINS / 2
    counts = np.stack([np.bincount(place[said == side], minlength=_BINS) for side in (False, True)]).astype(np.float64)
    right, named, true = (
        np.array([[[float(one.sum()) for one in both]]]) for both in ((~said & ~label, said & label), (~said, said), (~label, label))
    )
    every, scores = np.full((1, 1), float(n)), ClassScores(counts[None, None], truth[0][None, None], truth[1][None, None], known[None], 1)
    labelled = Confusion(every, ("0", "1"), right, named, true, positive=1)
    outside = {"scores": (np.zeros((1, 1)), 0.0)}
    return Predicted(every, every, every, binary=True, classes=(scores,), labelled=labelled, labels=every, outside=outside)


def _expected_errors(rng: Generator, draws: int) -> Iterator[Cell]:
    """Normal errors of which trees know the scale, half of the rows 1 and half 3: what labels give, beside the interval."""
    spec, every = catalogue.spec("performance.estimated_mae"), np.ones
    for n in (100, 500, 5_000):
        hits = []
        for _ in range(draws):
            scale = np.where(rng.random(n) < 0.5, 1.0, 3.0)
            error, one = np.abs(rng.normal(size=n)) * scale, np.full((1, 1), float(n))
            rows = RowErrors.of(np.tile(scale * np.sqrt(2 / np.pi), (FOLDS, 1)), every((n, 1), np.bool_))
            gone, realised = np.zeros((1, 1), np.bool_), np.full((1, 1), error.mean())
            target = AbsoluteErrors(one, rows, rows, realised, np.pi / 2 - 1, {}, 1_000, gone)
            lower, upper = bounds(spec.compute(target, None, spec.params()))
            hits.append(bool(lower[0, 0] <= error.mean() <= upper[0, 0]))
        yield Cell("performance.estimated_mae, errors as expected", f"n {n:,}", float(np.mean(hits)))


def _listed(numbers: tuple[float, ...]) -> str:
    return " ".join(f"{one:g}" for one in numbers)
