"""The disks of the fact server."""

from __future__ import annotations

from core.disk import Disk
from core.error import Fatal
from storage.facts.engine import Engine


def disks(engine: Engine) -> list[Disk]:
    """The disks of the server that answers; none if the account may not see them."""
    try:
        rows = engine.query("SELECT name, free_space, total_space FROM system.disks").to_pylist()
    except Fatal:
        return []
    return [Disk(f"ClickHouse ({row['name']})", int(row["free_space"]), int(row["total_space"])) for row in rows if row["total_space"]]
