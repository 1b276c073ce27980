"""The tables of the control store, as the newest migration leaves them. Times are microseconds; payloads are JSON of core's values."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA = MetaData()
# SQLite counts by itself only in a column that is exactly INTEGER.
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _sequence() -> Column[int]:
    return Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True)


CONTRACT = Table(
    "contracts",
    METADATA,
    _key("model"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _text("payload"),
    _text("content"),
    Column("reference", LargeBinary),
    _number("created_at"),
)
MONITOR = Table("monitors", METADATA, _key("model"), _key("name"), Column("revision", Integer, nullable=False), _text("payload"))
MONITOR_HISTORY = Table(
    "monitor_history",
    METADATA,
    _key("model"),
    _key("name"),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    _text("payload"),
    _number("created_at"),
)
DESTINATION = Table("destinations", METADATA, _key("name"), _text("payload"))
CURSOR = Table("cursors", METADATA, _key("owner"), _text("payload"), Column("epoch", BigInteger, nullable=False, server_default="0"))
RULE = Table("rules", METADATA, _key("model"), _key("monitor"), _key("column"), _key("segment"), _text("payload"))
EPISODE = Table(
    "episodes",
    METADATA,
    _key("id"),
    _text("model"),
    _text("monitor"),
    _number("fired_at"),
    _number("ended_at", nullable=True),
    _text("payload"),
    Index("episodes_by_time", "fired_at", "id"),
    Index("episodes_by_model", "model", "ended_at"),
)
TRANSITION = Table(
    "transitions",
    METADATA,
    _sequence(),
    _text("episode"),
    _number("recorded"),
    _text("payload"),
    Index("transitions_by_episode", "episode"),
)
OUTBOX = Table(
    "outbox",
    METADATA,
    _sequence(),
    Column("id", Text, nullable=False, unique=True),
    _text("destination"),
    _text("episode"),
    _text("type"),
    _text("body"),
    _text("state"),
    Column("attempts", Integer, nullable=False),
    _number("created"),
    _number("due"),
    Column("last_status", Integer),
    _text("reason"),
    Index("outbox_by_state", "state", "destination", "sequence"),
    Index("outbox_by_episode", "episode"),
)
AUDIT = Table("audit", METADATA, _sequence(), _number("at"), _text("actor"), _text("action"), _text("subject"), _text("payload"))
