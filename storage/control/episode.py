"""Queries about episodes: lists, one by id, its timeline, counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection, and_, func, or_, select

from core.episode import Delivery, Episode, Level, Transition
from core.error import ConfigError
from storage.control.bulk import CHUNK
from storage.control.ledger import Ledger, Ledgers, delivery_of
from storage.control.policy import beside
from storage.control.retrain import retrains_of
from storage.control.schema import EPISODE, OUTBOX, TRANSITION


class Episodes(Ledgers):
    """The queries of the API and the pages."""

    def episodes(
        self,
        state: Literal["open", "closed"] | None = None,
        model: str | None = None,
        limit: int = 100,
        after: str | None = None,
        *,
        monitor: str | None = None,
    ) -> tuple[list[Episode], str | None]:
        """Episodes, the last fired first, and the cursor of the next page. ConfigError if `after` is no cursor."""
        query = select(EPISODE.c.id, EPISODE.c.fired_at).order_by(EPISODE.c.fired_at.desc(), EPISODE.c.id.desc()).limit(limit + 1)
        if state is not None:
            query = query.where(EPISODE.c.ended_at.is_(None) if state == "open" else EPISODE.c.ended_at.is_not(None))
        if model is not None:
            query = query.where(EPISODE.c.model == model)
        if monitor is not None:
            query = query.where(EPISODE.c.monitor == monitor)
        if after is not None:
            fired_at, name = _parse(after)
            query = query.where(or_(EPISODE.c.fired_at < fired_at, and_(EPISODE.c.fired_at == fired_at, EPISODE.c.id < name)))
        with self.read() as connection:
            rows = connection.execute(query).all()
            page = _whole(connection, [row.id for row in rows[:limit]])
        return page, f"{rows[limit - 1].fired_at}.{rows[limit - 1].id}" if len(rows) > limit else None

    def episode(self, episode_id: str) -> Episode | None:
        """One episode, with its deliveries."""
        with self.read() as connection:
            return next(iter(_whole(connection, [episode_id])), None)

    def transitions(self, episode_id: str) -> list[Transition]:
        """The timeline of an episode, oldest first."""
        query = select(TRANSITION.c.payload).where(TRANSITION.c.episode == episode_id).order_by(TRANSITION.c.sequence)
        with self.read() as connection:
            return [msgspec.json.decode(payload, type=Transition) for payload in connection.execute(query).scalars()]

    def fired_spans(self, model: str, monitor: str, since: int) -> list[tuple[int, int | None]]:
        """`fired_at` and `ended_at` of the episodes of a monitor that had not ended by `since`, all in event time."""
        query = select(EPISODE.c.fired_at, EPISODE.c.ended_at).where(EPISODE.c.model == model, EPISODE.c.monitor == monitor)
        query = query.where(or_(EPISODE.c.ended_at.is_(None), EPISODE.c.ended_at > since)).order_by(EPISODE.c.fired_at)
        with self.read() as connection:
            return [(row.fired_at, row.ended_at) for row in connection.execute(query)]

    def open_episodes(self) -> dict[str, int]:
        """How many episodes are open, by model; models without are left out."""
        query = select(EPISODE.c.model, func.count()).where(EPISODE.c.ended_at.is_(None)).group_by(EPISODE.c.model)
        with self.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def open_levels(self) -> dict[str, set[tuple[str, Level]]]:
        """By model, the measures and levels of its open episodes; models without are left out."""
        query = select(EPISODE.c.model, EPISODE.c.payload).where(EPISODE.c.ended_at.is_(None))
        found: dict[str, set[tuple[str, Level]]] = {}
        with self.read() as connection:
            for model, payload in connection.execute(query):
                one = msgspec.json.decode(payload, type=_Open)
                found.setdefault(model, set()).add((one.measure, one.level))
        return found


def _whole(connection: Connection, ids: Sequence[str]) -> list[Episode]:
    """Episodes with all that is stored beside them: deliveries, also those of their groups and digests, decisions, handling and timeline."""
    found = beside(connection, Ledger(connection).episodes(ids, bodies=True))
    groups = list({name for one in found for name in (one.decision.group, one.decision.digest) if name})
    timelines: dict[str, list[Transition]] = {}
    retrains = retrains_of(connection, ids)
    of_groups: dict[str, list[Delivery]] = {}
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        for row in connection.execute(select(TRANSITION).where(TRANSITION.c.episode.in_(chunk)).order_by(TRANSITION.c.sequence)):
            timelines.setdefault(row.episode, []).append(msgspec.json.decode(row.payload, type=Transition))
    for start in range(0, len(groups), CHUNK):
        chunk = groups[start : start + CHUNK]
        for row in connection.execute(select(OUTBOX).where(OUTBOX.c.episode.in_(chunk)).order_by(OUTBOX.c.sequence)):
            of_groups.setdefault(row.episode, []).append(delivery_of(row))
    return [
        msgspec.structs.replace(
            one,
            timeline=tuple(timelines.get(one.id, ())),
            retrains=tuple(retrains.get(one.id, ())),
            deliveries=(*one.deliveries, *of_groups.get(one.decision.group or "", ()), *of_groups.get(one.decision.digest or "", ())),
        )
        for one in found
    ]


class _Open(msgspec.Struct):
    """The fields of an episode that `open_levels` needs."""

    measure: str
    level: Level


def _parse(cursor: str) -> tuple[int, str]:
    fired_at, dot, name = cursor.partition(".")
    if not dot or not fired_at.lstrip("-").isascii() or not fired_at.lstrip("-").isdigit() or len(fired_at) > 19:
        raise ConfigError(f"{cursor[:60]!r} is not a cursor", remedy="send the `next` of the page before, as it is")
    return int(fired_at), name
