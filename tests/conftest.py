"""What all tests share."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

import pytest
import sklearn
from hypothesis import HealthCheck, settings

from tests.services.fixture import clickhouse, clickhouse_database, kafka, kafka_prefix, postgres, postgres_url
from tests.workers import (
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_sessionstart,
    pytest_terminal_summary,
    pytest_xdist_auto_num_workers,
    pytest_xdist_make_scheduler,
)
from watchkeeper.demo import flights

__all__ = [
    "clickhouse",
    "clickhouse_database",
    "kafka",
    "kafka_prefix",
    "pairs",
    "postgres",
    "postgres_url",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_sessionstart",
    "pytest_terminal_summary",
    "pytest_xdist_auto_num_workers",
    "pytest_xdist_make_scheduler",
]

# A loaded machine is no failure: what is slow is found by the benchmarks. In CI the examples are the same in each run; at a desk they differ.
settings.register_profile(
    "watchkeeper", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("watchkeeper")


@pytest.fixture(scope="session")
def pairs() -> tuple[flights.Pair, flights.Pair]:
    """The demo's files: a year of flights, a binary and a regression model. Made once a machine for each version of what makes them."""
    made_by = hashlib.sha256(Path(flights.__file__).read_bytes() + sklearn.__version__.encode()).hexdigest()[:12]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "watchkeeper" / f"flights-{made_by}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several workers one makes them
        return flights.make(folder)
