"""Performance that is expected before labels come, from predictions by score and calibrated chances (CBPE; Białek et al. 2024, arXiv 2401.08348).

Each function takes the predictions of one class, by whether they name the class (0: no, 1: yes) and by score bin, (..., 2, bins), and the chance of the class in each bin,
which broadcasts to (..., bins). It returns the expected value (...), and the influence of a row: by how much the value rises if the row is of the class, (..., 2, bins).
The value is the measure of the expected counts. NaN where it is not defined.
"""

from __future__ import annotations

import numpy as np

from core.block import Floats

Expected = tuple[Floats, Floats]


def right(counts: Floats, chance: Floats) -> Expected:
    """How many predictions of the class are right."""
    influence = np.broadcast_to(np.array([[0.0], [1.0]]), counts.shape)
    return (counts[..., 1, :] * chance).sum(-1), influence


def right_of_two(counts: Floats, chance: Floats) -> Expected:
    """How many predictions of the class, and of the only other one, are right."""
    influence = np.broadcast_to(np.array([[-1.0], [1.0]]), counts.shape)
    return (counts[..., 1, :] * chance).sum(-1) + (counts[..., 0, :] * (1 - chance)).sum(-1), influence


def f1(counts: Floats, chance: Floats) -> Expected:
    """2 tp / (2 tp + fp + fn)."""
    tp = (counts[..., 1, :] * chance).sum(-1)
    below = counts[..., 1, :].sum(-1) + (counts.sum(-2) * chance).sum(-1)  # (tp + fp) + (tp + fn)
    with np.errstate(invalid="ignore", divide="ignore"):
        value, of_label = 2 * tp / below, -2 * tp / below**2
        of_both = of_label + 2 / below
    influence = np.stack([of_label, of_both], axis=-1)[..., None]
    return np.asarray(value), np.broadcast_to(influence, counts.shape)


def roc_auc(counts: Floats, chance: Floats) -> Expected:
    """The area under the ROC curve. Of the rows of one bin each is as likely to be of the class, so their pairs count half."""
    rows = counts.sum(-2)
    own, others = rows * chance, rows * (1 - chance)
    p, n = own.sum(-1), others.sum(-1)
    below = np.cumsum(others, axis=-1) - others / 2  # pairs that a row of the class wins
    above = p[..., None] - np.cumsum(own, axis=-1) + own / 2  # pairs that another row loses
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (own * below).sum(-1) / (p * n)
        of_label = (below - above) / (p * n)[..., None] + (value / n - value / p)[..., None]
    return value, np.broadcast_to(of_label[..., None, :], counts.shape)
