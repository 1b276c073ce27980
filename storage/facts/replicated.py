"""The same tables on a cluster: a statement of DDL as its replicas take it.

A cluster is one shard with any number of replicas: every table stands whole on each of them, and any of them can be asked. Several shards would
need Distributed tables in front, which are not there yet.
"""

from __future__ import annotations

import re

_NAME = r"(?:`(?:[^`\\]|\\.)*`|[\w.]+)"
# Each kind of statement up to the place at which it names the cluster.
_HEAD = re.compile(
    rf"(?:CREATE (?:OR REPLACE )?(?:TABLE|VIEW) (?:IF NOT EXISTS )?{_NAME}"
    rf"|CREATE DATABASE (?:IF NOT EXISTS )?{_NAME}"
    rf"|ALTER TABLE {_NAME}"
    rf"|DROP (?:TABLE|VIEW) (?:IF EXISTS )?{_NAME})"
)
_ENGINE = re.compile(r"\bENGINE = (\w*MergeTree)(?:\(([^)]*)\))?")
_PLACE = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'"
# As long as the longest halt after which a batch may still be sent again.
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
