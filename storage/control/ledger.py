"""The ledger of alerts: rules, episodes, transitions and outbox rows, which are read and written in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from core.change import Change
from core.described import Described
from core.destination import Destination
from core.document_name import SYSTEM, TRUST
from core.episode import Delivery, DeliveryState, Ending, Episode, EpisodeRecord, Rule, State
from core.incident import Incident
from core.trust import Told, TrustState
from storage.control.bulk import CHUNK, insert_rows, read_rows, replace_rows, update_rows
from storage.control.change import changes
from storage.control.cursor import Fence, hold
from storage.control.engine import Database, upsert
from storage.control.schema import (
    ALERT_GROUP,
    CONTRACT,
    CURSOR,
    DESTINATION,
    EPISODE,
    NOTICE,
    OUTBOX,
    POLICY,
    RETIRED_MONITOR,
    RULE,
    TRANSITION,
)

_RULES, _EPISODES, _ENCODER = msgspec.json.Decoder(Rule), msgspec.json.Decoder(Episode), msgspec.json.Encoder()
_DELIVERY = Delivery.__struct_fields__
_fields = attrgetter(*_DELIVERY)
# The fields of a stored episode as JSON, so that one is changed without making values of the others.
_PARTS = msgspec.json.Decoder(
    msgspec.defstruct("Parts", [(name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in Episode.__struct_fields__], gc=False)
)


class _Told(msgspec.Struct, frozen=True):
    """The states of trust of a model that were told last: version, segment and state of each place; and to whom, None for all as an earlier version wrote it."""

    states: list[tuple[str, str, TrustState]] = []
    to: list[str] | None = None


class Ledger:
    """One transaction of the alert engine: what it reads does not change until it has written."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rules(self, model: str, *monitors: str) -> list[Rule]:
        """The rules of monitors of a model, of all revisions of their definitions."""
        found: list[Rule] = []
        for start in range(0, len(monitors), CHUNK):
            query = select(RULE.c.payload).where(RULE.c.model == model, RULE.c.monitor.in_(monitors[start : start + CHUNK]))
            found += map(_RULES.decode, self._connection.execute(query).scalars().all())
        return found

    def episodes(self, ids: Sequence[str], *, bodies: bool = False) -> list[Episode]:
        """The episodes with these ids, with their deliveries, in the order of the ids; unknown ones are left out. Deliveries have their `bodies`, which are large, if these are asked for."""
        names = [name for name in _DELIVERY if bodies or name != "body"]
        deliveries: dict[str, list[Delivery]] = {}
        for row in read_rows(self._connection, OUTBOX, names, "episode", ids, "sequence"):
            one = _delivery(dict(zip(names, row, strict=True)))
            deliveries.setdefault(one.episode, []).append(one)
        found = {
            name: _EPISODES.decode(payload) for name, payload in read_rows(self._connection, EPISODE, ("id", "payload"), "id", ids, "id")
        }
        whole = {name: tuple(deliveries[name]) for name in found if name in deliveries}
        return [
            msgspec.structs.replace(found[name], deliveries=whole[name]) if name in whole else found[name] for name in ids if name in found
        ]

    def own(self, ids: Sequence[str]) -> dict[str, bool]:
        """Which of these episodes have notifications of their own, and whether any was to be sent."""
        found: dict[str, bool] = {}
        for name, state in read_rows(self._connection, OUTBOX, ("episode", "state"), "episode", ids, "sequence"):
            found[name] = found.get(name, False) or state != DeliveryState.NOT_SENT.value
        return found

    def told(self, ids: Sequence[str]) -> set[str]:
        """Of these ids those of episodes with a notification of their own that was to be sent."""
        return {name for name, sent in self.own(ids).items() if sent}

    def destinations(self) -> list[Destination]:
        """All destinations, by name."""
        payloads = self._connection.execute(select(DESTINATION.c.payload).order_by(DESTINATION.c.name)).scalars()
        return [msgspec.json.decode(payload, type=Destination) for payload in payloads]

    def governed(self) -> tuple[bool, bool]:
        """Whether a policy says what is told, and whether groups are open, which may be those of a policy that was deleted."""
        policy, group = select(POLICY.c.name).limit(1), select(ALERT_GROUP.c.id).where(ALERT_GROUP.c.closed_at.is_(None)).limit(1)
        return self._connection.execute(policy).scalar() is not None, self._connection.execute(group).scalar() is not None

    def described(self, model: str) -> Described:
        """Owner, description and runbook of a model."""
        query = select(CONTRACT.c.payload).where(CONTRACT.c.model == model).order_by(CONTRACT.c.version.desc()).limit(1)
        payload = self._connection.execute(query).scalar()
        return Described() if payload is None else msgspec.json.decode(payload, type=Described)

    def changes(self, model: str, since: int, until: int) -> list[Change]:
        """The changes of a model in `[since, until)`, the first one first."""
        return changes(self._connection, model, since, until)

    def retired(self, model: str, *monitors: str) -> dict[str, int]:
        """Of these names those of deleted monitors, each with the revision that their readings carry."""
        found: dict[str, int] = {}
        for start in range(0, len(monitors), CHUNK):
            own = (RETIRED_MONITOR.c.model == model) & RETIRED_MONITOR.c.name.in_(monitors[start : start + CHUNK])
            found |= {row.name: row.revision for row in self._connection.execute(select(RETIRED_MONITOR).where(own))}
        return found

    def trust(self, model: str, where: str = TRUST) -> Told:
        """What was told last of the trust in a model, as the document of this prefix says."""
        payload = self._connection.execute(select(CURSOR.c.payload).where(CURSOR.c.owner == where + model)).scalar()
        if payload is None:
            return Told({})
        found = msgspec.json.decode(payload, type=_Told)
        states = {(version, segment): state for version, segment, state in found.states}
        return Told(states, None if found.to is None else frozenset(found.to))

    def save_trust(self, model: str, told: Told, where: str = TRUST) -> None:
        """Replace it."""
        kept = _Told([(*place, state) for place, state in told.states.items()], None if told.to is None else sorted(told.to))
        upsert(self._connection, CURSOR, [{"owner": where + model, "payload": _json(kept)}])

    def incident(self) -> Incident | None:
        """The incident of Watchkeeper itself that is open."""
        return incident_of(self._connection)

    def save_incident(self, incident: Incident | None) -> None:
        """Replace it; None if it is over."""
        if incident is None:
            self._connection.execute(delete(CURSOR).where(CURSOR.c.owner == SYSTEM))
        else:
            upsert(self._connection, CURSOR, [{"owner": SYSTEM, "payload": _json(incident)}])

    def write(self, record: EpisodeRecord) -> None:
        """Write the changes of a step. Rules and episodes replace those of the same key, endings are put into theirs; transitions and deliveries are added."""
        rules = [(one.model, one.monitor, one.column, one.segment, _json(one)) for one in record.rules]
        replace_rows(self._connection, RULE, ("model", "monitor", "column", "segment", "payload"), rules)
        changing = ("ended_at", "payload")  # of an episode: an index of other columns is left as it is
        replace_rows(self._connection, EPISODE, ("id", "model", "monitor", "fired_at", *changing), _episode_rows(record.episodes), changing)
        for start in range(0, len(record.endings), CHUNK):  # so that few of the payloads are held at once
            update_rows(self._connection, EPISODE, changing, self._ended(record.endings[start : start + CHUNK]))
        timelines = [(one.episode, one.recorded, _json(one)) for one in record.transitions]
        insert_rows(self._connection, TRANSITION, ("episode", "recorded", "payload"), timelines)
        insert_rows(self._connection, OUTBOX, _DELIVERY, [_fields(one) for one in record.deliveries])
        insert_rows(self._connection, NOTICE, ("episode",), [(name,) for name in record.notices])

    def _ended(self, endings: Sequence[Ending]) -> list[tuple[int, str, str]]:
        """The new `ended_at` and payload of episodes that end, and their ids."""
        by_id, rows = {one.episode: one for one in endings}, list[tuple[int, str, str]]()
        state = msgspec.Raw(_ENCODER.encode(State.RESOLVED))
        causes = {cause: msgspec.Raw(_ENCODER.encode(cause)) for cause in {one.cause for one in endings}}
        for name, payload in read_rows(self._connection, EPISODE, ("id", "payload"), "id", list(by_id), "id"):
            end = by_id[name]
            ended = {"state": state, "ended_at": msgspec.Raw(b"%d" % end.at), "cause": causes[end.cause]}
            rows.append((end.at, _json(msgspec.structs.replace(_PARTS.decode(payload), **ended)), name))
        return rows


