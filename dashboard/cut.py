"""What follows if rows with a score from a cut on are taken for a class: of labelled rows in score bins, exact at the edges of bins."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from dashboard.ports import ScoreBins

_GROUPS = 10  # of bins with about equally many rows


class Cut(NamedTuple):
    """A cut at `score`: how many rows of the class are above it (`right`) and below (`missed`), and of others above (`wrong`) and below (`rejected`)."""

    score: float
    right: int
    missed: int
    wrong: int
    rejected: int

    @property
    def taken(self) -> int:
        """The rows that are taken for the class: the volume of alerts."""
        return self.right + self.wrong

    @property
    def n(self) -> int:
        """All rows."""
        return self.taken + self.missed + self.rejected

    @property
    def precision(self) -> float | None:
        """The share of the class among rows that are taken; None if none is."""
        return _part(self.right, self.taken)

    @property
    def recall(self) -> float | None:
        """The share of the class that is taken."""
        return _part(self.right, self.right + self.missed)

    @property
    def fall_out(self) -> float | None:
        """The share of others that is taken."""
        return _part(self.wrong, self.wrong + self.rejected)

    @property
    def share(self) -> float | None:
        """The share of all rows that is taken."""
        return _part(self.taken, self.n)

    @property
    def f1(self) -> float | None:
        """2 tp / (2 tp + fp + fn)."""
        return _part(2 * self.right, 2 * self.right + self.wrong + self.missed)

    @property
    def lift(self) -> float | None:
        """Precision over the share of the class in all rows."""
        base, precision = _part(self.right + self.missed, self.n), self.precision
        return precision / base if base and precision is not None else None


def _part(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def cuts(bins: ScoreBins) -> list[Cut]:
    """The cut at each edge, the lowest first."""
    below, wrongly = (list(accumulate(side)) for side in (bins.own, bins.others))
    of, others = (side[-1] for side in (below, wrongly))
    return [
        Cut(edge, of - missed, missed, others - rejected, rejected)
        for edge, missed, rejected in zip(bins.edges, below, wrongly, strict=False)
    ]


def nearest(bins: ScoreBins, score: float) -> int:
    """The place of the edge that is nearest to a score."""
    at = bisect_left(bins.edges, score)
    return min((place for place in (at - 1, at) if 0 <= place < len(bins.edges)), key=lambda place: abs(bins.edges[place] - score))


class Group(NamedTuple):
    """Neighbouring score bins: their rows, the mean score, and the share that is of the class."""

    n: int
    score: float
    share: float


def groups(bins: ScoreBins, most: int = _GROUPS) -> list[Group]:
    """About `most` groups with about equally many rows, the lowest scores first."""
    total, found = sum(bins.own) + sum(bins.others), list[Group]()
    n = own = 0
    score = 0.0
    rows: Sequence[tuple[int, int, float]] = list(zip(bins.own, bins.others, bins.scores, strict=True))
    for place, (right, others, summed) in enumerate(rows):
        n, own, score = n + right + others, own + right, score + summed
        if n and (n * most >= total or place == len(rows) - 1):
            found.append(Group(n, score / n, own / n))
            n = own = 0
            score = 0.0
    return found
