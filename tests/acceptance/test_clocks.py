"""Every window and every baseline, of each kind of evidence, on flights near the days on which the clocks of New York change, with a gap between: as pandas computes them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import pytest

from tests.acceptance import clocks
from tests.acceptance.world import RARELY, Cluster, Embedded, World
from tests.oracle.compare import compare, micros
from tests.oracle.spans import FLOATS, windows
from watchkeeper.client import Client
from watchkeeper.demo import flights

pytestmark = pytest.mark.slow

# The evaluation is the same in both worlds.
ONE_OF: dict[type[World], int] = {
    world: int(os.environ.get("WATCHKEEPER_CLOCKS", usual)) for world, usual in ((Embedded, "3"), (Cluster, "9"))
}


def test_windows_and_baselines_of_every_kind_hold_where_the_clocks_change(
    pairs: tuple[flights.Pair, ...], world: Callable[[Mapping[str, str]], World]
) -> None:
    """All windows are there once, from the first event to the last; those about the days of 23 and of 25 hours have the values, sizes and verdicts of the oracle."""
    with world({"WATCHKEEPER_INGEST__SILENCE": "1s", **RARELY}) as place, Client(place.url) as client:
        one_of = ONE_OF[type(place)]
        for pair in pairs:
            clocks.send(client, pair, one_of)
        assert client.wait(900)["problems"] == []
        for pair in pairs:
            wanted, times = clocks.expected(pair, one_of), clocks.stream(pair)["ts"].map(lambda ts: ts.value // 1_000)
            near = {*zip(wanted["monitor"], wanted["window_end"], strict=True)}
            found = []
            for monitor in clocks.monitors(pair, one_of):
                readings = list(client.readings(model=pair.model, monitor=monitor["monitor"], limit=10_000))
                spans = [(micros(item["window_start"]), micros(item["window_end"])) for item in readings]
                assert sorted(spans) == [one[:2] for one in windows(monitor["target"], times.min(), times.max())], monitor
                found += [item for item in readings if (item["monitor"], micros(item["window_end"])) in near]
            assert compare(wanted, found, FLOATS)[:20] == []
