"""The same tables on a ClickHouse cluster: rewrites a DDL statement for replicated tables.

A cluster is one shard with any number of replicas. Each replica has the whole of every table, and any replica can be queried. Several shards would
need Distributed tables, which are not built yet.
"""

from __future__ import annotations

import re

_NAME = r"(?:`(?:[^`\\]|\\.)*`|[\w.]+)"
# Each kind of statement, up to where ON CLUSTER is put.
_HEAD = re.compile(
    rf"(?:CREATE (?:OR REPLACE )?(?:TABLE|VIEW) (?:IF NOT EXISTS )?{_NAME}"
    rf"|CREATE DATABASE (?:IF NOT EXISTS )?{_NAME}"
    rf"|ALTER TABLE {_NAME}"
    rf"|DROP (?:TABLE|VIEW) (?:IF EXISTS )?{_NAME})"
)
_ENGINE = re.compile(r"\bENGINE = (\w*MergeTree)(?:\(([^)]*)\))?")
_PLACE = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'"
# Tokens are remembered for the longest halt after which a batch may still be sent again.
_WINDOW = re.compile(r"\bnon_replicated_deduplication_window = (\d+)")
_WEEK = 604_800


def replicated(sql: str, cluster: str) -> str:
    """The statement on every replica of `cluster`, its table replicated between them. An INSERT stays what it is: replicas copy its rows.

    >>> replicated("DROP TABLE IF EXISTS t", "main")
    "DROP TABLE IF EXISTS t ON CLUSTER 'main'"
    """
    if sql.startswith("INSERT "):
        return sql
    if (head := _HEAD.match(sql)) is None:
        raise ValueError(f"where does this statement name the cluster? {sql[:80]}")
    quoted = cluster.replace("\\", "\\\\").replace("'", "\\'")
    sql = f"{head[0]} ON CLUSTER '{quoted}'{sql[head.end() :]}"
    sql = _ENGINE.sub(lambda engine: f"ENGINE = Replicated{engine[1]}({', '.join(filter(None, (_PLACE, engine[2])))})", sql)
    return _WINDOW.sub(rf"replicated_deduplication_window = \1, replicated_deduplication_window_seconds = {_WEEK}", sql)