class Ledgers(Database):
    """Opens ledgers."""

    def incident(self) -> Incident | None:
        """The incident of Watchkeeper itself that is open."""
        with self.read() as connection:
            return incident_of(connection)

    @contextmanager
    def recording(self, fence: Fence | None = None) -> Iterator[Ledger]:
        """A ledger for one step. All that it writes becomes visible together, or nothing if the step raises.

        With a fence: raises Fenced unless that ownership is current; it stays current until the step ends.
        """
        with self.write(alone=fence is None) as connection:
            if fence is not None:
                hold(connection, fence)  # so two steps of one owner do not overlap either
            yield Ledger(connection)


def incident_of(connection: Connection) -> Incident | None:
    """The incident that is open."""
    payload = connection.execute(select(CURSOR.c.payload).where(CURSOR.c.owner == SYSTEM)).scalar()
    return None if payload is None else msgspec.json.decode(payload, type=Incident)


def delivery_of(row: Any) -> Delivery:
    """The delivery of a row of the outbox."""
    return _delivery({name: getattr(row, name) for name in _DELIVERY})


def _delivery(values: dict[str, Any]) -> Delivery:
    """The delivery with these values; its body is empty if they have none."""
    return msgspec.convert({"body": "", **values}, Delivery)


def _episode_rows(episodes: Sequence[Episode]) -> list[tuple[str, str, str, int, int | None, str]]:
    """The rows of episodes. The definition, which those of a monitor have in common, is encoded once."""
    definitions = {id(one.definition): one.definition for one in episodes}
    encoded = {key: msgspec.Raw(_ENCODER.encode(one)) for key, one in definitions.items()}
    return [
        (one.id, one.model, one.monitor, one.fired_at, one.ended_at, _json(one.kept(definition=encoded[id(one.definition)])))
        for one in episodes
    ]


def _json(value: object) -> str:
    return _ENCODER.encode(value).decode()
