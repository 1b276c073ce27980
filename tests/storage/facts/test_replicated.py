"""On a ClickHouse cluster each DDL statement names the cluster, and each table is replicated. The text is checked, because no Keeper runs here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from core import moment
from core.error import Retryable
from storage.facts.engine import Engine
from storage.facts.migration import FOLDER, migrate, statements
from storage.facts.replicated import replicated
from storage.facts.retention import retain
from storage.facts.view import show
from tests.storage.facts.test_facts import CONTRACT

ALL = [statement for file in sorted(FOLDER.iterdir(), key=str) if file.name.endswith(".sql") for statement in statements(file.read_text())]


@pytest.mark.parametrize("statement", [text for text in ALL if text.startswith("CREATE")], ids=lambda text: text.split("\n")[0])
def test_tables_are_replicated_and_remember_tokens_for_a_week(statement: str) -> None:
    """The engine keeps its own arguments behind path and replica, columns and order are those of a single server, and no setting is for one."""
    found = replicated(statement, "main")
    assert found.split("\n")[0] == statement.split("\n", maxsplit=1)[0] + " ON CLUSTER 'main'"
    kind, arguments = re.findall(r"ENGINE = (\w+)\((.*?)\)$", found, re.MULTILINE)[0]
    was, own = re.findall(r"ENGINE = (\w+)(?:\((.*?)\))?$", statement, re.MULTILINE)[0]
    assert (kind, arguments) == (f"Replicated{was}", ", ".join(filter(None, ["'/clickhouse/tables/{uuid}/{shard}', '{replica}'", own])))
    assert "non_replicated" not in found
    window = "replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 604800"
    assert (window in found) == ("deduplication_window" in statement)
    assert found[found.index("\n") :].split("\nENGINE")[0] == statement[statement.index("\n") :].split("\nENGINE", maxsplit=1)[0]


class Cluster(Engine):
    """An engine of a cluster that notes what it is told: none of ours can listen to a keeper."""

    def __init__(self) -> None:
        super().__init__("nowhere", "watchkeeper", "main")
        self.told: list[str] = []

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Nothing is there."""
        return pa.table({"name": [], "checksum": []})

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> str:
        """Note it."""
        self.told.append(sql)
        return ""

    def close(self) -> None:
        """Nothing is open."""

    def _client(self) -> Any:
        raise AssertionError("nothing is to be sent")


def test_whatever_defines_tables_does_so_on_every_replica() -> None:
    """Migrations with the table that notes them, retention and views name the cluster; what copies rows runs on one replica."""
    engine = Cluster()
    migrate(engine)
    retain(engine, moment.DAY)
    show(engine, [CONTRACT])
    defined = [sql for sql in engine.told if not sql.startswith("INSERT")]
    assert len(defined) == 1 + len([sql for sql in ALL if not sql.startswith("INSERT")]) + (3 + 2) + 1
    assert [sql for sql in defined if "ON CLUSTER 'main'" not in sql] == []
    assert [sql for sql in defined if re.search(r"ENGINE = (?!Replicated)", sql)] == []
    assert [sql for sql in engine.told if sql.startswith("INSERT") and "CLUSTER" in sql] == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("ALTER TABLE labels REMOVE TTL", "ALTER TABLE labels ON CLUSTER 'it\\'s' REMOVE TTL"),
        ("DROP TABLE IF EXISTS kept", "DROP TABLE IF EXISTS kept ON CLUSTER 'it\\'s'"),
        ("CREATE OR REPLACE VIEW `events_a b\\`c` AS SELECT 1", "CREATE OR REPLACE VIEW `events_a b\\`c` ON CLUSTER 'it\\'s' AS SELECT 1"),
        ("CREATE DATABASE IF NOT EXISTS w ENGINE = Atomic", "CREATE DATABASE IF NOT EXISTS w ON CLUSTER 'it\\'s' ENGINE = Atomic"),
    ],
)
def test_the_cluster_stands_behind_the_name(statement: str, expected: str) -> None:
    """In each kind of statement, whatever stands in the names."""
    assert replicated(statement, "it's") == expected


def test_a_statement_that_is_not_known_is_refused() -> None:
    """Better no start than a table on one replica only."""
    with pytest.raises(ValueError, match="RENAME TABLE a TO b"):
        replicated("RENAME TABLE a TO b", "main")


class Crowd(Cluster):
    """A cluster in which others insert into the same table: it refuses so many statements, and notes what is sent."""

    def __init__(self, refusals: float, code: int = 286) -> None:
        super().__init__()
        self.refusals, self.code = refusals, code
        self.sent: list[object] = []

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> str:
        """As an engine does."""
        return Engine.command(self, sql, parameters)

    def _client(self) -> Any:
        return SimpleNamespace(insert_arrow=lambda *_, settings, **__: self._take(settings), command=lambda *sql: self._take(sql))

    def _take(self, what: object) -> str:
        self.sent.append(what)
        if len(self.sent) <= self.refusals:
            error = DatabaseError("Quorum for previous write has not been satisfied yet")
            error.code = self.code
            raise error
        return "done"


def test_an_insert_waits_until_others_have_their_quorum() -> None:
    """It is sent again as it was, under the same token, also where it was given none; so is a statement that inserts what it asks for."""
    for token in ("t", None):
        crowd = Crowd(3)
        crowd.insert("labels", pa.table({"x": [1]}), token)
        assert len(crowd.sent) == 4
        assert crowd.sent == [crowd.sent[0]] * 4
    crowd = Crowd(3)
    assert (crowd.command("INSERT INTO outcomes SELECT 1"), len(crowd.sent)) == ("done", 4)


def test_an_insert_does_not_wait_for_ever_nor_for_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds it is Retryable; another fault is told at once."""
    monkeypatch.setattr(Engine, "TURN", 0.2)
    crowd = Crowd(math.inf)
    with pytest.raises(Retryable, match="UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE"):
        crowd.insert("labels", pa.table({"x": [1]}))
    assert len(crowd.sent) > 1
    crowd = Crowd(math.inf, 285)
    with pytest.raises(Retryable, match="TOO_FEW_LIVE_REPLICAS"):
        crowd.insert("labels", pa.table({"x": [1]}))
    assert len(crowd.sent) == 1
