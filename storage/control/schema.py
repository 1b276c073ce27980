"""The tables of the control store, as the newest migration leaves them. Times are microseconds; payloads are JSON of core's values."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from storage.control.kind import Key, Name, Outcome

METADATA = MetaData()
# SQLite counts by itself only in a column that is exactly INTEGER.
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")


def _key(name: str) -> Column[str]:
    return Column(name, Name, primary_key=True)


def _name(name: str) -> Column[str]:
    return Column(name, Name, nullable=False)


def _json(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)  # JSON writes NUL as an escape, so any database takes it


def _number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _sequence() -> Column[int]:
    return Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True)


CONTRACT = Table(
    "contracts",
    METADATA,
    _key("model"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _json("payload"),
    _name("content"),
    Column("reference", LargeBinary),
    _number("created_at"),
)
MONITOR = Table("monitors", METADATA, _key("model"), _key("name"), Column("revision", Integer, nullable=False), _json("payload"))
MONITOR_HISTORY = Table(
    "monitor_history",
    METADATA,
    _key("model"),
    _key("name"),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    _json("payload"),
    _number("created_at"),
)
# Budgets of models as a whole, one a model.
MODEL_BUDGET = Table("model_budgets", METADATA, _key("model"), _name("name"), _json("payload"))
# Deleted monitors: the last revision, and the contract version of the readings. A row stays when the name is defined again.
RETIRED_MONITOR = Table(
    "retired_monitors",
    METADATA,
    _key("model"),
    _key("name"),
    Column("revision", Integer, nullable=False),
    Column("contract", Integer, nullable=False),
    _number("retired_at"),
)
# Deleted models: the last contract version. Later versions are of a model that was made again. `purge` is 1 while the facts are to be removed.
RETIRED_MODEL = Table(
    "retired_models",
    METADATA,
    _key("model"),
    Column("version", Integer, nullable=False),
    _number("retired_at"),
    Column("purge", Integer, nullable=False),
)
DESTINATION = Table("destinations", METADATA, _key("name"), _json("payload"))
CURSOR = Table("cursors", METADATA, _key("owner"), _json("payload"), Column("epoch", BigInteger, nullable=False, server_default="0"))
RULE = Table(
    "rules",
    METADATA,
    _key("model"),
    _key("monitor"),
    Column("column", Key, primary_key=True),
    Column("segment", Key, primary_key=True),
    _json("payload"),
)
EPISODE = Table(
    "episodes",
    METADATA,
    _key("id"),
    _name("model"),
    _name("monitor"),
    _number("fired_at"),
    _number("ended_at", nullable=True),
    _json("payload"),
    Index("episodes_by_time", "fired_at", "id"),
    Index("episodes_by_model", "model", "ended_at"),
)
_OPEN = EPISODE.c.ended_at.is_(None)
Index("episodes_open", EPISODE.c.fired_at, EPISODE.c.id, sqlite_where=_OPEN, postgresql_where=_OPEN)
TRANSITION = Table(
    "transitions",
    METADATA,
    _sequence(),
    _name("episode"),
    _number("recorded"),
    _json("payload"),
    Index("transitions_by_episode", "episode"),
)
OUTBOX = Table(
    "outbox",
    METADATA,
    _sequence(),
    Column("id", Name, nullable=False, unique=True),
    _name("destination"),
    _name("episode"),
    _name("type"),
    _json("body"),
    Column("state", Outcome, nullable=False),
    Column("attempts", Integer, nullable=False),
    _number("created"),
    _number("due"),
    Column("last_status", Integer),
    _name("reason"),
    Column("rank", Integer, nullable=False),
    _number("queued"),
    _number("begun", nullable=True),
    Index("outbox_by_state", "state", "destination", "sequence"),
    Index("outbox_by_episode", "episode"),
    Index("outbox_by_thread", "episode", "destination", "sequence"),
)
Index("outbox_by_rank", OUTBOX.c.state, OUTBOX.c.destination, OUTBOX.c.rank.desc(), OUTBOX.c.sequence)
# The receivers of destinations, as attempts have found them.
ENDPOINT = Table(
    "endpoints",
    METADATA,
    _key("destination"),
    _number("claimed", nullable=True),
    _number("opens"),
    Column("failures", Integer, nullable=False),
)
ATTEMPT = Table(
    "attempts",
    METADATA,
    _sequence(),
    _name("delivery"),
    _number("began"),
    _number("ended"),
    Column("status", Integer),
    _name("reason"),
    Index("attempts_by_delivery", "delivery", "sequence"),
)
POLICY = Table("policies", METADATA, _key("name"), _json("payload"))
SILENCE = Table("silences", METADATA, _key("id"), _number("ends_at"), _json("payload"))
# Episodes at which the policy has to look; "" is for what concerns all of them.
NOTICE = Table("notices", METADATA, _sequence(), _name("episode"))
ALERT_GROUP = Table(
    "alert_groups", METADATA, _key("id"), _number("closed_at", nullable=True), _json("payload"), Index("alert_groups_by_end", "closed_at")
)
DECISION = Table("episode_decisions", METADATA, _key("episode"), _json("payload"))
ACT = Table("episode_acts", METADATA, _sequence(), _name("episode"), _json("payload"), Index("episode_acts_by_episode", "episode"))
# `scheduled` is the time up to which the hook's schedule was looked at.
HOOK = Table("hooks", METADATA, _key("name"), _name("model"), _number("scheduled"), _json("payload"))
RETRAIN = Table(
    "retrains",
    METADATA,
    _key("id"),
    _name("model"),
    _name("hook"),
    _name("state"),
    _number("created"),
    _number("ended_at", nullable=True),
    _number("due"),
    _number("dispatched_at", nullable=True),
    _json("payload"),
    Index("retrains_by_time", "created", "id"),
    Index("retrains_by_end", "ended_at", "due"),
    Index("retrains_by_model", "model", "created"),
    Index("retrains_by_dispatch", "dispatched_at"),
)
RETRAIN_EPISODE = Table("retrain_episodes", METADATA, _key("episode"), _key("retrain"))
AUDIT = Table(
    "audit",
    METADATA,
    _sequence(),
    _number("at"),
    _name("actor"),
    _name("action"),
    _name("subject"),
    _json("payload"),  # after the change
    Column("before", Text, nullable=False, server_default="null"),
)
