"""Requests for retraining, and the transactions in which they change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, func, or_, select, update

from core.document_name import OVERDUE
from core.episode import Episode, Rule
from core.error import ConfigError
from core.hook import Hook
from core.retrain import Retrain, RetrainState
from storage.control.audit import audit
from storage.control.bulk import CHUNK
from storage.control.engine import Database, insert, upsert
from storage.control.hook import hook_of, hooks_of
from storage.control.ledger import Ledger
from storage.control.schema import CURSOR, EPISODE, HOOK, RETRAIN, RETRAIN_EPISODE, RULE

_PAST = 200  # requests of a model that decisions look back on, and as many runs
_RULES = CHUNK // 3  # episodes whose rules are read in one query


class RetrainTransaction(Ledger):
    """One transaction about requests. One that was opened to write overlaps no other, in any process."""

    def __init__(self, connection: Connection, now: int, actor: str = "") -> None:
        super().__init__(connection)
        self.now, self.actor = now, actor

    def hooks(self) -> list[Hook]:
        """All hooks, by name."""
        return hooks_of(self._connection)

    def hook(self, name: str) -> Hook | None:
        """A hook; None if there is none of this name."""
        return hook_of(self._connection, name)

    def scheduled(self, hook: str) -> int:
        """Up to when the schedule of a hook was looked at."""
        return self._connection.execute(select(HOOK.c.scheduled).where(HOOK.c.name == hook)).scalar() or 0

    def schedule(self, hook: str, at: int) -> None:
        """Note that the schedule of a hook was looked at."""
        self._connection.execute(update(HOOK).where(HOOK.c.name == hook).values(scheduled=at))

    def open(self) -> list[Retrain]:
        """The requests that have not ended, the oldest first."""
        return _read(
            self._connection, select(RETRAIN.c.payload).where(RETRAIN.c.ended_at.is_(None)).order_by(RETRAIN.c.created, RETRAIN.c.id)
        )

    def past(self, model: str) -> list[Retrain]:
        """The requests of a model that decisions rest on, the newest last: those that are open, the last ones, and the last that were dispatched, however many came since."""
        own, columns = RETRAIN.c.model == model, RETRAIN.c
        last = select(columns.id).where(own).order_by(columns.created.desc(), columns.id.desc()).limit(_PAST)
        ran = select(columns.id).where(own, columns.dispatched_at.is_not(None)).order_by(columns.dispatched_at.desc()).limit(_PAST)
        kept = or_(columns.ended_at.is_(None), columns.id.in_(last), columns.id.in_(ran))
        return _read(self._connection, select(columns.payload).where(own, kept).order_by(columns.created, columns.id))

    def begun(self, since: int, model: str | None = None) -> int:
        """How many runs of a model, or of all, began after a time."""
        query = select(func.count()).select_from(RETRAIN).where(RETRAIN.c.dispatched_at > since)
        return self._connection.execute(query if model is None else query.where(RETRAIN.c.model == model)).scalar_one()

    def retrain(self, name: str) -> Retrain | None:
        """A request; None if there is none of this id."""
        return retrain_of(self._connection, name)

    def asking(self, model: str) -> list[tuple[Episode, Rule | None]]:
        """The open episodes of a model, each with its rule."""
        query = (
            select(EPISODE.c.payload)
            .where(EPISODE.c.model == model, EPISODE.c.ended_at.is_(None))
            .order_by(EPISODE.c.fired_at, EPISODE.c.id)
        )
        episodes = [msgspec.json.decode(payload, type=Episode) for payload in self._connection.execute(query).scalars()]
        rules = {}
        for start in range(0, len(episodes), _RULES):  # a model has many rules, and few that have an episode
            some, of = episodes[start : start + _RULES], RULE.c
            keys = (
                (of.monitor, {one.monitor for one in some}),
                (of.column, {one.column for one in some}),
                (of.segment, {one.segment for one in some}),
            )
            these = select(of.payload).where(of.model == model, *(column.in_(sorted(names)) for column, names in keys))
            for payload in self._connection.execute(these).scalars():
                rule = msgspec.json.decode(payload, type=Rule)
                if rule.episode is not None:
                    rules[rule.episode] = rule
        return [(one, rules.get(one.id)) for one in episodes]

    def told_overdue(self, model: str) -> int | None:
        """When the training of a model was due of which people were told last that it is overdue; None if they were told of none."""
        payload = self._connection.execute(select(CURSOR.c.payload).where(CURSOR.c.owner == OVERDUE + model)).scalar()
        return None if payload is None else int(msgspec.json.decode(payload, type=dict[str, int])["due"])

    def tell_overdue(self, model: str, due: int) -> None:
        """Note that people were told."""
        upsert(self._connection, CURSOR, [{"owner": OVERDUE + model, "payload": msgspec.json.encode({"due": due}).decode()}])

    def save(self, requests: Sequence[Retrain]) -> None:
        """Replace requests of the same id, or add them."""
        columns = ("id", "model", "hook", "state", "created", "ended_at", "due", "dispatched_at")
        upsert(self._connection, RETRAIN, [{**{name: getattr(one, name) for name in columns}, "payload": _json(one)} for one in requests])
        rows = [{"episode": episode, "retrain": one.id} for one in requests for episode in one.episodes]
        if rows:
            self._connection.execute(insert(self._connection, RETRAIN_EPISODE).on_conflict_do_nothing(), rows)

    def audit(self, action: str, before: Retrain | None, after: Retrain) -> None:
        """Note in the audit what a person did about a request."""
        documents = (None if one is None else one.document() for one in (before, after))
        audit(self._connection, self.now, self.actor, action, after.id, *documents)


class Retrains(Database):
    """The requests, and what the loop that follows them asks."""

    def retrain_waits(self, now: int) -> bool:
        """Whether there may be something to do: a hook, or a request that is due."""
        due = select(RETRAIN.c.id).where(RETRAIN.c.ended_at.is_(None), RETRAIN.c.due <= now).limit(1)
        with self.read() as connection:
            return any(connection.execute(query).first() is not None for query in (select(HOOK.c.name).limit(1), due))

    @contextmanager
    def retraining(self, actor: str = "") -> Iterator[RetrainTransaction]:
        """A transaction that may change requests."""
        with self.write() as connection:
            yield RetrainTransaction(connection, self._clock.now(), actor)

    @contextmanager
    def retrain_reading(self) -> Iterator[RetrainTransaction]:
        """A transaction that changes nothing."""
        with self.read() as connection:
            yield RetrainTransaction(connection, self._clock.now())

    def claim_retrains(self, now: int, lease: int, most: int, busy: Collection[str] = ()) -> list[Retrain]:
        """Claim requests that are due and that no process has, for so long; without a lease claims of others do not count, and only `busy` ones are left out."""
        due = and_(RETRAIN.c.ended_at.is_(None), RETRAIN.c.due <= now)
        with self.read() as connection:
            if connection.execute(select(RETRAIN.c.id).where(due).limit(1)).first() is None:
                return []
        with self.write() as connection:
            found = _read(connection, select(RETRAIN.c.payload).where(due).order_by(RETRAIN.c.due, RETRAIN.c.id))
            free = [one for one in found if one.id not in busy and not (lease and one.claimed is not None and one.claimed > now)][:most]
            claimed = [msgspec.structs.replace(one, claimed=now + (lease or 1)) for one in free]
            RetrainTransaction(connection, now).save(claimed)
            return claimed

    def retrains(
        self, model: str | None = None, states: Collection[RetrainState] = (), limit: int = 100, after: str | None = None
    ) -> tuple[list[Retrain], str | None]:
        """Requests, the newest first, and the cursor of the next page. ConfigError if `after` is no cursor."""
        query: Select[Any] = select(RETRAIN.c.payload).order_by(RETRAIN.c.created.desc(), RETRAIN.c.id.desc()).limit(limit + 1)
        if after is not None:
            created, _, name = after.partition("-")
            if not (created.isascii() and created.isdigit() and len(created) < 19 and name):
                raise ConfigError(f"{after[:60]!r} is not a cursor", remedy="send the `next` of the page before, as it is")
            query = query.where(or_(RETRAIN.c.created < int(created), and_(RETRAIN.c.created == int(created), RETRAIN.c.id < name)))
        query = query if model is None else query.where(RETRAIN.c.model == model)
        query = query.where(RETRAIN.c.state.in_([state.value for state in states])) if states else query
        with self.read() as connection:
            found = _read(connection, query)
        last = found[limit - 1] if len(found) > limit else None
        return found[:limit], None if last is None else f"{last.created}-{last.id}"

    def ran(self, model: str, limit: int) -> list[Retrain]:
        """The requests of a model whose target was asked, the last one first, however many others came since."""
        query = select(RETRAIN.c.payload).where(RETRAIN.c.model == model, RETRAIN.c.dispatched_at.is_not(None))
        with self.read() as connection:
            return _read(connection, query.order_by(RETRAIN.c.dispatched_at.desc(), RETRAIN.c.id).limit(limit))

    def retrain(self, name: str) -> Retrain | None:
        """A request; None if there is none of this id."""
        with self.read() as connection:
            return retrain_of(connection, name)


def retrain_of(connection: Connection, name: str) -> Retrain | None:
    """A request; None if there is none of this id."""
    payload = connection.execute(select(RETRAIN.c.payload).where(RETRAIN.c.id == name)).scalar()
    return None if payload is None else msgspec.json.decode(payload, type=Retrain)


def retrains_of(connection: Connection, episodes: Sequence[str]) -> dict[str, list[str]]:
    """By episode, the requests that it made or joined, the oldest first."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(episodes), CHUNK):
        query = (
            select(RETRAIN_EPISODE.c.episode, RETRAIN_EPISODE.c.retrain)
            .join(RETRAIN, RETRAIN.c.id == RETRAIN_EPISODE.c.retrain)
            .where(RETRAIN_EPISODE.c.episode.in_(episodes[start : start + CHUNK]))
            .order_by(RETRAIN.c.created, RETRAIN.c.id)
        )
        for row in connection.execute(query):
            found.setdefault(row.episode, []).append(row.retrain)
    return found


def _read(connection: Connection, query: Select[Any]) -> list[Retrain]:
    return [msgspec.json.decode(payload, type=Retrain) for payload in connection.execute(query).scalars()]


def _json(value: Retrain) -> str:
    return msgspec.json.encode(value).decode()
