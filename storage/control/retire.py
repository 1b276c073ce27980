"""Retirement: monitors, destinations and models are deleted, and their history stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import delete, func, select, update

from core.contract import Contract
from core.destination import Destination
from core.episode import DeliveryState
from core.handling import Act
from core.hook import Hook
from core.monitor import ModelBudget, Monitor
from core.policy import Policy
from storage.control.audit import Document, audit
from storage.control.contract import Contracts, newest
from storage.control.definition import Joins, share_out
from storage.control.engine import upsert
from storage.control.hook import drop_hook, hook_of, hooks_of
from storage.control.policy import add_act, policy_of
from storage.control.retrain import RetrainTransaction
from storage.control.schema import (
    CONTRACT,
    CURSOR,
    DESTINATION,
    ENDPOINT,
    MODEL_BUDGET,
    MONITOR,
    MONITOR_HISTORY,
    OUTBOX,
    RETIRED_MODEL,
    RETIRED_MONITOR,
)


class RetiredMonitor(msgspec.Struct, frozen=True, kw_only=True):
    """A deleted monitor. Its readings carry `revision`, and `contract`, the version of the model's contract when it was deleted."""

    model: str
    name: str
    revision: int
    contract: int
    retired_at: int


class RetirementTransaction(RetrainTransaction):
    """One transaction of retirements, at one wall time, for one actor: all of them, or none if it raises."""

    def hold(self, owned: str) -> None:
        """Wait for the transaction of the owner of this work, and let the owner begin no other until this transaction ends."""
        self._connection.execute(select(CURSOR.c.epoch).where(CURSOR.c.owner == owned).with_for_update())

    def fence(self, owned: str) -> None:
        """As `hold`, and fence the owner for good: it cannot write here any more, and a later owner begins from the start."""
        self._connection.execute(update(CURSOR).where(CURSOR.c.owner == owned).values(epoch=CURSOR.c.epoch + 1, payload="null"))

    def forget(self, name: str) -> None:
        """Remove the document of this name."""
        self._connection.execute(delete(CURSOR).where(CURSOR.c.owner == name))

    def monitor(self, model: str, name: str) -> Monitor | None:
        """Retire a monitor. Returns its last definition, None if there is none."""
        place = (MONITOR.c.model == model) & (MONITOR.c.name == name)
        payload = self._connection.execute(select(MONITOR.c.payload).where(place)).scalar()
        if payload is None:
            return None
        monitor = msgspec.json.decode(payload, type=Monitor)
        found = newest(self._connection, model)
        self._connection.execute(delete(MONITOR).where(place))
        retired = {"revision": monitor.evaluated_revision, "contract": found[0].version if found else 0, "retired_at": self.now}
        upsert(self._connection, RETIRED_MONITOR, [{"model": model, "name": name, **retired}])
        self._audit("monitor.deleted", f"{model}/{name}", msgspec.to_builtins(monitor))
        return monitor

    def budget(self, name: str) -> ModelBudget | None:
        """Retire a budget of a model. Returns its definition, None if there is none."""
        payload = self._connection.execute(select(MODEL_BUDGET.c.payload).where(MODEL_BUDGET.c.name == name)).scalar()
        if payload is None:
            return None
        budget = msgspec.json.decode(payload, type=ModelBudget)
        self._connection.execute(delete(MODEL_BUDGET).where(MODEL_BUDGET.c.name == name))
        self._audit("budget.deleted", name, msgspec.to_builtins(budget))
        return budget

    def share_out(self, model: str, joins: Joins) -> None:
        """Share the model's budget out among the monitors that are left."""
        share_out(self._connection, model, joins, self.now, self.actor)

    def policy(self) -> Policy | None:
        """The policy; None without one."""
        return policy_of(self._connection)

    def destination(self, name: str) -> Destination | None:
        """Retire a destination, and give up the notifications that wait for it. Returns its definition, None if there is none."""
        payload = self._connection.execute(select(DESTINATION.c.payload).where(DESTINATION.c.name == name)).scalar()
        if payload is None:
            return None
        destination = msgspec.json.decode(payload, type=Destination)
        self._connection.execute(delete(DESTINATION).where(DESTINATION.c.name == name))
        self._connection.execute(delete(ENDPOINT).where(ENDPOINT.c.destination == name))
        waits = (OUTBOX.c.destination == name) & (OUTBOX.c.state == DeliveryState.PENDING.value)
        given_up = {"state": DeliveryState.DEAD.value, "reason": "the destination was deleted"}
        self._connection.execute(update(OUTBOX).where(waits).values(**given_up))
        self._audit("destination.deleted", name, destination.shown())
        return destination

    def retire_hook(self, name: str) -> Hook | None:
        """Retire a hook. Returns its definition, None if there is none."""
        hook = hook_of(self._connection, name)
        if hook is not None:
            drop_hook(self._connection, hook, self.now, self.actor)
        return hook

    def model(self, model: str) -> tuple[Contract, list[Monitor]] | None:
        """Retire a model and its monitors. Returns what they were, None if there is no such model."""
        found = newest(self._connection, model)
        if found is None:
            return None
        names = self._connection.execute(select(MONITOR.c.name).where(MONITOR.c.model == model).order_by(MONITOR.c.name)).scalars().all()
        monitors = [monitor for name in names if (monitor := self.monitor(model, name)) is not None]
        for budget in self._connection.execute(select(MODEL_BUDGET.c.name).where(MODEL_BUDGET.c.model == model)).scalars().all():
            self.budget(budget)
        for hook in hooks_of(self._connection, model):
            drop_hook(self._connection, hook, self.now, self.actor)
        row = {"model": model, "version": found[0].version, "retired_at": self.now, "purge": 0}
        upsert(self._connection, RETIRED_MODEL, [row])
        self._audit("model.deleted", model, {"version": found[0].version, "content": found[1]})
        return found[0], monitors

    def act(self, done: Act) -> None:
        """Add what a person did about an episode."""
        add_act(self._connection, done)

    def purge(self, model: str) -> bool:
        """Mark the facts of a retired model for removal; False if there was no such model."""
        row = RETIRED_MODEL.c.model == model
        if self._connection.execute(update(RETIRED_MODEL).where(row).values(purge=1)).rowcount == 0:
            return False
        self._audit("model.purge", model, None)
        return True

    def _audit(self, action: str, subject: str, before: Document) -> None:
        audit(self._connection, self.now, self.actor, action, subject, before, None)


