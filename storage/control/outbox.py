"""The outbox for delivery: which notifications are next, and the results of attempts."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, bindparam, case, func, insert, or_, select, true, update

from core import moment
from core.destination import Destination
from core.endpoint import Endpoint, Tried
from core.episode import TEST, Delivery, DeliveryState
from core.trust import CHANGED, TrustState
from storage.control.audit import audit
from storage.control.engine import Database, upsert
from storage.control.engine import insert as insert_or
from storage.control.ledger import delivery_of
from storage.control.schema import ATTEMPT, DESTINATION, ENDPOINT, OUTBOX

_WAITS = OUTBOX.c.state == DeliveryState.PENDING.value
_TRIES = 4
_GONE = 410
_END = "%.resolved"
_ONCE = ("comparison.", "retrain.")  # the beginnings of types of which no end is told
_HELD = moment.MINUTE  # what has waited for so long without an attempt may be left out, if something later says more


def _names() -> Select[tuple[str]]:
    """The destinations for which something waits. The query steps from name to name by the index, so it does not read all that waits."""
    rows = OUTBOX.alias()
    waits = rows.c.state == DeliveryState.PENDING.value
    names = select(func.min(rows.c.destination).label("name")).where(waits).cte("names", recursive=True)
    following = select(func.min(rows.c.destination)).where(waits, rows.c.destination > names.c.name).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None))


_NAMES = _names()


def _next(*, probe: bool) -> Select[Any]:
    """The next notification to `destination` at `now`: the most urgent whose time has come, and of each thread the oldest. As a probe, a new test, or what was tried least.

    A thread is an episode, a group, or a place of trust. What is of none, such as a test, waits for nothing.
    """
    before = OUTBOX.alias()
    first = ~(
        select(before.c.sequence)
        .where(
            OUTBOX.c.episode != "",
            before.c.episode == OUTBOX.c.episode,
            before.c.destination == OUTBOX.c.destination,
            before.c.sequence < OUTBOX.c.sequence,
            before.c.state == DeliveryState.PENDING.value,
        )
        .exists()
    )
    query = select(OUTBOX).where(_WAITS, OUTBOX.c.destination == bindparam("destination"), first).limit(1)
    if probe:
        new_test = and_(OUTBOX.c.type == TEST, OUTBOX.c.attempts == 0)
        return query.order_by(case((new_test, 0), else_=1), OUTBOX.c.attempts, OUTBOX.c.sequence)
    return query.where(OUTBOX.c.due <= bindparam("now")).order_by(OUTBOX.c.rank.desc(), OUTBOX.c.sequence)


_NEXT = {probe: _next(probe=probe) for probe in (False, True)}


def _first(connection: Connection, state: Endpoint, now: int) -> Delivery | None:
    """The next notification to a receiver."""
    row = connection.execute(_NEXT[state.broken], {"destination": state.destination} | ({} if state.broken else {"now": now})).first()
    return None if row is None else delivery_of(row)


class Outbox(Database):
    """Notifications that wait, and those that are done."""

    def due(self, now: int, limit: int = 100, lease: int = 0, busy: Collection[str] = ()) -> list[Delivery]:
        """The next notification of each destination to which one may be sent now; of one episode a later one never overtakes an earlier one. To those that are `busy` nothing is sent.

        A destination gets one at a time: its receiver is claimed by the caller until the notification is settled, or the `lease` (microseconds) is over. Without
        a lease nobody else may call this. A paused destination gets nothing. What waited long without an attempt is left out if something later says more.
        """
        with self.read() as connection:
            ready = [state for state in _ready(connection, now, lease) if state.destination not in busy]
            full = (state for state in ready if _first(connection, state, now) is not None)
            found = list(islice(full, _TRIES * limit))  # others may be quicker with some of them
        if not found:
            return []
        with self.write(alone=False) as connection:
            in_order = sorted(found, key=lambda state: state.destination)  # as all do, so that nobody waits for one who waits
            taken = (self._take(connection, state, now, lease) for state in in_order)
            mine = list(islice((one for one in taken if one is not None), limit))
        return sorted(mine, key=lambda one: (one.due, one.created))

    def _take(self, connection: Connection, state: Endpoint, now: int, lease: int) -> Delivery | None:
        """Claim a receiver and take its next notification. None if another was quicker, or nothing is left to send."""
        claim = insert_or(connection, ENDPOINT).values(
            destination=state.destination, claimed=now, opens=state.opens, failures=state.failures
        )
        free = or_(ENDPOINT.c.claimed.is_(None), ENDPOINT.c.claimed <= now - lease) if lease else true()
        open_now = and_(ENDPOINT.c.opens <= now, free)  # an attempt may have ended since
        row = connection.execute(
            claim.on_conflict_do_update(index_elements=["destination"], set_={"claimed": now}, where=open_now).returning(*ENDPOINT.c)
        ).first()
        if row is None:
            return None
        claimed = _endpoint(row)
        while (delivery := _first(connection, claimed, now)) is not None:
            if delivery.type == CHANGED or not _left_out(connection, delivery, now):  # each change of trust is told
                # `due` is what a process of version 0.1.0 looks at, which may deliver from here, too.
                begun = {"begun": now} | ({"due": max(delivery.due, now + lease)} if lease else {})
                connection.execute(update(OUTBOX).where(OUTBOX.c.id == delivery.id).values(begun))
                return msgspec.structs.replace(delivery, begun=now)
        connection.execute(update(ENDPOINT).where(ENDPOINT.c.destination == state.destination).values(claimed=None))
        return None

    def failing(self, attempts: int) -> list[Delivery]:
        """By destination the notification that has waited longest, if so many attempts in a row have failed there."""
        with self.read() as connection:
            names = connection.execute(select(ENDPOINT.c.destination, ENDPOINT.c.failures).where(ENDPOINT.c.failures >= attempts)).all()
            paused = _paused(connection)
            found = []
            for name, failures in sorted((one.destination, one.failures) for one in names if one.destination not in paused):
                query = (
                    select(OUTBOX).where(_WAITS, OUTBOX.c.destination == name, OUTBOX.c.attempts > 0).order_by(OUTBOX.c.sequence).limit(1)
                )
                if (row := connection.execute(query).first()) is not None:
                    found.append(msgspec.structs.replace(delivery_of(row), attempts=failures))
        return found

    def given_up(self) -> list[Delivery]:
        """By destination the newest notification that was given up after an attempt, unless an attempt that began later was successful; not of those that are paused."""
        with self.read() as connection:
            paused = _paused(connection)
            return [one for one in _given_up(connection) if one.destination not in paused]

    def gone(self) -> list[str]:
        """The paused destinations whose receiver has answered that it is gone for good (410), and taken nothing since."""
        with self.read() as connection:
            paused = _paused(connection)
            return [one.destination for one in _given_up(connection) if one.destination in paused and one.last_status == _GONE]

    def settle(self, delivery: Delivery, tried: Tried | None = None) -> None:
        """Save the result of an attempt, and what it says of the receiver. A delivery that is done stays done, also if an attempt ends after its lease.

        If the receiver is gone for good, its destination is paused. `tried` is None if there was no attempt, as with a notification that is given up. An attempt with
        settings that have changed since says nothing of the receiver that the destination has now.
        """
        values = msgspec.to_builtins(delivery)
        changes = {name: values[name] for name in ("state", "attempts", "due", "last_status", "reason")}
        with self.write(alone=False) as connection:
            stored = _hold(connection, delivery.destination) if tried is not None else None
            earlier = tried is not None and tried.to is not None and (stored is None or not stored.reaches_like(tried.to))
            mine = ENDPOINT.c.destination == delivery.destination
            row = connection.execute(select(ENDPOINT).where(mine).with_for_update()).first()
            state = Endpoint(destination=delivery.destination) if row is None else _endpoint(row)
            after = msgspec.structs.replace(state, claimed=None) if tried is None or earlier else state.after(delivery, tried)
            if state.claimed not in {None, delivery.begun}:  # the lease was over, and another has it now
                after = msgspec.structs.replace(after, claimed=state.claimed)
            if row is not None or not earlier:
                upsert(connection, ENDPOINT, [msgspec.to_builtins(after)])
            if tried is not None and earlier:
                changes["due"] = min(delivery.due, tried.ended)
            connection.execute(update(OUTBOX).where(OUTBOX.c.id == delivery.id, _WAITS).values(changes))
            if tried is None:
                return
            entry = {name: getattr(tried, name) for name in ("began", "ended", "status", "reason")}
            connection.execute(insert(ATTEMPT), {"delivery": delivery.id, **entry})
            if state.broken and not after.broken:  # it is back
                waiting = and_(_WAITS, OUTBOX.c.destination == delivery.destination, OUTBOX.c.due > tried.ended)
                connection.execute(update(OUTBOX).where(waiting).values(due=tried.ended))
            if tried.gone and stored is not None and not earlier:
                _pause(connection, stored, tried.ended)

    def standing(self, destination: str, since: int) -> list[Delivery]:
        """Of each thread that a destination was told of, what it took last: of those that are open, and of those whose end was written after `since`.

        A thread whose end was begun to be sent, or given up, is not open, although the receiver may not have taken the end. What has no end is taken for an end. A test is never open.
        """
        rows, ends = OUTBOX.alias(), OUTBOX.alias()
        taken = and_(rows.c.destination == destination, rows.c.state == DeliveryState.DELIVERED.value, rows.c.episode != "")
        last = select(func.max(rows.c.sequence)).where(taken).group_by(rows.c.episode)
        over = select(ends.c.sequence).where(
            ends.c.episode == OUTBOX.c.episode,
            ends.c.destination == destination,
            ends.c.sequence > OUTBOX.c.sequence,
            ends.c.type.like(_END),
            or_(ends.c.begun.is_not(None), ends.c.state != DeliveryState.PENDING.value),
        )
        ended = OUTBOX.c.type.like(_END)
        query = select(OUTBOX).where(OUTBOX.c.sequence.in_(last), ~over.exists(), or_(~ended, OUTBOX.c.created > since))
        with self.read() as connection:
            found = [delivery_of(row) for row in connection.execute(query.order_by(OUTBOX.c.sequence))]
        return [one for one in found if one.created > since or _lasts(one)]

    def endpoints(self) -> list[Endpoint]:
        """The receivers of all destinations to which something was sent."""
        with self.read() as connection:
            return [_endpoint(row) for row in connection.execute(select(ENDPOINT).order_by(ENDPOINT.c.destination))]

    def delivery_counts(self) -> dict[DeliveryState, int]:
        """How many notifications are in each state."""
        with self.read() as connection:
            rows = connection.execute(select(OUTBOX.c.state, func.count()).group_by(OUTBOX.c.state)).all()
        return dict.fromkeys(DeliveryState, 0) | {DeliveryState(state): count for state, count in rows}


def _ready(connection: Connection, now: int, lease: int) -> list[Endpoint]:
    """The receivers for which something waits and that are free now; the one that was served longest ago is first."""
    names: list[str] = [str(name) for name in connection.execute(_NAMES).scalars()]
    if not names:  # as nearly always: each `deliver` process asks ten times a second
        return []
    known = {row.destination: _endpoint(row) for row in connection.execute(select(ENDPOINT))}
    paused = _paused(connection)
    states = [known.get(name) or Endpoint(destination=name) for name in names if name not in paused]
    free = [state for state in states if state.opens <= now and (not lease or state.claimed is None or state.claimed <= now - lease)]
    return sorted(free, key=lambda state: (state.claimed or 0, state.destination))


def _paused(connection: Connection) -> set[str]:
    payloads = connection.execute(select(DESTINATION.c.payload)).scalars()
    destinations = [msgspec.json.decode(payload, type=Destination) for payload in payloads]
    return {destination.name for destination in destinations if not destination.enabled}


def _given_up(connection: Connection) -> list[Delivery]:
    """By destination the newest notification that was given up after an attempt, unless an attempt that began later was successful."""
    begun = OUTBOX.c.begun.is_not(None)

    def newest(state: DeliveryState, name: str) -> Any:
        query = select(OUTBOX).where(OUTBOX.c.state == state.value, OUTBOX.c.destination == name, begun)
        return connection.execute(query.order_by(OUTBOX.c.sequence.desc()).limit(1)).first()

    found = []
    for name in connection.execute(select(DESTINATION.c.name).order_by(DESTINATION.c.name)).scalars():
        dead = newest(DeliveryState.DEAD, name)
        taken = None if dead is None else newest(DeliveryState.DELIVERED, name)
        if dead is not None and (taken is None or taken.begun < dead.begun):
            found.append(delivery_of(dead))
    return found


def _lasts(delivery: Delivery) -> bool:
    """Whether what a notification says lasts until another one: not a verdict of a comparison, nor what happens to a retraining. A change of trust lasts if it says that something is wrong."""
    if delivery.type != CHANGED:
        return not delivery.type.startswith(_ONCE)
    state = msgspec.json.decode(delivery.body)["data"]["state"]
    return state not in {TrustState.TRUSTED, TrustState.UNKNOWN}


def _endpoint(row: Any) -> Endpoint:
    return msgspec.convert({name: getattr(row, name) for name in Endpoint.__struct_fields__}, Endpoint)


def _left_out(connection: Connection, delivery: Delivery, now: int) -> bool:
    """Whether a notification was left out, because it has waited without an attempt and something later about its episode says more.

    If the episode is over, and the receiver was never told of it, the end is left out, too. What an attempt has begun for may have arrived, and is never left out.
    """
    if not delivery.episode or delivery.begun is not None or now - delivery.waits_since < _HELD:
        return False
    thread = and_(OUTBOX.c.episode == delivery.episode, OUTBOX.c.destination == delivery.destination)
    waiting = connection.execute(select(OUTBOX.c.id, OUTBOX.c.type).where(thread, _WAITS).order_by(OUTBOX.c.sequence)).all()
    if len(waiting) < 2:
        return False
    over = waiting[-1].type.endswith(".resolved")
    known = or_(OUTBOX.c.begun.is_not(None), OUTBOX.c.state == DeliveryState.DELIVERED.value)
    silent = over and connection.execute(select(OUTBOX.c.id).where(thread, known).limit(1)).first() is None
    gone = [row.id for row in waiting] if silent else [row.id for row in waiting[:-1]]
    reason = "it was over before it could be sent" if silent else "a later notification says more"
    connection.execute(
        update(OUTBOX).where(OUTBOX.c.id.in_(gone), OUTBOX.c.begun.is_(None)).values(state=DeliveryState.NOT_SENT.value, reason=reason)
    )
    return True


def _hold(connection: Connection, name: str) -> Destination | None:
    """A destination as it is until the end of the transaction; None if it was deleted. It is held before its endpoint, as by all."""
    payload = connection.execute(select(DESTINATION.c.payload).where(DESTINATION.c.name == name).with_for_update()).scalar()
    return None if payload is None else msgspec.json.decode(payload, type=Destination)


def _pause(connection: Connection, held: Destination, now: int) -> None:
    """Pause a destination whose receiver is gone for good."""
    after = msgspec.structs.replace(held, enabled=False)
    upsert(connection, DESTINATION, [{"name": held.name, "payload": msgspec.json.encode(after).decode()}])
    actor = "delivery: the receiver answered 410, gone for good"
    audit(connection, now, actor, "destination.changed", held.name, held.shown(), after.shown())
