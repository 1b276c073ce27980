"""An upgrade loses no history: everything that an earlier version has written is there, and evaluation goes on from it."""

from __future__ import annotations

import json
import tarfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import MetaData, create_engine, text

from storage.control.migration import migrations
from storage.facts.chdb import Chdb
from storage.facts.http import Http
from storage.facts.migration import FOLDER, statements
from tests.acceptance import census
from tests.acceptance.history import events, refer, told
from tests.acceptance.process import Process
from tests.acceptance.world import Servers
from watchkeeper.client import Client

pytestmark = pytest.mark.slow

VERSIONS = sorted((Path(__file__).parent / "versions").glob("*.tar.xz"))


@pytest.fixture(params=VERSIONS, ids=lambda path: path.name.removesuffix(".tar.xz"))
def history(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A data folder that an earlier version has written, and the readings and episodes that it showed."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "data", json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))


def test_a_data_folder_is_read_and_goes_on(history: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """Every reading and episode is as before, and later events are added."""
    folder, before = history
    with Process("up", ["up", "--data", str(folder)], tmp_path, {}) as process, Client(process.url) as client:
        client.wait(600)
        assert _as_before(told(client), before) == before
        events(client, 3, 300)
        assert client.wait(600)["problems"] == []
        (model,) = client.models()
        assert model["predictions"] == 1_800
        held = {_place(item): (item["value"], item["n_target"], item["revision"]) for item in told(client)["readings"]}
        after = {place: n for place, (_, n, _) in held.items()}
        # Panes from before have no moments until they are made again; no reading changes.
        assert client.rebuild(model["model"])["state"] == "waiting"
        client.wait(600)
        done = client.rebuilding(model["model"])
        assert (done["state"], done["done"], done["slots"]) == ("done", done["slots"], done["slots"])
        assert {_place(item): (item["value"], item["n_target"], item["revision"]) for item in told(client)["readings"]} == held
        # Nor has the reference, until it is given again: its contract stays, and readings of counts do too.
        assert [model["model"] in one for one in client.status()["advice"]] == [True]
        answers = [(refer(client, census.OLDEST_COLUMNS, census.OLDEST_OPTIONS), client.wait(600)["advice"]) for _ in range(2)]
        assert [(answer["result"], answer["version"], advice) for answer, advice in answers] == [
            ("summarised again", 1, []),
            ("unchanged", 1, []),
        ]
        # What they are worth is calibrated on windows of the reference now, and no longer on the first ones of the stream.
        assert {_place(item): (item["value"], item["n_target"]) for item in told(client)["readings"]} == {
            place: one[:2] for place, one in held.items()
        }
    with closing(Chdb(folder / "facts")) as store:
        (known,) = store.query("SELECT sum(n) = sum(measured) AS known FROM panes WHERE generation > 0")["known"].to_pylist()
        assert known
    assert sum(after[_place(item)] > item["n_target"] for item in before["readings"]) > len(before["readings"]) // 2
    assert after.keys() >= {_place(item) for item in before["readings"]}


def test_servers_are_read(history: tuple[Path, dict[str, Any]], servers: Servers, tmp_path: Path) -> None:
    """ClickHouse and PostgreSQL, in the state in which that version left them, give the same."""
    folder, before = history
    _facts(folder / "facts", servers)
    _control(folder / "control.sqlite", servers)
    with Process("serve", ["serve"], tmp_path, servers.environment) as process, Client(process.url) as client:
        assert _as_before(told(client), before) == before


def _facts(folder: Path, servers: Servers) -> None:
    """Make the tables of the folder's schema on the server, with the folder's rows."""
    place = Http(servers.clickhouse, servers.user, servers.password, servers.database)
    with closing(Chdb(folder)) as store, closing(place) as server:
        migrated = store.query("SELECT name, checksum, applied FROM migrations")
        create = "SELECT create_table_query AS sql FROM system.tables WHERE database = currentDatabase() AND name = 'migrations'"
        server.define(store.query(create)["sql"][0].as_py().replace(f"{store.database}.migrations", "migrations"))
        for name in sorted(migrated["name"].to_pylist()):
            for statement in statements((FOLDER / name).read_text(encoding="utf-8")):
                server.define(statement)
        tables = store.query("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'")
        for name in tables["name"].to_pylist():
            server.insert(name, store.query(f"SELECT * FROM {name}"))


def _control(file: Path, servers: Servers) -> None:
    """Make the tables of the file's schema on PostgreSQL, with the file's rows."""
    source, target = create_engine(f"sqlite:///{file}"), create_engine(servers.control.replace("postgresql:", "postgresql+psycopg:"))
    with ExitStack() as stack:
        for engine in (source, target):
            stack.callback(engine.dispose)
        old, new = stack.enter_context(source.connect()), stack.enter_context(target.connect())
        revision = old.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        config = migrations()
        config.attributes["connection"] = new
        command.upgrade(config, revision)
        metadata = MetaData()
        metadata.reflect(old)
        for table in metadata.sorted_tables:
            if table.name != "alembic_version" and (rows := [dict(row) for row in old.execute(table.select()).mappings()]):
                new.execute(table.insert(), rows)
                if "sequence" in table.columns:
                    new.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'sequence'), max(sequence)) FROM {table.name}"))
        new.commit()


def _as_before(now: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The current answer without the fields that the earlier version did not have."""
    return {kind: [{name: item[name] for name in then} for item, then in zip(now[kind], before[kind], strict=True)] for kind in before}


def _place(item: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(item[name] for name in ("monitor", "column", "segment", "window_start", "window_end"))
