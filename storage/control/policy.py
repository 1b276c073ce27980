"""The alert policy, silences, and the transaction in which the policy decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select

from core.document_name import POLICY as STATE
from core.episode import Delivery, Episode, EpisodeRecord
from core.error import ConfigError
from core.handling import Act, Decision, Handling
from core.policy import Group, Policy, PolicyState, Silence
from storage.control.audit import audit
from storage.control.bulk import CHUNK, read_rows
from storage.control.definition import Applied
from storage.control.engine import Database, insert, upsert
from storage.control.ledger import Ledger
from storage.control.schema import ACT, ALERT_GROUP, CURSOR, DECISION, EPISODE, NOTICE, POLICY, SILENCE

_KEPT = 8_192  # episodes that are kept decoded


class PolicyTransaction(Ledger):
    """One decision: what it reads does not change until it has written. No two run at the same time, in any process."""

    def policy(self) -> Policy | None:
        """The policy; None without one."""
        return policy_of(self._connection)

    def noticed(self) -> tuple[list[int], list[str]]:
        """The rows of `notices`, and the episodes at which the policy has to look."""
        rows = self._connection.execute(select(NOTICE.c.sequence, NOTICE.c.episode).order_by(NOTICE.c.sequence)).all()
        return [row.sequence for row in rows], list(dict.fromkeys(row.episode for row in rows if row.episode))

    def groups(self) -> list[Group]:
        """The groups that are open."""
        query = select(ALERT_GROUP.c.payload).where(ALERT_GROUP.c.closed_at.is_(None)).order_by(ALERT_GROUP.c.id)
        return [msgspec.json.decode(payload, type=Group) for payload in self._connection.execute(query).scalars()]

    def open_ids(self) -> list[str]:
        """The episodes that are open."""
        query = select(EPISODE.c.id).where(EPISODE.c.ended_at.is_(None)).order_by(EPISODE.c.fired_at, EPISODE.c.id)
        return list(self._connection.execute(query).scalars())

    def known(self, ids: Sequence[str]) -> list[Episode]:
        """Episodes with decisions and handling, in the order of the ids; without deliveries, whose bodies are large."""
        found = {name: _decoded(payload) for name, payload in read_rows(self._connection, EPISODE, ("id", "payload"), "id", ids, "id")}
        return beside(self._connection, [found[name] for name in ids if name in found])

    def silences(self, now: int) -> list[Silence]:
        """The silences that are not over."""
        return _silences(self._connection, now)

    def state(self) -> PolicyState:
        """What the policy remembers."""
        payload = self._connection.execute(select(CURSOR.c.payload).where(CURSOR.c.owner == STATE)).scalar()
        return PolicyState() if payload is None else msgspec.json.decode(payload, type=PolicyState)

    def decide(
        self,
        noticed: Sequence[int],
        groups: Sequence[Group],
        decisions: Mapping[str, Decision],
        deliveries: Sequence[Delivery],
        state: PolicyState,
    ) -> None:
        """Write what was decided, and delete the rows of `notices` that were looked at."""
        for start in range(0, len(noticed), CHUNK):
            self._connection.execute(delete(NOTICE).where(NOTICE.c.sequence.in_(noticed[start : start + CHUNK])))
        upsert(self._connection, ALERT_GROUP, [{"id": one.id, "closed_at": one.closed, "payload": _json(one)} for one in groups])
        upsert(self._connection, DECISION, [{"episode": name, "payload": _json(one)} for name, one in decisions.items()])
        self.write(EpisodeRecord(deliveries=list(deliveries)))
        upsert(self._connection, CURSOR, [{"owner": STATE, "payload": _json(state)}])


class Policies(Database):
    """The policy and the silences."""

    def policy(self) -> Policy | None:
        """The policy; None without one."""
        with self.read() as connection:
            return policy_of(connection)

    def apply_policies(self, policies: Sequence[Policy], *, dry_run: bool = False, actor: str = "local") -> list[Applied]:
        """Create or change the policy. ConfigError if there would be two."""
        with self.write() as connection:
            return [self._apply(connection, one, dry_run=dry_run, actor=actor) for one in policies]

    def _apply(self, connection: Connection, policy: Policy, *, dry_run: bool, actor: str) -> Applied:
        stored = policy_of(connection)
        if stored is not None and stored.name != policy.name:
            problem = f"the policy `{stored.name}` is there already, and there is one only"
            raise ConfigError(problem, remedy=f"delete it first: watchkeeper delete policy {stored.name}, or give this one its name")
        if stored == policy:
            return "", policy.name, "unchanged"
        outcome: Any = "changed" if stored else "created"
        if not dry_run:
            upsert(connection, POLICY, [{"name": policy.name, "payload": _json(policy)}])
            audit(
                connection,
                self._clock.now(),
                actor,
                f"policy.{outcome}",
                policy.name,
                msgspec.to_builtins(stored),
                msgspec.to_builtins(policy),
            )
            notice(connection)
        return "", policy.name, outcome

    def delete_policy(self, name: str, actor: str = "local") -> Policy | None:
        """Delete the policy. Groups that are open are told their end. Returns its definition, None if there is none of this name."""
        with self.write() as connection:
            stored = policy_of(connection)
            if stored is None or stored.name != name:
                return None
            connection.execute(delete(POLICY).where(POLICY.c.name == name))
            audit(connection, self._clock.now(), actor, "policy.deleted", name, msgspec.to_builtins(stored), None)
            notice(connection)
            return stored

    def silences(self, since: int | None = None) -> list[Silence]:
        """Silences that end after a time, or all, the last to end first."""
        with self.read() as connection:
            return _silences(connection, since)

    def silenced(self) -> dict[str, list[str]]:
        """By silence the episodes that it has held back."""
        query = select(DECISION.c.episode, DECISION.c.payload).where(DECISION.c.payload.contains('"silences":["'))
        found: dict[str, list[str]] = {}
        with self.read() as connection:
            for row in connection.execute(query):
                for name in msgspec.json.decode(row.payload, type=Decision).silences:
                    found.setdefault(name, []).append(row.episode)
        return found

    def open_ones(self) -> list[Episode]:
        """All open episodes with their decisions and handling, the last fired first, without deliveries and timeline."""
        query = select(EPISODE.c.payload).where(EPISODE.c.ended_at.is_(None)).order_by(EPISODE.c.fired_at.desc(), EPISODE.c.id.desc())
        with self.read() as connection:
            return beside(connection, [_decoded(payload) for payload in connection.execute(query).scalars()])

    def add_silence(self, silence: Silence, actor: str = "local") -> None:
        """Add a silence."""
        with self.write() as connection:
            upsert(connection, SILENCE, [{"id": silence.id, "ends_at": silence.ends_at, "payload": _json(silence)}])
            audit(connection, self._clock.now(), actor, "silence.created", silence.id, None, msgspec.to_builtins(silence))
            notice(connection)

    def delete_silence(self, name: str, actor: str = "local") -> Silence | None:
        """End a silence now; one that has not begun is removed. Returns it as it was, None if there is none of this name that is not over."""
        now = self._clock.now()
        with self.write() as connection:
            payload = connection.execute(select(SILENCE.c.payload).where(SILENCE.c.id == name, SILENCE.c.ends_at > now)).scalar()
            if payload is None:
                return None
            found = msgspec.json.decode(payload, type=Silence)
            if found.starts_at < now:
                over = msgspec.structs.replace(found, ends_at=now)
                upsert(connection, SILENCE, [{"id": name, "ends_at": now, "payload": _json(over)}])
            else:
                connection.execute(delete(SILENCE).where(SILENCE.c.id == name))
            audit(connection, self._clock.now(), actor, "silence.deleted", name, msgspec.to_builtins(found), None)
            notice(connection)
            return found

    def members(self, name: str) -> list[Episode]:
        """The open episodes of a group, or of a digest, the first that fired first, without deliveries."""
        query = select(EPISODE.c.payload).join(DECISION, DECISION.c.episode == EPISODE.c.id).order_by(EPISODE.c.fired_at, EPISODE.c.id)
        query = query.where(EPISODE.c.ended_at.is_(None), DECISION.c.payload.contains(name, autoescape=True))
        with self.read() as connection:
            found = [msgspec.json.decode(payload, type=Episode) for payload in connection.execute(query).scalars()]
            return [one for one in beside(connection, found) if name in {one.decision.group, one.decision.digest}]

    def add_act(self, act: Act) -> None:
        """Add what a person did about an episode."""
        self.add_acts([act])

    def add_acts(self, acts: Sequence[Act]) -> None:
        """Add what a person did about episodes, all of it or nothing."""
        with self.write() as connection:
            for act in acts:
                add_act(connection, act)

    def policy_waits(self, now: int) -> bool:
        """Whether the policy has something to decide: something was noticed, or it asked to look again by now."""
        with self.read() as connection:
            if connection.execute(select(NOTICE.c.sequence).limit(1)).scalar() is not None:
                return True
            payload = connection.execute(select(CURSOR.c.payload).where(CURSOR.c.owner == STATE)).scalar()
        due = None if payload is None else msgspec.json.decode(payload, type=PolicyState).due
        return due is not None and due <= now

    @contextmanager
    def deciding(self) -> Iterator[PolicyTransaction]:
        """A transaction in which the policy decides: all of it, or nothing if it raises."""
        with self.write() as connection:
            self._backend.thinking(connection)
            yield PolicyTransaction(connection)


def add_act(connection: Connection, act: Act) -> None:
    """Add what a person did about an episode, within the caller's transaction."""
    connection.execute(insert(connection, ACT), {"episode": act.episode, "payload": _json(act)})
    audit(connection, act.at, act.actor, f"episode.{act.action}", act.episode, None, msgspec.to_builtins(act))
    notice(connection)  # nothing happened to the episode itself, so without a policy it is not told


