"""Settings that the client refuses are a ConfigError with a remedy, and nothing is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

import pytest

from core.error import ConfigError
from ingest.kafka.connection import Connection
from ingest.kafka.diagnosis import diagnose
from ingest.kafka.ends import Ends
from ingest.kafka.group import Group
from ingest.kafka.member import Build
from ingest.kafka.offsets import group_offsets
from ingest.kafka.producer import Publisher
from ingest.kafka.realign import realign
from ingest.kafka.topics import count, create, missing

MISSPELT = Connection(bootstrap="127.0.0.1:1", options={"securty.protocol": "SSL"})


@pytest.mark.parametrize(
    "ask",
    [
        create,
        missing,
        Publisher,
        Ends,
        lambda connection: count(connection, "ticks"),
        lambda connection: realign(connection, {}),
        lambda connection: group_offsets(connection, "ingest", []),
    ],
)
def test_a_misspelt_option_is_told_whoever_begins(ask: Callable[[Connection], object]) -> None:
    """The error has its name, and where it is set."""
    with pytest.raises(ConfigError, match=r'"securty\.protocol".*correct kafka\.options'):
        ask(MISSPELT)


def test_the_doctor_finds_it() -> None:
    """As the only finding at the brokers."""
    (found,) = diagnose(MISSPELT, 6, 1)
    assert (found.well, "securty.protocol" in found.seen, found.remedy) == (False, True, "correct kafka.options")


def test_a_member_of_the_group_ends() -> None:
    """Its process ends with it."""
    group = Group(MISSPELT, cast("Build", None))
    group.start()
    end = time.monotonic() + 300
    while group.running or len(group.problems) > 1:
        assert time.monotonic() < end, "it goes on"
        time.sleep(0.01)
    assert "kafka.options" in group.problems[0]
