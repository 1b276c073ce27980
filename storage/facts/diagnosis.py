"""Diagnosis of the fact server: can it be reached, is it new enough, do we have the rights that we need, is its schema the newest?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from importlib import resources

from core.error import Fatal, Retryable
from core.finding import Finding, clock, refused, version
from storage.facts.engine import Engine

LEAST = (25, 3)
NAME = "clickhouse"
_WHY = "earlier long-term releases lack CHECK GRANT, and nothing before it was tried"
# The rights that the account needs on the database; docs/operations.md has the GRANTs.
RIGHTS = ("SELECT", "INSERT", "ALTER TABLE", "CREATE TABLE", "CREATE VIEW", "DROP TABLE", "DROP VIEW")


def diagnose(open_: Callable[[], Engine], database: str, cluster: str | None) -> Iterator[Finding]:
    """The findings about a ClickHouse server. The first says whether it answers; if not, there is no other.

    `open_` connects to a database that is always there, so that the diagnosis creates none. `database` and `cluster` are the settings'.
    """
    try:
        engine = open_()
    except (Retryable, Fatal) as error:
        yield refused(NAME, error, "clickhouse.url")
        return
    try:
        yield Finding(NAME, well=True, seen="answers")
        asked = time.time_ns() // 1_000
        answer = engine.query("SELECT version() AS version, toUnixTimestamp64Micro(now64(6)) AS now").to_pylist()[0]
        yield version(NAME, answer["version"], LEAST, _WHY)
        yield clock(NAME, asked, answer["now"], time.time_ns() // 1_000)
        yield _rights(engine, database, cluster)
        if cluster:
            yield _cluster(engine, cluster)
        yield _schema(engine, database)
    except (Retryable, Fatal) as error:
        yield Finding(
            f"{NAME} questions", well=False, seen=str(error), remedy="an account of its own may be set to read only: see its profile"
        )
    finally:
        engine.close()


def lacking(engine: Engine, database: str, rights: Sequence[str]) -> list[str]:
    """Which of the rights the account lacks on a database, or on everything if that is `*`."""
    return [right for right in rights if engine.command(f"CHECK GRANT {right} ON {database}.*") != "1"]


def _rights(engine: Engine, database: str, cluster: str | None) -> Finding:
    there = engine.query("SELECT 1 FROM system.databases WHERE name = {name:String}", {"name": database}).num_rows
    user = engine.query("SELECT currentUser() AS user").to_pylist()[0]["user"]
    missing = lacking(engine, database, RIGHTS if there else (*RIGHTS, "CREATE DATABASE"))
    grants = [f"GRANT {', '.join(missing)} ON {database}.* TO {user}"] if missing else []
    if cluster and lacking(engine, "*", ("CLUSTER",)):
        grants.append(f"GRANT CLUSTER ON *.* TO {user}")
    return Finding(f"{NAME} rights", not grants, f"{user} lacks some" if grants else "granted", "; ".join(grants))


def _cluster(engine: Engine, cluster: str) -> Finding:
    hosts = engine.query("SELECT shard_num, host_name FROM system.clusters WHERE cluster = {name:String}", {"name": cluster}).to_pylist()
    shards = len({host["shard_num"] for host in hosts})
    remedy = "set clickhouse.cluster to one of system.clusters that has one shard: tables stand whole on each replica"
    return Finding(f"{NAME} cluster", shards == 1, f"{len(hosts)} replicas in {shards} shards", remedy)


def _schema(engine: Engine, database: str) -> Finding:
    known: set[str] = set()
    asked = {"name": database}
    if engine.query("SELECT 1 FROM system.tables WHERE database = {name:String} AND name = 'migrations'", asked).num_rows:
        known = set(engine.query(f"SELECT name FROM {database}.migrations")["name"].to_pylist())
    files = {file.name for file in (resources.files("storage.facts") / "migrations").iterdir() if file.name.endswith(".sql")}
    if newer := sorted(known - files):
        return Finding(
            f"{NAME} schema", well=False, seen=f"of a newer version ({', '.join(newer)})", remedy="install that version, or a newer one"
        )
    missing = sorted(files - known)
    seen = f"{', '.join(missing)} not applied" if missing else max(known)
    return Finding(f"{NAME} schema", not missing, seen, "run `watchkeeper migrate`")


def reached(engine: Engine) -> dict[tuple[str, int], int]:
    """By topic and partition, the last position of the log that the facts have, rejected rows included."""
    parts = "SELECT topic, partition, last AS position FROM batches UNION ALL SELECT topic, partition, position FROM dead_letters"
    rows = engine.query(f"SELECT topic, partition, max(position) AS last FROM ({parts}) GROUP BY topic, partition").to_pylist()
    return {(row["topic"], row["partition"]): row["last"] for row in rows}
