"""What concerns PostgreSQL only: many processes, a server that goes away and comes back, rights."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from compose.servers.postgres import Postgres
from core.clock import ManualClock
from core.episode import EpisodeRecord, Rule, SeenWindow
from core.error import Fatal, Retryable
from core.monitor import Monitor
from core.reading import Verdict
from storage.control.migration import migrations
from storage.control.store import ControlStore
from tests.started import started
from tests.storage.control.test_contract import save

T = TypeVar("T")

MONITOR = Monitor(name="drift", model="late", measure="drift.psi", warn=0.0)
MIGRATE = "import sys; from storage.control.store import ControlStore; print(ControlStore(sys.argv[1]).migrate())"
HOLD = """
import sys, time
from storage.control.store import ControlStore
with ControlStore(sys.argv[1]).alone():
    print("mine", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def url(postgres_url: str) -> str:
    """A database of its own, without tables: they are a matter here."""
    return postgres_url


@pytest.fixture
def other(url: str, store: ControlStore) -> Iterator[ControlStore]:
    """The same database, as another process sees it."""
    other = ControlStore(url, ManualClock(2_000))
    yield other
    other.close()


@pytest.fixture
def restricted(url: str, store: ControlStore) -> Iterator[str]:
    """The URL of a user who may log in, and nothing else."""
    name = f"r{urlsplit(url).path.strip('/')}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p:/@' ".encode())
    yield as_user(url, f"{name}:p%3A%2F%40")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {name}".encode())
        connection.execute(f"DROP ROLE {name}".encode())


def as_user(url: str, user: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc.rpartition('@')[2]}"))


