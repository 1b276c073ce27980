"""The few monitors of worlds that prove something else than measures read every kind of evidence that all monitors read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from detectors import catalogue
from detectors.sample import Separation
from tests.acceptance import census, watch
from watchkeeper.demo import flights


def test_a_few_monitors_of_the_year_read_every_kind_of_evidence(
    pairs: tuple[flights.Pair, ...], observed: tuple[flights.Pair, ...]
) -> None:
    """Of both models, with optional fields and without."""
    for pair in (*pairs, *observed):
        assert _read(watch.monitors(pair)) == _read(watch.monitors(pair, every=True))


def test_a_few_monitors_of_the_census_read_every_kind_of_evidence() -> None:
    """Those that train trees are apart."""
    assert _read(census.few()) == _read(census.monitors()) - {Separation}
    assert _read(census.trees()) == {Separation}


def _read(monitors: Iterable[Mapping[str, Any]]) -> set[type[Any]]:
    return {catalogue.spec(one["measure"]).reads(one.get("params", {})) for one in monitors}
