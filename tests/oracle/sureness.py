"""Looks up how sure the model is, and how rightly."""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.oracle import certainty, dispersion, promise
from tests.oracle.found import Asked, Found, Lookup, beside
from tests.oracle.rows import Rows
from tests.oracle.sample import Value


def of_model(asked: Asked) -> Lookup:
    """How sure the model is, and how rightly, and what it was in the reference or in an earlier window."""
    monitor, _, whole, live, grouping, length, every, basis = asked
    measured, params = monitor["measure"], monitor.get("params", {})

    @cache
    def phi(segment: str) -> float | None:
        if measured not in certainty.TESTED:
            return None
        return dispersion.phi(dispersion.statistics(monitor, "", basis(), grouping, segment))

    def counts(place: tuple[int, str]) -> list[tuple[int, int]]:
        """The labels that are held, and all, of a window and of those before it."""
        members = live.members(grouping, length, every, True)
        starts = [place[0] - back * length for back in range(params.get("windows", 30))]
        return [certainty.covers(live, members.get((start, place[1]), np.zeros(0, np.int64))) for start in starts]

    def found(rows: Rows, place: tuple[int, str], span: int) -> Found:
        labelled = measured in certainty.LABELLED
        held = rows.members(grouping, span, every if span else 0, labelled).get(place, np.zeros(0, np.int64))
        many = phi(place[1])
        value, n = certainty.of(measured, rows, held, whole, many or 1.0, params)
        if measured == promise.BETS:
            value = Value(promise.won(counts(place), params) if certainty.covers(rows, held)[1] else None)
        return Found(value.value, n, value.lower, value.upper, None if many is None else n / many)

    return beside(asked, found)
