"""Windows and baselines of monitors become values with a kind; before they were a length and a name."""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BASELINES = {"reference": {"kind": "reference"}, "previous": {"kind": "previous", "count": 1}}


def upgrade() -> None:
    """Rewrite monitors, their history, and the definitions that episodes keep."""
    monitors = sa.table("monitors", sa.column("model"), sa.column("name"), sa.column("payload"))
    history = sa.table("monitor_history", sa.column("model"), sa.column("name"), sa.column("revision"), sa.column("payload"))
    episodes = sa.table("episodes", sa.column("id"), sa.column("payload"))
    _rewrite(monitors, _monitor)
    _rewrite(history, _monitor)
    _rewrite(episodes, lambda episode: _monitor(episode["definition"]))


def _rewrite(table: sa.TableClause, change: Callable[[dict[str, Any]], None]) -> None:
    connection = op.get_bind()
    key = [column for column in table.c if column.name != "payload"]
    for row in connection.execute(sa.select(table)).mappings().all():
        payload = json.loads(row["payload"])
        change(payload)
        place = sa.and_(*(column == row[column.name] for column in key))
        connection.execute(sa.update(table).where(place).values(payload=json.dumps(payload, ensure_ascii=False, separators=(",", ":"))))


def _monitor(monitor: dict[str, Any]) -> None:
    if isinstance(monitor["window"], int):
        monitor["window"] = {"kind": "tumbling", "length": monitor["window"]}
    if isinstance(monitor["baseline"], str):
        monitor["baseline"] = _BASELINES[monitor["baseline"]]
