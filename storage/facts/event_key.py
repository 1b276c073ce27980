"""The columns by which lists of events are sorted."""

from __future__ import annotations

from typing import NamedTuple

from core.event_query import Order


class Key(NamedTuple):
    """A column by which events are sorted: its name, its expression, and its type in SQL and in a cursor."""

    name: str
    sql: str
    kind: str
    type: type


ID, AT, LOSS = (
    Key("prediction_id", "prediction_id", "String", str),
    Key("at", "toUnixTimestamp64Micro(ts)", "Int64", int),
    Key("loss", "loss", "Float64", float),
)
ORDERS: dict[Order, tuple[tuple[Key, ...], str]] = {
    "newest": ((AT, ID), "DESC"),
    "oldest": ((AT, ID), "ASC"),
    "worst": ((LOSS, AT, ID), "DESC"),
}
