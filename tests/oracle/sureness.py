"""Looks up how sure the model is, and how rightly."""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.oracle import certainty, dispersion
from tests.oracle.found import Asked, Found, Lookup, earlier
from tests.oracle.rows import Rows


def of_model(asked: Asked) -> Lookup:
    """How sure the model is, and how rightly, and what it was in the reference or in an earlier window."""
    monitor, _, whole, live, grouping, length, every, basis = asked
    measured, against = monitor["measure"], monitor.get("baseline")

    @cache
    def phi(segment: str) -> float | None:
        if measured not in certainty.TESTED:
            return None
        return dispersion.phi(dispersion.statistics(monitor, "", basis(), grouping, segment))

    def found(rows: Rows, place: tuple[int, str], span: int) -> Found:
        labelled = measured in certainty.LABELLED
        held = rows.members(grouping, span, every if span else 0, labelled).get(place, np.zeros(0, np.int64))
        many = phi(place[1])
        value, n = certainty.of(measured, rows, held, whole, many or 1.0)
        return Found(value.value, n, value.lower, value.upper, None if many is None else n / many)

    def find(start: int, segment: str) -> tuple[Found, Found | None]:
        target = found(live, (start, segment), length)
        if against is None:
            return target, None
        if against == "reference":
            return target, found(whole, (0, segment), 0)
        return target, found(live, (start - earlier(against, length), segment), length)

    return find
