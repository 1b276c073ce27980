"""Categories that a reference has not seen (docs/measures.md), from its rows."""

from __future__ import annotations

from collections import Counter
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from tests.oracle import column as measures
from tests.oracle.bins import CategoricalBins, Codes
from tests.oracle.sample import Known, Sample, Value

NINE = 9  # the largest categories, which are a group each
GROUPED = ("drift.psi", "drift.kl")
_MADE = WeakKeyDictionary[Sample, Sample | None]()  # of samples of a reference


def expecting(baseline: Sample, known: Known) -> Sample | None:
    """The reference as a window to come will show it: with as many unseen rows as there are rows that are the only ones of their category. None where there is no such row outside of the nine."""
    bins = known.bins
    if not isinstance(bins, CategoricalBins):
        return None
    texts = Counter(map(str, known.values))
    lonely = [place for place, text in enumerate(bins.kept) if place >= NINE and texts[text] == 1]
    of_others = sum(texts[text] for text in bins.others)
    share = sum(texts[text] == 1 for text in bins.others) / of_others if of_others else 0.0
    if not lonely and not share:
        return None
    counts: list[Any] = list(baseline.counts)
    rest = [*range(NINE, bins.values), bins.values]
    held = sum(counts[place] for place in rest)
    new = min(held, sum(counts[place] for place in lonely) + counts[bins.values] * share)
    for place in rest:
        counts[place] *= 1 - new / held if held else 1
    counts[bins.values + 1] += new
    return Sample(counts, lambda: baseline.values)


def new_to_it(measured: str, target: Sample, baseline: Sample | None, known: Known, value: Value) -> tuple[float, float]:
    """The statistic of a value that is held against the whole reference, and its degrees of freedom, with the categories that are to be expected."""
    if baseline is not None and measured.removeprefix("drift.") in measures.BY_BIN:
        if baseline not in _MADE:
            _MADE[baseline] = expecting(baseline, known)
        if (other := _MADE[baseline]) is not None:
            value = measures.of(measured, target, other, known, {})
    assert value.statistic is not None
    return value.statistic, value.degrees


def regrouped(known: Known, counts: Codes) -> Known:
    """What is known of a column, with the groups that these counts by bin would make: the nine largest."""
    bins = known.bins
    if not isinstance(bins, CategoricalBins) or bins.values <= NINE:
        return known
    order = np.lexsort((np.arange(bins.values), -counts[: bins.values]))[:NINE].tolist()
    other = CategoricalBins(np.empty(0, object), [*bins.kept, *sorted(bins.others)])
    other.groups = [order.index(place) if place in order else NINE for place in range(bins.values)] + [9, 10, 11, 12]
    return Known(other, known.values, known.phi)
