"""The definitions that people write: monitors, with their history, budgets of models, and destinations. Applying creates or changes, and never deletes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from core.destination import Destination
from core.episode import DeliveryState
from core.error import ConfigError
from core.monitor import ModelBudget, Monitor
from storage.control.audit import audit
from storage.control.engine import Database, upsert
from storage.control.schema import AUDIT, DESTINATION, ENDPOINT, MODEL_BUDGET, MONITOR, MONITOR_HISTORY, OUTBOX

Outcome = Literal["created", "changed", "unchanged"]
Applied = tuple[str, str, Outcome]  # model ("" for a destination), name, what became of it
Joins = Callable[[Monitor], bool]  # whether a monitor takes part in a budget of its model


class Definitions(Database):
    """Monitors by (model, name), destinations by name."""

    def monitors(self, model: str | None = None) -> list[Monitor]:
        """The monitors of a model, or all, by model and name."""
        query = select(MONITOR.c.payload).order_by(MONITOR.c.model, MONITOR.c.name)
        with self.read() as connection:
            payloads = connection.execute(query if model is None else query.where(MONITOR.c.model == model)).scalars()
            return [msgspec.json.decode(payload, type=Monitor) for payload in payloads]

    def budgets(self) -> list[ModelBudget]:
        """The budgets of models as a whole, by model."""
        with self.read() as connection:
            payloads = connection.execute(select(MODEL_BUDGET.c.payload).order_by(MODEL_BUDGET.c.model)).scalars()
            return [msgspec.json.decode(payload, type=ModelBudget) for payload in payloads]

    def monitor_revision(self, model: str, name: str, revision: int) -> Monitor | None:
        """A monitor as it was defined in one of its revisions."""
        history = MONITOR_HISTORY.c
        query = select(history.payload).where(history.model == model, history.name == name, history.revision == revision)
        with self.read() as connection:
            payload = connection.execute(query).scalar()
        return None if payload is None else msgspec.json.decode(payload, type=Monitor)

    def apply_monitors(
        self,
        monitors: Sequence[Monitor],
        *,
        budgets: Sequence[ModelBudget] = (),
        joins: Joins | None = None,
        dry_run: bool = False,
        actor: str = "local",
    ) -> list[Applied]:
        """Create or change monitors and budgets of models, all or none, and share budgets out among the monitors that join. Returns what became of monitors, then of budgets.

        A change raises the stored revision by one, whatever `Monitor.revision` is; so does a change of its share of a budget. ConfigError if a model would have two budgets.
        """
        _distinct((monitor.model, monitor.name) for monitor in monitors)
        _distinct(budget.name for budget in budgets)
        with self.write() as connection:
            applied = [self._apply_monitor(connection, monitor, dry_run=dry_run, actor=actor) for monitor in monitors]
            applied += [self._apply_budget(connection, budget, dry_run=dry_run, actor=actor) for budget in budgets]
            if joins is not None and not dry_run:
                for model in sorted({*(monitor.model for monitor in monitors), *(budget.model for budget in budgets)}):
                    share_out(connection, model, joins, self._clock.now(), actor)
            return applied

    def _apply_budget(self, connection: Connection, budget: ModelBudget, *, dry_run: bool, actor: str) -> Applied:
        clash = (MODEL_BUDGET.c.model == budget.model) | (MODEL_BUDGET.c.name == budget.name)
        held: list[ModelBudget] = [
            msgspec.json.decode(one, type=ModelBudget) for one in connection.execute(select(MODEL_BUDGET.c.payload).where(clash)).scalars()
        ]
        for other in held:
            if (other.model, other.name) != (budget.model, budget.name):
                problem = f"the budget `{other.name}` of `{other.model}` is there already, and a model has one"
                raise ConfigError(problem, remedy=f"delete it first: watchkeeper delete budget {other.name}, or give another name")
        stored = held[0] if held else None
        if stored == budget:
            return budget.model, budget.name, "unchanged"
        outcome: Outcome = "changed" if stored else "created"
        if not dry_run:
            upsert(
                connection, MODEL_BUDGET, [{"model": budget.model, "name": budget.name, "payload": msgspec.json.encode(budget).decode()}]
            )
            before = msgspec.to_builtins(stored)
            audit(connection, self._clock.now(), actor, f"budget.{outcome}", budget.name, before, msgspec.to_builtins(budget))
        return budget.model, budget.name, outcome

    def _apply_monitor(self, connection: Connection, monitor: Monitor, *, dry_run: bool, actor: str) -> Applied:
        query = select(MONITOR.c.payload).where(MONITOR.c.model == monitor.model, MONITOR.c.name == monitor.name)
        payload = connection.execute(query).scalar()
        stored = None if payload is None else msgspec.json.decode(payload, type=Monitor)
        share = stored.share if stored else None
        shared: dict[str, Any] = {"share": share, "challengers": stored.challengers if stored else 1}
        if stored and stored == msgspec.structs.replace(monitor, revision=stored.revision, since=stored.since, **shared):
            return monitor.model, monitor.name, "unchanged"
        outcome: Outcome = "changed" if stored else "created"
        if not dry_run:
            since = stored.evaluated_revision if stored and stored.evaluates_like(monitor) else 0
            saved = msgspec.structs.replace(monitor, revision=_last(connection, monitor) + 1, since=since, **shared)
            _save(connection, saved, stored, self._clock.now(), actor)
        return monitor.model, monitor.name, outcome

    def change_count(self) -> int:
        """A number that changes whenever any process defines, changes or deletes anything: how many entries the audit has.

        The number of the newest entry would not do: on PostgreSQL an entry with a lower number may become visible later.
        """
        with self.read() as connection:
            return connection.execute(select(func.count()).select_from(AUDIT)).scalar_one()

    def destinations(self) -> list[Destination]:
        """All destinations, by name."""
        with self.read() as connection:
            payloads = connection.execute(select(DESTINATION.c.payload).order_by(DESTINATION.c.name)).scalars()
            return [msgspec.json.decode(payload, type=Destination) for payload in payloads]

    def apply_destinations(self, destinations: Sequence[Destination], *, dry_run: bool = False, actor: str = "local") -> list[Applied]:
        """Create or change destinations, all or none."""
        _distinct(destination.name for destination in destinations)
        with self.write() as connection:
            return [self._apply_destination(connection, destination, dry_run=dry_run, actor=actor) for destination in destinations]

    def _apply_destination(self, connection: Connection, destination: Destination, *, dry_run: bool, actor: str) -> Applied:
        payload = connection.execute(select(DESTINATION.c.payload).where(DESTINATION.c.name == destination.name)).scalar()
        stored = None if payload is None else msgspec.json.decode(payload, type=Destination)
        if stored == destination:
            return "", destination.name, "unchanged"
        outcome: Outcome = "changed" if stored else "created"
        if not dry_run:
            upsert(connection, DESTINATION, [{"name": destination.name, "payload": msgspec.json.encode(destination).decode()}])
            before = stored.shown() if stored else None
            audit(connection, self._clock.now(), actor, f"destination.{outcome}", destination.name, before, destination.shown())
            if stored and (not stored.reaches_like(destination) or (destination.enabled and not stored.enabled)):
                _anew(connection, destination.name, self._clock.now())
        return "", destination.name, outcome


def _anew(connection: Connection, name: str, now: int) -> None:
    """Let all that waits for a destination be due: what attempts have found of its receiver holds no longer."""
    connection.execute(update(ENDPOINT).where(ENDPOINT.c.destination == name).values(opens=0, failures=0))
    waits = (OUTBOX.c.state == DeliveryState.PENDING.value) & (OUTBOX.c.destination == name) & (OUTBOX.c.due > now)
    connection.execute(update(OUTBOX).where(waits).values(due=now))


def share_out(connection: Connection, model: str, joins: Joins, now: int, actor: str) -> None:
    """Give each monitor of a model its share of the model's budget, and count the comparisons and monitors of harmful change that share an alpha: a new revision for those for which that changes."""
    held = connection.execute(select(MODEL_BUDGET.c.payload).where(MODEL_BUDGET.c.model == model)).scalar()
    payloads = connection.execute(select(MONITOR.c.payload).where(MONITOR.c.model == model).order_by(MONITOR.c.name)).scalars().all()
    monitors = [msgspec.json.decode(payload, type=Monitor) for payload in payloads]
    many = sum(map(joins, monitors))
    each = None if held is None or not many else msgspec.json.decode(held, type=ModelBudget).share(many)
    rivals = Counter(monitor.rivalry for monitor in monitors if monitor.enabled)
    for monitor in monitors:
        share, challengers = each if joins(monitor) else None, rivals[monitor.rivalry] if monitor.rivalry else 1
        if monitor.enabled and (share, challengers) != (
            monitor.share,
            monitor.challengers,
        ):  # a paused one keeps what it had, so that its readings and its episode stay
            changed = msgspec.structs.replace(
                monitor, revision=_last(connection, monitor) + 1, since=0, share=share, challengers=challengers
            )
            _save(connection, changed, monitor, now, actor)


def _save(connection: Connection, monitor: Monitor, before: Monitor | None, now: int, actor: str) -> None:
    """Save a revision of a monitor."""
    row = {"model": monitor.model, "name": monitor.name, "revision": monitor.revision, "payload": msgspec.json.encode(monitor).decode()}
    upsert(connection, MONITOR, [row])
    connection.execute(insert(MONITOR_HISTORY), {**row, "created_at": now})
    action = "monitor.changed" if before else "monitor.created"
    audit(connection, now, actor, action, f"{monitor.model}/{monitor.name}", msgspec.to_builtins(before), msgspec.to_builtins(monitor))


def _last(connection: Connection, monitor: Monitor) -> int:
    """The last revision that a monitor of this name has had; 0 if there was none."""
    history = MONITOR_HISTORY.c
    query = select(func.max(history.revision)).where(history.model == monitor.model, history.name == monitor.name)
    return connection.execute(query).scalar() or 0


def _distinct(keys: Iterable[Hashable]) -> None:
    """Raise ConfigError if a name is defined twice."""
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        name = "/".join(twice[0]) if isinstance(twice[0], tuple) else twice[0]
        raise ConfigError(f"`{name}` is defined twice", remedy="keep one of the two, or give them different names")