def notice(connection: Connection, episode: str = "") -> None:
    """Have the policy look again, within the caller's transaction."""
    connection.execute(insert(connection, NOTICE), {"episode": episode})


def beside(connection: Connection, episodes: Sequence[Episode]) -> list[Episode]:
    """Episodes with their decisions, the deliveries of their groups, and what people have done."""
    ids, reopened = [one.id for one in episodes], {one.id: one.reopened for one in episodes}
    decisions: dict[str, Decision] = {}
    handling: dict[str, Handling] = {}
    for name, payload in read_rows(connection, DECISION, ("episode", "payload"), "episode", ids, "episode"):
        decisions[name] = msgspec.json.decode(payload, type=Decision)
    for _, payload in read_rows(connection, ACT, ("episode", "payload"), "episode", ids, "sequence"):
        act = msgspec.json.decode(payload, type=Act)
        handling[act.episode] = handling.get(act.episode, Handling()).after(act, reopened[act.episode])
    return [
        msgspec.structs.replace(one, decision=decisions.get(one.id, Decision()), handling=handling.get(one.id, Handling()))
        for one in episodes
    ]


@lru_cache(_KEPT)
def _decoded(payload: str) -> Episode:
    """An episode of its stored form, which is read again and again while it is open, and seldom changes."""
    return msgspec.json.decode(payload, type=Episode)


def policy_of(connection: Connection) -> Policy | None:
    """The policy; None without one."""
    payload = connection.execute(select(POLICY.c.payload)).scalar()
    return None if payload is None else msgspec.json.decode(payload, type=Policy)


def _silences(connection: Connection, since: int | None) -> list[Silence]:
    query = select(SILENCE.c.payload).order_by(SILENCE.c.ends_at.desc(), SILENCE.c.id)
    rows = connection.execute(query if since is None else query.where(SILENCE.c.ends_at > since)).scalars()
    return [msgspec.json.decode(payload, type=Silence) for payload in rows]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
