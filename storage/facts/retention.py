"""How long raw events are kept: counted from when the log took them, never from event time, and off unless set.

A time to live on event time would delete a replayed year within seconds.
"""

from __future__ import annotations

from core import moment
from storage.facts.engine import Engine

TABLES = ("predictions", "labels", "dead_letters")


def retain(engine: Engine, retention: int | None) -> None:
    """Keep raw events for `retention` microseconds, None for ever. The store drops whole parts, up to a month later."""
    for table in TABLES:
        sql = "SELECT create_table_query LIKE '% TTL %' AS limited FROM system.tables WHERE database = currentDatabase() AND name = {name:String}"
        if retention is not None:
            engine.define(f"ALTER TABLE {table} MODIFY TTL toDateTime(logged) + INTERVAL {retention // moment.SECOND} SECOND")
        elif engine.query(sql, {"name": table}).to_pylist()[0]["limited"]:
            engine.define(f"ALTER TABLE {table} REMOVE TTL")
