"""The split of a performance change: what the mix of rows makes, what the rule from rows to truth makes, and what cannot be told.

The harm that rows of each kind had in the baseline is learned by boosted trees. Where the target's rows are as bad as such rows were, the mix moved (covariate); what they are
worse than that, the rule moved (concept). Rows with values that the baseline hardly has cannot be compared: what they add is unexplained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from core.block import Floats, Ints
from detectors.cause.rows import Flags, Rows

TREES, DEPTH, RATE = 40, 3, 0.2
LEAST = 40  # rows in a leaf
KNOWN = 20  # rows of a value in the baseline, from which its rows can be compared
_DRAWN = 20_000  # rows of the baseline that are learned from

Predict = Callable[[Ints], Floats]


@dataclass(frozen=True)
class Split:
    """The parts of a change in its own unit; they sum to it."""

    covariate: float
    concept: float
    unexplained: float

    def scaled(self, by: float) -> Split:
        """The parts, each times a number."""
        return Split(self.covariate * by, self.concept * by, self.unexplained * by)


def split(target: Rows, baseline: Rows) -> Split | None:
    """The split of the change of the mean harm; None without rows enough.

    The baseline is learned in two halves, and each half is compared by what the other taught: so the baseline's expected harm is that of rows that were not learned from.
    """
    if len(baseline) < 4 * LEAST or len(target) < LEAST:
        return None
    codes, harm = baseline.codes[:, :_DRAWN], baseline.harm[:_DRAWN]
    half = np.arange(len(harm)) % 2 == 0
    learned = [learn(codes[:, part], harm[part]) for part in (half, ~half)]
    usual = float(np.concatenate([learned[0](codes[:, ~half]), learned[1](codes[:, half])]).mean())
    expected = sum(one(target.codes) for one in learned) / len(learned)
    known = comparable(target.codes, baseline.codes)
    change = float(target.harm.mean() - baseline.harm.mean())
    covariate = float(np.where(known, expected - usual, 0.0).mean())
    concept = float(np.where(known, target.harm - expected, 0.0).mean())
    return Split(covariate, concept, change - covariate - concept)


def comparable(codes: Ints, before: Ints) -> Flags:
    """Which rows (axes, n) have only values that at least `KNOWN` rows of the baseline have: (n,)."""
    found = np.ones(codes.shape[1], np.bool_)
    for own, other in zip(codes, before, strict=True):
        held = np.bincount(other, minlength=int(max(own.max(initial=0), other.max(initial=0))) + 1)
        found &= held[own] >= KNOWN
    return found


def learn(codes: Ints, harm: Floats) -> Predict:
    """A function of codes (axes, m) that gives the harm to expect (m,), learned from codes (axes, n) and harm (n,).

    Least squares boosting of trees over codes; a node is split into codes whose mean harm is low and high. Source: Friedman 2001.
    """
    size = int(codes.max(initial=0)) + 1
    start, trees = float(harm.mean()), list[dict[int, tuple[int, Flags] | float]]()
    residual = harm - start
    for _ in range(TREES):
        tree, leaf = _tree(codes, residual, size)
        if len(tree) == 1:
            break
        trees.append(tree)
        residual = residual - leaf
    return lambda asked: start + sum((_applied(tree, asked) for tree in trees), np.zeros(asked.shape[1]))


def _tree(codes: Ints, residual: Floats, size: int) -> tuple[dict[int, tuple[int, Flags] | float], Floats]:
    """A tree by number of node (its children are 2 i + 1 and 2 i + 2): the axis and the codes that go left, or the value of a leaf; and the value of each row."""
    tree: dict[int, tuple[int, Flags] | float] = {}
    value = np.zeros(len(residual))
    waiting = [(0, 0, np.arange(len(residual)))]
    while waiting:
        node, depth, rows = waiting.pop()
        cut = _cut(codes[:, rows], residual[rows], size) if depth < DEPTH else None
        if cut is None:
            tree[node] = RATE * float(residual[rows].mean())
            value[rows] = tree[node]
            continue
        tree[node] = cut
        left = cut[1][codes[cut[0], rows]]
        waiting += [(2 * node + 1, depth + 1, rows[left]), (2 * node + 2, depth + 1, rows[~left])]
    return tree, value


def _cut(codes: Ints, residual: Floats, size: int) -> tuple[int, Flags] | None:
    """The axis and codes of the left side that lower the squared error most; None if no cut leaves `LEAST` rows on both sides and lowers it."""
    axes, n = codes.shape
    if n < 2 * LEAST:
        return None
    cell = (codes + np.arange(axes)[:, None] * size).ravel()
    count = np.bincount(cell, minlength=axes * size).reshape(axes, size)
    total = np.bincount(cell, np.tile(residual, axes), axes * size).reshape(axes, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        order = np.argsort(np.where(count > 0, total / count, np.inf), axis=1, kind="stable")
        left, sums = (np.cumsum(np.take_along_axis(one, order, axis=1), axis=1) for one in (count, total))
        right, whole = n - left, residual.sum()
        gain = np.where((left >= LEAST) & (right >= LEAST), sums**2 / left + (whole - sums) ** 2 / right - whole**2 / n, -np.inf)
    axis, at = np.unravel_index(int(np.argmax(gain)), gain.shape)
    if not gain[axis, at] > 2 * np.log(axes * size) * residual.var():
        return None
    goes = np.zeros(size, np.bool_)
    goes[order[axis, : at + 1]] = True
    return int(axis), goes


def _applied(tree: dict[int, tuple[int, Flags] | float], codes: Ints) -> Floats:
    """The value that a tree gives rows (axes, m)."""
    found = np.zeros(codes.shape[1])
    for node, rows in _nodes(tree, codes):
        held = tree[node]
        if isinstance(held, float):
            found[rows] = held
    return found


def _nodes(tree: dict[int, tuple[int, Flags] | float], codes: Ints) -> Iterator[tuple[int, Ints]]:
    waiting = [(0, np.arange(codes.shape[1]))]
    while waiting:
        node, rows = waiting.pop()
        yield node, rows
        if isinstance(held := tree[node], tuple):
            axis, goes = held
            left = goes[np.minimum(codes[axis, rows], len(goes) - 1)] & (codes[axis, rows] < len(goes))
            waiting += [(2 * node + 1, rows[left]), (2 * node + 2, rows[~left])]