def at_once(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """What all jobs bring, begun together."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(300) for future in [pool.submit(job) for job in jobs]]


def run(script: str, url: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return started([sys.executable, "-c", script, url], output=subprocess.PIPE)


def test_a_reader_sees_one_state_and_writes_nothing(store: ControlStore, other: ControlStore) -> None:
    """What others commit meanwhile is not seen before the next read."""
    count = text("SELECT count(*) FROM cursors")
    with store.read() as connection:
        assert connection.execute(count).scalar() == 0
        other.save_cursor("a", {})
        assert connection.execute(count).scalar() == 0
    with store.read() as connection:
        assert connection.execute(count).scalar() == 1
    with pytest.raises(Retryable, match="read-only"), store.read() as connection:
        connection.execute(text("DELETE FROM cursors"))
    assert store.cursor("a") == {}


def test_processes_that_migrate_at_once_apply_each_step_once(url: str) -> None:
    """One does it, the others wait and find nothing to do."""
    with ExitStack() as stack:
        processes = [stack.enter_context(run(MIGRATE, url)) for _ in range(3)]
        outputs = [process.communicate(timeout=300)[0].strip() for process in processes]
    steps = sorted(step.revision for step in ScriptDirectory.from_config(migrations()).walk_revisions())
    assert sorted(outputs) == [str(steps).encode(), b"[]", b"[]"]


def test_one_process_at_a_time_is_alone_also_when_it_is_killed(url: str, store: ControlStore) -> None:
    """The next one goes on when the one before has ended, however it ended."""

    def second() -> None:
        with store.alone():
            pass

    with run(HOLD, url) as process, ThreadPoolExecutor(1) as pool:
        assert process.stdout is not None
        assert process.stdout.readline() == b"mine\n"
        waiting = pool.submit(second)
        assert wait([waiting], timeout=0.5).not_done
        process.kill()
        waiting.result(300)
    with store.alone():
        store.save_cursor("a", {})  # it keeps nobody from working
    at_once([second, second])


def test_two_processes_that_save_contracts_get_different_versions(store: ControlStore, other: ControlStore) -> None:
    """No version is lost, none is given twice."""
    saved = at_once(
        [partial(save, store, str(number)) for number, store in enumerate([store, other] * 6)],
    )
    assert sorted(contract.version for contract in saved) == list(range(1, 13))


def test_two_processes_that_change_a_monitor_lose_no_revision(store: ControlStore, other: ControlStore) -> None:
    """Each change is a revision, and its definition is kept."""
    changes = [msgspec.structs.replace(MONITOR, warn=float(number)) for number in range(1, 13)]
    at_once([partial(store.apply_monitors, [change]) for change, store in zip(changes, [store, other] * 6, strict=True)])
    kept = [store.monitor_revision("late", "drift", revision) for revision in range(1, 13)]
    assert sorted(monitor.warn for monitor in kept if monitor and isinstance(monitor.warn, float)) == [change.warn for change in changes]
    assert store.monitors() == [kept[-1]]


@pytest.mark.parametrize("fenced", [False, True])
def test_steps_recorded_at_once_lose_nothing(store: ControlStore, other: ControlStore, fenced: bool) -> None:
    """Each adds a window to what it read, under one epoch or without any."""
    fence = ("owner:late", store.take("owner:late")) if fenced else None

    def step(store: ControlStore, number: int) -> None:
        with store.recording(fence) as ledger:
            before = ledger.rules("late", "drift")
            windows = (*(before[0].windows if before else ()), SeenWindow(number, number + 1, 1, Verdict.WARN))
            ledger.write(EpisodeRecord(rules=[Rule(model="late", monitor="drift", column="temp", segment="all", windows=windows)]))

    at_once([partial(step, store, number) for number, store in enumerate([store, other] * 6)])
    with store.recording() as ledger:
        (rule,) = ledger.rules("late", "drift")
    assert sorted(seen.start for seen in rule.windows) == list(range(12))


def test_owners_do_not_wait_for_each_other(store: ControlStore, other: ControlStore) -> None:
    """Two models are recorded at the same time."""
    fences = [(name, store.take(name)) for name in ("owner:a", "owner:b")]
    with store.recording(fences[0]) as first, other.recording(fences[1]) as second:
        first.write(EpisodeRecord(rules=[Rule(model="a", monitor="m", column="", segment="all")]))
        second.write(EpisodeRecord(rules=[Rule(model="b", monitor="m", column="", segment="all")]))
    with store.recording() as ledger:
        assert [len(ledger.rules(model, "m")) for model in "ab"] == [1, 1]


def test_texts_that_postgresql_does_not_take_are_kept_as_they_are(store: ControlStore) -> None:
    """NUL, backslashes, and segments that are longer than an index entry: each is a rule of its own, as on SQLite."""
    segments = ["carrier=\0", "carrier=\\0", "carrier=\\", f"carrier={'ü' * 12_000}", f"carrier={'ü' * 12_000}x"]
    rules = [Rule(model="late", monitor="drift", column="te\0mp", segment=segment) for segment in segments]
    with store.recording() as ledger:
        ledger.write(EpisodeRecord(rules=rules))
        ledger.write(EpisodeRecord(rules=rules))
        assert sorted(rule.segment for rule in ledger.rules("late", "drift")) == sorted(segments)
    store.save_cursor("owner:\0\\", {"\0": "\0"})
    assert store.cursor("owner:\0\\") == {"\0": "\0"}
    assert store.cursor("owner:\\0\\") is None
    assert store.contract("la\0te") is None


def test_a_server_that_was_away_is_used_again(tmp_path: Path) -> None:
    """While it is stopped, starts, or is killed each call says that it may succeed later; then the store answers by itself."""

    def break_off(connection: Connection, end: Callable[[], None]) -> None:
        end()
        with suppress(SQLAlchemyError):
            connection.execute(text("SELECT 1"))  # whoever goes on all the same
        connection.execute(text("SELECT 1"))

    with Postgres(tmp_path) as server:
        store = ControlStore(server.url)
        store.migrate()
        epoch = store.take("owner:late")
        at_once([store.ping] * 5)  # several connections, all of which will be dead
        for end in (server.stop, server.kill):
            with pytest.raises(Retryable), store.write() as connection:
                break_off(connection, end)
            began = time.monotonic()
            with pytest.raises(Retryable, match="does not answer"):
                store.save_cursor("owner:late", {"end": end.__name__}, epoch)
            assert time.monotonic() - began < 5
            server.start()
            at_once([store.ping] * 5)
            store.save_cursor("owner:late", {"end": end.__name__}, epoch)
            assert store.cursor("owner:late") == {"end": end.__name__}
        store.close()


def test_who_cannot_come_in_is_told_what_to_do(url: str, restricted: str) -> None:
    """A wrong password, a missing one, no such database; the password comes apart from the URL just as well, and is never shown."""
    name = urlsplit(restricted).username
    wrong = ControlStore(as_user(url, f"{name}:hidden"))
    with pytest.raises(Fatal, match=r"password authentication failed.*WATCHKEEPER_CONTROL__PASSWORD") as failure:
        wrong.ping()
    assert "hidden" not in str(failure.value)
    right = ControlStore(as_user(url, f"{name}"), password="p:/@")
    right.ping()
    with pytest.raises(Fatal, match='does not exist; CREATE DATABASE "nowhere"'):
        ControlStore(urlunsplit(urlsplit(url)._replace(path="/nowhere"))).ping()
    right.close()


def test_what_is_not_there_yet_is_to_be_migrated(url: str) -> None:
    """A store that nobody has migrated says so."""
    store = ControlStore(url)
    with pytest.raises(Fatal, match="watchkeeper migrate"):
        store.monitors()
    store.close()


def test_a_database_that_cannot_keep_every_text_is_refused(url: str) -> None:
    """Before anything is in it, not at the first foreign letter."""
    name = f"{urlsplit(url).path.strip('/')}_latin"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0".encode())
        store = ControlStore(urlunsplit(urlsplit(url)._replace(path=f"/{name}")))
        with pytest.raises(Fatal, match=r"LATIN1.*ENCODING 'UTF8'"):
            store.migrate()
        store.close()
        connection.execute(f"DROP DATABASE {name}".encode())


def test_waiting_has_an_end(url: str, store: ControlStore, other: ControlStore) -> None:
    """For a lock, for a statement, for a transaction that stands still: each is tried again; the limits can be set in the URL."""
    hasty = ControlStore(
        f"{url}?options=-c%20lock_timeout%3D100ms%20-c%20statement_timeout%3D300ms%20-c%20idle_in_transaction_session_timeout%3D100ms"
    )
    with store.write(), pytest.raises(Retryable, match="lock timeout"):
        hasty.apply_monitors([MONITOR])
    with pytest.raises(Retryable, match="statement timeout"), hasty.read() as connection:
        connection.execute(text("SELECT pg_sleep(1)"))

    def dawdle() -> None:
        with hasty.write() as connection:
            time.sleep(0.5)
            connection.execute(text("SELECT 1"))

    with pytest.raises(Retryable, match="idle-in-transaction"):
        dawdle()
    hasty.ping()
    hasty.close()


def test_one_of_two_that_wait_for_each_other_may_try_again(store: ControlStore, other: ControlStore) -> None:
    """A deadlock is nobody's end."""
    for name in ("a", "b"):
        store.save_cursor(name, {})
    lock = text("SELECT 1 FROM cursors WHERE owner = :name FOR UPDATE")

    def cross(store: ControlStore, names: str) -> str:
        try:
            with store.write(alone=False) as connection:
                for name in names:
                    connection.execute(lock, {"name": name})
                    time.sleep(0.3)
        except Retryable as error:
            return str(error)
        return "done"

    results = at_once([lambda: cross(store, "ab"), lambda: cross(other, "ba")])
    assert "done" in results
    assert any("40P01" in str(result) for result in results)


def test_more_connections_than_the_server_has_are_waited_for(url: str, restricted: str) -> None:
    """One too many may try again."""
    name = urlsplit(restricted).username
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {name} CONNECTION LIMIT 1".encode())
    store = ControlStore(restricted)
    with store.read(), pytest.raises(Retryable, match="too many connections"):
        store.ping()
    store.ping()
    store.close()


def test_missing_rights_are_named_with_the_grant_that_gives_them(url: str, restricted: str) -> None:
    """Before it matters by `rights`, and when it matters by the error; done as told, nothing is missing."""
    store = ControlStore(restricted)
    with pytest.raises(Fatal, match="GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES"):
        store.save_cursor("a", {})
    name = urlsplit(restricted).username
    missing = store.rights()
    assert f"GRANT SELECT, INSERT, UPDATE ON public.outbox TO {name}" in missing
    assert f"GRANT SELECT, INSERT ON public.audit TO {name}" in missing
    with psycopg.connect(url, autocommit=True) as connection:
        for remedy in missing:
            connection.execute(remedy.encode())
        assert store.rights() == []
        store.apply_monitors([MONITOR])
        store.save_cursor("a", {})
        store.forget("a")
        with store.recording(("owner:late", store.take("owner:late"))) as ledger:
            ledger.write(EpisodeRecord(rules=[Rule(model="late", monitor="drift", column="", segment="all")]))
        connection.execute(f"REVOKE INSERT ON outbox FROM {name}; REVOKE USAGE ON SEQUENCE outbox_sequence_seq FROM {name}".encode())
        assert store.rights() == [
            f"GRANT INSERT ON public.outbox TO {name}",
            f"GRANT USAGE ON SEQUENCE public.outbox_sequence_seq TO {name}",
        ]
        connection.execute(b"UPDATE alembic_version SET version_num = '0001'")
        assert store.rights()[2:] == [
            f"GRANT CREATE ON SCHEMA public TO {name}",
            "run `watchkeeper migrate` as watchkeeper, who owns the tables",
        ]
        connection.execute(b"REVOKE USAGE ON SCHEMA public FROM public")
        assert store.rights() == [f"GRANT USAGE, CREATE ON SCHEMA public TO {name}"]
    store.close()
