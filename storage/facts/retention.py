"""Retention of raw events: off unless set, and counted from when the log took an event, never from event time.

Retention by event time would delete a replayed year within seconds.
"""

from __future__ import annotations

from core import moment
from storage.facts.engine import Engine

TABLES = ("predictions", "labels", "dead_letters")
# The latest event time at each hour of the log: `Batches` reads it in every round if there is a retention.
_HOURS = "by_hour (SELECT model, topic, toStartOfHour(logged), countIf(rows > 0), maxIf(last_ts, rows > 0) GROUP BY model, topic, toStartOfHour(logged))"


def retain(engine: Engine, retention: int | None) -> None:
    """Keep raw events for `retention` microseconds, None for ever. If that is set already, it costs one query.

    The store drops whole parts, up to a month later.
    """
    held = (
        "SELECT name, extract(create_table_query, ' TTL (.+?) SETTINGS') AS ttl, position(create_table_query, 'PROJECTION by_hour') AS hours"
        " FROM system.tables WHERE database = currentDatabase()"
    )
    rows = engine.query(held).to_pylist()
    limits = {row["name"]: row["ttl"] for row in rows}
    wanted = "" if retention is None else f"toDateTime(logged) + toIntervalSecond({retention // moment.SECOND})"
    for table in TABLES:
        if limits.get(table, "") != wanted:
            engine.define(f"ALTER TABLE {table} " + (f"MODIFY TTL {wanted}" if wanted else "REMOVE TTL"))
    if retention is not None and not any(row["hours"] for row in rows):
        engine.define(f"ALTER TABLE batches ADD PROJECTION IF NOT EXISTS {_HOURS}")
        engine.define("ALTER TABLE batches MATERIALIZE PROJECTION by_hour")