class Retirements(Contracts):
    """Retires, and lists what was retired."""

    @contextmanager
    def retiring(self, actor: str = "local") -> Iterator[RetirementTransaction]:
        """A transaction that retires."""
        with self.write() as connection:
            yield RetirementTransaction(connection, self._clock.now(), actor)
        self._forget()

    def retired_monitors(self, model: str | None = None) -> list[RetiredMonitor]:
        """The monitors that were deleted, of a model or of all, also those whose name was defined again."""
        query = select(RETIRED_MONITOR).order_by(RETIRED_MONITOR.c.model, RETIRED_MONITOR.c.name)
        with self.read() as connection:
            rows = connection.execute(query if model is None else query.where(RETIRED_MONITOR.c.model == model)).mappings()
            return [RetiredMonitor(**row) for row in rows]

    def last_monitor(self, model: str, name: str) -> Monitor | None:
        """The last revision of a monitor, deleted or not."""
        history = MONITOR_HISTORY.c
        of = (history.model == model) & (history.name == name)
        query = select(history.payload).where(of).order_by(history.revision.desc()).limit(1)
        with self.read() as connection:
            payload = connection.execute(query).scalar()
        return None if payload is None else msgspec.json.decode(payload, type=Monitor)

    def retired_version(self, model: str) -> int:
        """The last contract version that a model had when it was deleted; 0 if it never was."""
        with self.read() as connection:
            query = select(func.max(RETIRED_MODEL.c.version)).where(RETIRED_MODEL.c.model == model)
            return connection.execute(query).scalar() or 0

    def purges(self) -> list[str]:
        """The models whose facts are still to be removed."""
        with self.read() as connection:
            return list(connection.execute(select(RETIRED_MODEL.c.model).where(RETIRED_MODEL.c.purge == 1)).scalars())

    def purged(self, model: str) -> None:
        """Note that the facts of a model are removed, and remove its references."""
        with self.write() as connection:
            given = (CONTRACT.c.model == model) & CONTRACT.c.reference.is_not(None)
            connection.execute(update(CONTRACT).where(given).values(reference=b""))
            connection.execute(update(RETIRED_MODEL).where(RETIRED_MODEL.c.model == model).values(purge=0))
