"""Delivery: sends the notifications of the outbox to their destinations, at least once, in order for each destination and episode.

An attempt that was made and not saved, for example because the process was killed in between, is made again with the same `webhook-id`. Any number
of processes may deliver from one outbox if each claims what it sends: to a destination that one has claimed no other sends until the attempt is settled or the claim is over.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from alerts import resend, stage
from alerts.action_link import no_links
from alerts.destination.secret_file import SecretFiles
from alerts.exchange import DEADLINE, Exchange, Produce
from alerts.guard import Guard
from alerts.loop import Loop
from alerts.ports import OutboxStore
from core import moment
from core.clock import Clock
from core.destination import Destination
from core.endpoint import Tried
from core.episode import Delivery
from core.error import Retryable

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_AT_ONCE = 64  # destinations that are sent to at the same time, so that a slow one does not delay the others
LEASE = 60 * moment.SECOND  # longer than the deadline of an attempt
_PAUSE = 1.0  # seconds after a fault
_GRACE = DEADLINE + 5.0  # seconds that `stop` waits for attempts under way


class Deliverer:
    """Sends notifications that are due: in a thread of its own between `start` and `stop`, or when `deliver_due` is called.

    The outbox is read every `poll` seconds at least; `wake` makes it read at once. `lease` is how long a claim lasts, in microseconds, such as
    `LEASE`; 0 for no claims. Then this must be the only deliverer; after a kill it goes on at once. Without a `guard` only loopback is allowed of what is inside, and without `files` only the usual folder of secrets is read. `links` makes the links of notices.
    `own` are destinations beside those that people define.
    """

    def __init__(
        self,
        store: OutboxStore,
        clock: Clock,
        *,
        poll: float = 1.0,
        lease: int = 0,
        dice: random.Random | None = None,
        guard: Guard | None = None,
        files: SecretFiles | None = None,
        produce: Produce | None = None,
        links: stage.Links = no_links,
        own: Sequence[Destination] = (),
    ) -> None:
        self._store, self._own = store, own
        self._clock = clock
        self._lease = lease
        self._dice = dice or random.Random()  # noqa: S311 - spreads retries
        self._files = files or SecretFiles()
        self._exchange = Exchange(guard=guard, produce=produce)
        self._links = links
        self._loop = Loop("deliver", self._turn, poll, "the outbox cannot be read")
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: dict[str, Future[None]] = {}  # by destination
        self._repeated = 0
        self._repetition: Future[None] | None = None

    def start(self) -> None:
        """Begin to deliver in a thread."""
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="deliver")
        self._loop.start()

    def wake(self) -> None:
        """Read the outbox now."""
        self._loop.wake()

    def stop(self) -> None:
        """Begin no further attempt, wait for those under way, close the connections."""
        self._loop.stop(_GRACE)
        if self._pool is not None:
            self._pool.shutdown()
        self._exchange.close()

    def deliver_due(self) -> int:
        """Make every attempt that is due, one after the other. Returns how many were made."""
        made = 0
        while due := self._store.due(self._clock.now(), 1, self._lease):
            self._store.settle(*self._attempt(due[0]))
            made += 1
        return made

    def _turn(self) -> None:
        if self._pool is not None:
            self._begin(self._pool)
            self._repeat(self._pool)

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        """Begin the attempts that are due. At the end of each attempt the loop reads the outbox again."""
        self._under_way = {name: future for name, future in self._under_way.items() if not future.done()}
        free = _AT_ONCE - len(self._under_way)
        if not free or self._loop.stopping:
            return
        # An attempt may take longer than its lease: nothing else is sent there meanwhile. No more is claimed than can be sent now.
        for delivery in self._store.due(self._clock.now(), free, self._lease, busy=tuple(self._under_way)):
            future = pool.submit(self._carry, delivery)
            self._under_way[delivery.destination] = future
            future.add_done_callback(lambda _: self._loop.wake())

    def _repeat(self, pool: ThreadPoolExecutor) -> None:
        """Once a minute, tell once more of what is open, those that forget what nobody repeats. One repetition runs at a time."""
        now = self._clock.now()
        if now - self._repeated < resend.AGAIN or (self._repetition is not None and not self._repetition.done()) or self._loop.stopping:
            return
        self._repeated = now
        self._repetition = pool.submit(self._tell_again, now)

    def _tell_again(self, now: int) -> None:
        try:
            resend.repeat(self._store, self._exchange, self._files, now)
        except Exception:  # top of the thread: the next repetition may succeed
            _LOG.exception("what is open cannot be told again")

    def _carry(self, delivery: Delivery) -> None:
        try:
            done = self._attempt(delivery)
            self._patiently(lambda: self._store.settle(*done))
        except Exception:  # top of the thread: the attempt was not saved, so it is made again
            _LOG.exception("an attempt to deliver %s to %s failed", delivery.id, delivery.destination)
            self._loop.rest(_PAUSE)

    def _attempt(self, delivery: Delivery) -> tuple[Delivery, Tried | None]:
        destinations = {destination.name: destination for destination in (*self._own, *self._patiently(self._store.destinations))}
        stages = (
            stage.expire,
            stage.Render(destinations, self._files, self._links),
            stage.Send(self._exchange, self._clock),
            stage.Judge(self._dice),
        )
        return stage.run(stages, stage.Attempt(delivery=delivery, now=self._clock.now()), self._dice.random())

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Call the store until it answers. Else a notification that was sent would be sent again, or one that was claimed would wait for its lease."""
        while True:
            try:
                return ask()
            except Retryable as error:
                _LOG.warning("a delivery waits for the store: %s", error)
                if self._loop.rest(error.after):
                    raise
