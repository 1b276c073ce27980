"""The embedded log keeps every record that it has acknowledged, in order, across a kill."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ingest.embedded_log import EmbeddedLog
from ingest.ports import CommittedPosition
from tests.started import started


@pytest.fixture
def log(tmp_path: Path) -> EmbeddedLog:
    return EmbeddedLog(tmp_path / "log.sqlite")


def test_positions_grow_and_records_come_back_in_order(log: EmbeddedLog) -> None:
    """Appends gathered in one transaction get one position each, in order."""
    futures = [log.append("predictions", "json", b"%d" % i, 1_000 + i) for i in range(50)]
    positions = [future.result() for future in futures]
    assert positions == sorted(set(positions))
    records = log.read("predictions", 0, 1, until=None, most=1 << 20).records
    assert [(r.position, r.body, r.logged) for r in records] == [(p, b"%d" % i, 1_000 + i) for i, p in enumerate(positions)]
    log.close()


def test_read_stops_at_the_asked_size_and_position(log: EmbeddedLog) -> None:
    """A read takes at least one record, about as many bytes as asked, and nothing beyond `until`."""
    for _ in range(5):
        log.append("labels", "json", b"x" * 100, 0).result()
    assert [r.position for r in log.read("labels", 0, 1, until=None, most=10).records] == [1]
    assert [r.position for r in log.read("labels", 0, 1, until=None, most=250).records] == [1, 2]
    assert [r.position for r in log.read("labels", 0, 2, until=4, most=1 << 20).records] == [2, 3, 4]
    log.close()


def test_decoded_blocks_are_handed_over_once(log: EmbeddedLog) -> None:
    """What the appender had decoded travels with the record, and a second read decodes again."""
    marker = object()
    log.append("predictions", "json", b"{}", 0, marker).result()
    assert [r.decoded for r in log.read("predictions", 0, 1, until=None, most=100).records] == [marker]
    assert [r.decoded for r in log.read("predictions", 0, 1, until=None, most=100).records] == [None]
    log.close()


def test_committed_records_are_trimmed_and_positions_never_used_again(tmp_path: Path) -> None:
    """After everything was committed and trimmed, and the file opened anew, the next position is a new one."""
    log = EmbeddedLog(tmp_path / "log.sqlite")
    for _ in range(3):
        log.append("predictions", "json", b"{}", 0).result()
    log.commit("predictions", 0, CommittedPosition(4, None))
    assert log.read("predictions", 0, 1, until=None, most=100).records == []
    log.close()
    again = EmbeddedLog(tmp_path / "log.sqlite")
    assert again.committed("predictions", 0) == CommittedPosition(4, None)
    assert again.append("predictions", "json", b"{}", 0).result() == 4
    again.close()


def test_an_intent_survives(log: EmbeddedLog) -> None:
    """The range that was begun is found again."""
    log.commit("predictions", 0, CommittedPosition(7, 12))
    assert log.committed("predictions", 0) == CommittedPosition(7, 12)
    log.close()


_APPENDER = """
import sys
from pathlib import Path
from ingest.embedded_log import EmbeddedLog
log = EmbeddedLog(Path(sys.argv[1]))
i = 0
while True:
    print(log.append("predictions", "json", b"%d" % i, 0).result(), flush=True)
    i += 1
"""


def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    """A process that is killed in the middle of appending has lost nothing that it had answered."""
    path = tmp_path / "log.sqlite"
    with started([sys.executable, "-c", _APPENDER, str(path)], output=subprocess.PIPE) as process:
        assert process.stdout is not None
        answered = [int(process.stdout.readline()) for _ in range(30)]
        process.kill()
        answered += [int(line) for line in process.stdout.read().split()]
    log = EmbeddedLog(path)
    bodies = {record.position: record.body for record in log.read("predictions", 0, 1, until=None, most=1 << 30).records}
    assert [bodies[position] for position in answered] == [b"%d" % i for i in range(len(answered))]
    log.close()
