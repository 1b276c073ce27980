"""A year of flights of two models, sent over HTTP, in both worlds: every reading equals what pandas and scikit-learn compute from the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import pandas as pd
import pytest

from tests.acceptance import watch
from tests.acceptance.world import World
from tests.oracle.compare import compare
from watchkeeper.client import Client
from watchkeeper.demo import flights

pytestmark = pytest.mark.slow


def test_every_reading_of_the_year_is_what_a_batch_job_computes(
    pairs: tuple[flights.Pair, ...], world: Callable[[Mapping[str, str]], World]
) -> None:
    """Sample sizes exactly, values to 1e-9, and verdicts, for `all` and every segment, over eleven months of two models."""
    with world({}) as place, Client(place.url) as client:
        for pair in pairs:
            watch.define(client, pair)
        for pair in pairs:
            watch.replay(client, pair)
        client.wait(900)
        assert client.status()["problems"] == []
        for pair in pairs:
            assert compare(_wanted(pair), watch.readings(client, pair))[:20] == []


@cache
def _wanted(pair: flights.Pair) -> pd.DataFrame:
    """The readings that both worlds must have."""
    return watch.ruler(pair, pd.read_parquet(pair.stream))
