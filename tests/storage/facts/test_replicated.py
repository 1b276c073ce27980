"""On a cluster each statement of DDL names it, and each table is replicated. Checked on the text: there is no keeper here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from core import moment
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
