"""Contracts and their references, with all versions."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from core.clock import Clock
from core.contract import Contract
from core.described import Described
from core.error import Retryable
from storage.control.audit import audit
from storage.control.cursor import Fence, hold
from storage.control.engine import Database
from storage.control.schema import AUDIT, CONTRACT, RETIRED_MODEL

# Whether a row is of a model that is not deleted: its version is higher than the last one that the model had when it was deleted.
_LIVE = CONTRACT.c.version > func.coalesce(
    select(RETIRED_MODEL.c.version).where(RETIRED_MODEL.c.model == CONTRACT.c.model).scalar_subquery(), 0
)


class Contracts(Database):
    """The contracts of all models. The newest of each model is cached for `refresh` seconds only, because other processes may save too."""

    def __init__(self, url: str, clock: Clock | None = None, password: str | None = None, *, refresh: float = 5.0) -> None:
        super().__init__(url, clock, password)
        self._refresh = refresh
        self._lock = Lock()
        self._newest: dict[str, tuple[float, Contract | None]] = {}
        self._generation = 0  # counts the saves: a contract that was read before a save is not cached after it

    def contract(self, model: str) -> Contract | None:
        """The newest contract of a model, None if it has none. Every request asks for it, so it is cached."""
        remembered = self._newest.get(model)
        if remembered is not None and time.monotonic() < remembered[0]:
            return remembered[1]
        generation = self._generation
        with self.read() as connection:
            found = newest(connection, model)
        contract = found[0] if found else None
        with self._lock:
            if contract is not None and generation == self._generation:  # unknown names are not cached: senders could make up many
                self._newest[model] = (time.monotonic() + self._refresh, contract)
        return contract

    def contracts(self) -> list[Contract]:
        """The newest contract of every model, by name."""
        last = select(CONTRACT.c.model, func.max(CONTRACT.c.version).label("version")).group_by(CONTRACT.c.model).subquery()
        query = (
            select(CONTRACT.c.payload)
            .join(last, (last.c.model == CONTRACT.c.model) & (last.c.version == CONTRACT.c.version))
            .where(_LIVE)
            .order_by(CONTRACT.c.model)
        )
        with self.read() as connection:
            return [msgspec.json.decode(payload, type=Contract) for payload in connection.execute(query).scalars()]

    def contract_version(self, model: str, version: int) -> Contract | None:
        """One version of a model's contract."""
        query = select(CONTRACT.c.payload).where(CONTRACT.c.model == model, CONTRACT.c.version == version)
        with self.read() as connection:
            payload = connection.execute(query).scalar()
        return None if payload is None else msgspec.json.decode(payload, type=Contract)

    def contract_versions(self, model: str) -> list[Contract]:
        """All versions that a model's contract has had, the newest last, also those of before it was deleted."""
        query = select(CONTRACT.c.payload).where(CONTRACT.c.model == model).order_by(CONTRACT.c.version)
        with self.read() as connection:
            return [msgspec.json.decode(payload, type=Contract) for payload in connection.execute(query).scalars()]

    def contract_history(self, model: str, most: int) -> list[tuple[Contract, int, bool, str]]:
        """The last versions of a model's contract, the newest last, without those of before it was deleted: each with when it was saved, whether it has a reference, and by whom."""
        own = (AUDIT.c.subject == model) & (AUDIT.c.action == "contract.save")
        columns = (CONTRACT.c.payload, CONTRACT.c.created_at, CONTRACT.c.reference.is_not(None).label("referenced"))
        query = select(*columns).where(CONTRACT.c.model == model, _LIVE).order_by(CONTRACT.c.version.desc()).limit(most)
        with self.read() as connection:
            saved = connection.execute(select(AUDIT.c.payload, AUDIT.c.actor).where(own).order_by(AUDIT.c.sequence)).all()
            rows = connection.execute(query).all()
        actors = {(msgspec.json.decode(one.payload) or {}).get("version"): one.actor for one in saved}
        read = [(msgspec.json.decode(row.payload, type=Contract), row) for row in reversed(rows)]
        return [(one, row.created_at, bool(row.referenced), actors.get(one.version) or "") for one, row in read]

    def declared(self, model: str) -> Contract | None:
        """The newest version of a model's contract that was declared, and not derived from a reference."""
        query = select(CONTRACT.c.payload).where(CONTRACT.c.model == model, CONTRACT.c.reference.is_(None), _LIVE)
        with self.read() as connection:
            payload = connection.execute(query.order_by(CONTRACT.c.version.desc()).limit(1)).scalar()
        return None if payload is None else msgspec.json.decode(payload, type=Contract)

    def reference(self, model: str, version: int) -> bytes | None:
        """The reference that was saved with a contract version."""
        query = select(CONTRACT.c.reference).where(CONTRACT.c.model == model, CONTRACT.c.version == version)
        with self.read() as connection:
            return connection.execute(query).scalar()

    def save_contract(
        self, contract: Contract, *, content: str, reference: bytes | None, earlier: str | None = None, actor: str = "local"
    ) -> Contract:
        """Save as the model's next version, whatever `contract.version` is. If the stored contract has the same `content` hash, or that which an earlier version made (`earlier`), it stays and is returned.

        An older version of the program may have made other classes from the same content; then a next version is saved. Raises Retryable while the facts of
        a deleted model of that name are being removed.
        """
        with self.write() as connection:
            found = newest(connection, contract.model)
            if found and found[1] in {content, earlier} and _classes(found[0]) == _classes(contract):
                return found[0]
            saved = msgspec.structs.replace(contract, version=_next(connection, contract.model))
            row = {
                "model": saved.model,
                "version": saved.version,
                "payload": msgspec.json.encode(saved).decode(),
                "content": content,
                "reference": reference,
                "created_at": self._clock.now(),
            }
            connection.execute(insert(CONTRACT), row)
            before, after = _audited(*found) if found else None, _audited(saved, content)
            audit(connection, self._clock.now(), actor, "contract.save", saved.model, before, after)
        self._forget()
        return saved

    def take_up(self, contract: Contract, fence: Fence, *, actor: str) -> Contract | None:
        """Save a contract with other new values of its dimensions as the version after its own, with the same reference. None if its version is not the newest any more.

        Raises Fenced unless the ownership is current.
        """
        with self.write() as connection:
            hold(connection, fence)
            found = newest(connection, contract.model)
            if found is None or found[0].version != contract.version:
                return None
            held, content = found
            changed = {"dimensions": contract.dimensions, "referred": held.based_on, "version": _next(connection, held.model)}
            saved = msgspec.structs.replace(held, **changed)
            own = (CONTRACT.c.model == held.model) & (CONTRACT.c.version == held.version)
            row = {
                "model": saved.model,
                "version": saved.version,
                "payload": msgspec.json.encode(saved).decode(),
                "content": content,
                "reference": connection.execute(select(CONTRACT.c.reference).where(own)).scalar(),
                "created_at": self._clock.now(),
            }
            connection.execute(insert(CONTRACT), row)
            before, after = (_audited(one, content) | {"new": _new(one)} for one in (held, saved))
            audit(connection, self._clock.now(), actor, "contract.save", saved.model, before, after)
        self._forget()
        return saved

    def summarise_contract(self, contract: Contract, *, reference: bytes, actor: str = "local") -> Contract:
        """Replace the reference of the newest contract by one of `contract.summary`, a newer edition, and return what is stored. The version stays.

        Raises Retryable if there is another version by now.
        """
        with self.write() as connection:
            found = newest(connection, contract.model)
            if found is None or found[0].version != contract.version:
                raise Retryable(f"the contract of `{contract.model}` has changed meanwhile; give its reference again")
            held = found[0]
            saved = msgspec.structs.replace(held, summary=contract.summary, facts=contract.facts)
            row = (CONTRACT.c.model == saved.model) & (CONTRACT.c.version == saved.version)
            connection.execute(update(CONTRACT).where(row).values(payload=msgspec.json.encode(saved).decode(), reference=reference))
            before, after = ({"version": one.version, "summary": one.summary} for one in (held, saved))
            audit(connection, self._clock.now(), actor, "contract.summarise", saved.model, before, after)
        self._forget()
        return saved

    def referenced(self) -> set[tuple[str, int]]:
        """Model and version of each contract that was derived from a reference."""
        query = select(CONTRACT.c.model, CONTRACT.c.version).where(CONTRACT.c.reference.is_not(None))
        with self.read() as connection:
            return {(row.model, row.version) for row in connection.execute(query)}

    def describe_contract(self, model: str, words: Described, *, actor: str = "local") -> None:
        """Replace owner, description and runbook of the newest contract. Its version stays, because the measures do not change."""
        with self.write() as connection:
            found = newest(connection, model)
            if found is None or found[0].words == words.words:
                return
            held = found[0]
            payload = msgspec.json.encode(msgspec.structs.replace(held, **words.words)).decode()
            row = (CONTRACT.c.model == model) & (CONTRACT.c.version == held.version)
            connection.execute(update(CONTRACT).where(row).values(payload=payload))
            audit(connection, self._clock.now(), actor, "contract.describe", model, held.words, words.words)
        self._forget()

    def _forget(self) -> None:
        """Drop the cached contracts."""
        with self._lock:
            self._generation += 1
            self._newest.clear()


