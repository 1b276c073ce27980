"""How long raw events are kept: counted from when the log took them, never from event time, and off unless set.

A time to live on event time would delete a replayed year within seconds.
"""

from __future__ import annotations

from core import moment
from storage.facts.engine import Engine

TABLES = ("predictions", "labels", "dead_letters")


def retain(engine: Engine, retention: int | None) -> None:
    """Keep raw events for `retention` microseconds, None for ever; what is so already costs a look. The store drops whole parts, up to a month later."""
    held = "SELECT name, extract(create_table_query, ' TTL (.+?) SETTINGS') AS ttl FROM system.tables WHERE database = currentDatabase()"
    limits = {row["name"]: row["ttl"] for row in engine.query(held).to_pylist()}
    wanted = "" if retention is None else f"toDateTime(logged) + toIntervalSecond({retention // moment.SECOND})"
    for table in TABLES:
        if limits.get(table, "") != wanted:
            engine.define(f"ALTER TABLE {table} " + (f"MODIFY TTL {wanted}" if wanted else "REMOVE TTL"))
