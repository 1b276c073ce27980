"""Heartbeats, and probes of servers that do not wait for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.document_name import PROCESS
from core.error import Retryable
from storage.control.store import ControlStore
from watchkeeper.liveness import heartbeat
from watchkeeper.liveness.heartbeat import Heartbeat, ProcessWatch
from watchkeeper.liveness.probe import Probe, ServerProbe


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ControlStore]:
    found = ControlStore(f"sqlite:///{tmp_path / 'control.sqlite'}")
    found.migrate()
    yield found
    found.close()


def test_a_process_that_lives_is_seen_with_what_it_complains_about_and_goes_with_its_end(store: ControlStore) -> None:
    """The document is there soon after the start, and gone after the stop."""
    given = Heartbeat(store, SystemClock(), "ingest", 8651, lambda: ["no room"])
    given.start()
    until = time.monotonic() + 300
    while not store.cursors(PROCESS) and time.monotonic() < until:
        time.sleep(0.01)
    living, _ = ProcessWatch(store, ()).living()
    assert [(seen.kind, list(seen.problems)) for seen in living] == [("ingest", ["no room"])]
    given.stop()
    assert ProcessWatch(store, ()).living() == ([], [])


def test_who_gives_no_sign_any_more_is_missed_by_kind(store: ControlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before the time is over. A document that changes means a living process, whatever its clock says."""
    now = [1_000.0]
    monkeypatch.setattr("watchkeeper.liveness.heartbeat.time.monotonic", lambda: now[0])
    watch = ProcessWatch(store, ("ingest", "deliver"))
    store.save_cursor("process:ingest:a", {"kind": "ingest", "where": "a", "at": 5, "problems": []})
    assert len(watch.living()[0]) == 1
    now[0] += heartbeat.GONE - 1
    assert watch.living()[1] == []
    store.save_cursor("process:ingest:a", {"kind": "ingest", "where": "a", "at": 4, "problems": []})
    now[0] += 2
    living, missing = watch.living()
    assert [seen.kind for seen in living] == ["ingest"]
    assert missing == ["no deliver process has been seen for 30 s; start `watchkeeper deliver`"]
    now[0] += heartbeat.GONE + 1
    assert (watch.living()[0], len(watch.living()[1])) == ([], 2)


def test_a_look_is_as_new_as_the_question() -> None:
    """What was looked at before the question is no answer, also when that look ends after it."""
    begun, gate, looks = threading.Event(), threading.Event(), iter(range(9))

    def ask() -> int:
        look = next(looks)
        begun.set()
        gate.wait(300)
        return look

    lookout = Probe(ask, -1, every=0.01)
    lookout.start()
    assert begun.wait(300)
    threading.Timer(0.05, gate.set).start()
    assert lookout.now(300) == 1
    lookout.stop()


def test_nobody_waits_longer_than_he_said_for_a_server_that_hangs() -> None:
    """The caller gets None, and the last answer is still there."""
    hang = threading.Event()
    lookout = Probe(lambda: str(hang.wait(300)), "before", every=0.01)
    lookout.start()
    assert lookout.now(0.1) is None
    assert lookout.last == "before"
    hang.set()
    lookout.stop()


def test_servers_that_do_not_answer_are_named() -> None:
    """Each by its own words; one that is there is not."""

    class Away:
        def ping(self) -> None:
            raise Retryable("gone")

    class There:
        def ping(self) -> None:
            pass

    servers = ServerProbe(Away(), There(), Away())
    servers.start()
    until = time.monotonic() + 300
    while not servers.away() and time.monotonic() < until:
        time.sleep(0.01)
    servers.stop()
    assert servers.away() == ["gone", "gone"]