def _next(connection: Connection, model: str) -> int:
    """The version after all versions that the model has had."""
    purge = select(RETIRED_MODEL.c.purge).where(RETIRED_MODEL.c.model == model)
    if connection.execute(purge).scalar():
        raise Retryable(f"the facts of the deleted model `{model}` are still being removed; give it again in a moment", after=5.0)
    last = select(func.max(CONTRACT.c.version)).where(CONTRACT.c.model == model)
    return (connection.execute(last).scalar() or 0) + 1


def _audited(contract: Contract, content: str) -> dict[str, Any]:
    """The part of a contract that the audit keeps; every version stays in the table of contracts."""
    return {"version": contract.version, "content": content}


def _new(contract: Contract) -> dict[str, list[str]]:
    """By dimension the values that were taken up."""
    return {one.name: list(one.new) for one in contract.dimensions if one.new}


def _classes(contract: Contract) -> tuple[tuple[str, ...], str, bool]:
    return contract.classes, contract.positive, contract.scored


def newest(connection: Connection, model: str) -> tuple[Contract, str] | None:
    """The newest contract of a model and its content hash; None if there is no such model, or it was deleted."""
    query = (
        select(CONTRACT.c.payload, CONTRACT.c.content).where(CONTRACT.c.model == model, _LIVE).order_by(CONTRACT.c.version.desc()).limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (msgspec.json.decode(row.payload, type=Contract), row.content)
