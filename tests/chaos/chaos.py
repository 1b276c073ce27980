"""Any server, any process and the receiver is killed or frozen at any moment, members come and go: nothing is lost, nothing is doubled.

`make test` leaves it out, as its name is not that of a test; `make chaos` takes half an hour. Without `WATCHKEEPER_CHAOS_MINUTES` it rages for a minute, by the default group protocol; with it both
protocols share the minutes. `WATCHKEEPER_CHAOS_SEED` is what it rages by.
`WATCHKEEPER_CHAOS_KILLS` is how often at least what decides and tells (`evaluate`, `deliver`) is killed, by all protocols together.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.acceptance import watch
from tests.acceptance.direct import Direct
from tests.acceptance.machines import Machines
from tests.acceptance.sending import http, sending
from tests.acceptance.storm import Storm
from tests.acceptance.world import Cluster
from tests.chaos.absence import absences
from tests.chaos.monkey import SESSION, Monkey
from tests.chaos.notices import Notices
from tests.oracle.compare import compare
from watchkeeper.client import Client
from watchkeeper.demo import flights
from watchkeeper.settings.section import KafkaSettings

MINUTES = os.environ.get("WATCHKEEPER_CHAOS_MINUTES")
PROTOCOLS = ["classic", "consumer"] if MINUTES else [KafkaSettings().group_protocol]
SECONDS = 60 * float(MINUTES or 1) / len(PROTOCOLS)
SEED = os.environ.get("WATCHKEEPER_CHAOS_SEED", "1")
KILLS = -(-int(os.environ.get("WATCHKEEPER_CHAOS_KILLS", "0")) // len(PROTOCOLS))
FAILOVER = 30.0  # seconds that `make chaos` allows until another process owns the models of one that was killed
FAILOVERS = 3  # that `make chaos` measures at least
RECOVERY = 240.0  # seconds after the quiet in which the status may still name what was away: a receiver is tried again after a pause of up to two minutes, or a lease
RATE, DAILY = 300, 2_200  # events a second of each model; events that a day of a model's storm has, about
SETTINGS = {
    "WATCHKEEPER_INGEST__SILENCE": "2s",
    "WATCHKEEPER_INGEST__BATCH__WAIT_MS": "20",
    "WATCHKEEPER_KAFKA__SESSION": f"{SESSION:.0f}s",
    "WATCHKEEPER_ALERTS__NOTIFY_HORIZON": "20000d",  # the flights are of 2013
}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800 + 2 * SECONDS)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_whatever_dies_nothing_is_lost_and_nothing_doubled(
    pairs: tuple[flights.Pair, ...], protocol: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One model's events come over HTTP, the other's directly from Kafka; at quiet both have the readings of a batch job over the distinct events, and the receiver got what the outbox says, in order."""
    storms = {pair: _storm(pair) for pair in pairs}
    with Notices(f"{SEED}-{protocol}") as notices, Machines(tmp_path / "servers") as machines:
        servers = machines.servers(protocol)
        with Cluster(tmp_path / "processes", servers, {**SETTINGS, "WATCHKEEPER_KAFKA__GROUP_PROTOCOL": protocol}) as cluster:
            monkey = Monkey(cluster, machines, notices, f"{SEED}-{protocol}")
            with Client(cluster.url) as client:
                for pair in pairs:
                    watch.define(client, pair)
                client.apply(yaml.safe_dump([notices.definition()]))
            over, straight = (storms[pair][0].requests for pair in pairs)
            with (
                http(cluster.url) as deliver,
                sending(deliver, over, SECONDS) as first,
                sending(Direct(servers).deliver, straight, SECONDS),
            ):
                monkey.rage(time.monotonic() + SECONDS, KILLS, FAILOVERS if MINUTES else 0)
            began = time.monotonic()
            with Client(cluster.url) as client:
                status = client.wait(900)
                quiet = time.monotonic() - began
                found = {pair: watch.readings(client, pair) for pair in pairs}
                untold = notices.faults(client, 400 if MINUTES else 0)
                problems = _problems(client, RECOVERY)
                panes = {row["model"]: row["predictions"] for row in client.models()}
            raw = {pair: cluster.counts(pair.model) for pair in pairs}
            absent = absences(cluster)
            dead = cluster.ask("SELECT count() AS n FROM dead_letters")[0]["n"]
    with capsys.disabled():
        _tell(
            {
                "seed, protocol": f"{SEED}, {protocol}",
                "seconds": f"{SECONDS:g}",
                "kills": f"{monkey.kills.total()}: {_counted(monkey.kills)}",
                "of these evaluate and deliver": monkey.alerting,
                "seconds to another owner": ", ".join(f"{one:.1f}" for one in sorted(monkey.failovers)) or "none",
                "freezes": f"{monkey.freezes.total()}: {_counted(monkey.freezes)}",
                "rebalances": monkey.rebalances,
                "ended by themselves": _counted(monkey.ended) or "none",
                "events": " and ".join(f"{sum(len(rows) for _, rows in storm.requests):,}" for storm, _ in storms.values()),
                "requests sent again": first.retries,
                "raw rows, distinct places, ids": "; ".join(f"{one['rows']:,} {one['places']:,} {one['ids']:,}" for one in raw.values()),
                "labels at a place twice": sum(one["labels_twice"] for one in raw.values()),
                "duplicates left out": status["ingest"]["predictions"]["duplicates"],
                "slots audited, repaired": f"{status['evaluate']['audited']:,} {status['evaluate']['repaired']:,}",
                "seconds to quiet": f"{quiet:.1f}",
                "notifications sent, distinct": f"{len(notices.calls):,} {len({name for name, _, _ in notices.calls}):,}",
            }
        )
    assert (problems, dead, absent, untold[:20]) == ([], 0, [], [])
    assert notices.calls
    if MINUTES:
        assert len(monkey.failovers) >= FAILOVERS
        assert max(monkey.failovers) <= FAILOVER
    for pair, (storm, wanted) in storms.items():
        size = len(storm.truth)
        assert (size, size, size) == (raw[pair]["ids"], raw[pair]["places"], panes[pair.model])
        assert compare(wanted, found[pair])[:20] == []


@cache
def _storm(pair: flights.Pair) -> tuple[Storm, pd.DataFrame]:
    """The stream of a model for both protocols, and the readings that must result."""
    storm = Storm(pd.read_parquet(pair.stream), pair.model, days=max(7, round(SECONDS * RATE / DAILY)), seed=5, most=400)
    return storm, watch.ruler(pair, storm.truth, storm.orphans)


def _problems(client: Client, patience: float) -> list[str]:
    """What the status says is wrong, once nothing is or `patience` (seconds) is over."""
    until = time.monotonic() + patience
    while (found := list(client.status()["problems"])) and time.monotonic() < until:
        time.sleep(1.0)
    return found


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _tell(ledger: Mapping[str, Any]) -> None:
    print()  # noqa: T201 - the ledger is what the run is for
    for name, value in ledger.items():
        print(f"  {name:<32}{value}")  # noqa: T201
