"""`watchkeeper deliver`: decides by the policy, and sends notifications from the outbox to their destinations.

Several may run: their decisions do not overlap, and each claims what it sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from prometheus_client.registry import Collector

from alerts.deliver import LEASE
from alerts.destination.kafka import TRUST_TOPIC
from alerts.policy.watch import PolicyWatch
from core.clock import Clock
from core.error import WatchkeeperError
from ingest.kafka.connection import Connection
from ingest.kafka.notify import NotificationProducer
from watchkeeper import wiring
from watchkeeper.liveness.probe import ServerProbe
from watchkeeper.produce import produce
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores
from watchkeeper.telemetry.gauges import Notifications

_POLL = 0.1  # seconds: the outbox is polled, because another process fires the episodes


class DeliverPart:
    """The part of a `deliver` process."""

    def __init__(self, settings: Settings, stores: Stores, clock: Clock, brokers: Connection) -> None:
        self._control = stores.control
        self._servers = ServerProbe(stores.control)
        self._producer = NotificationProducer(brokers)
        self._deliverer = wiring.deliverer(
            settings, stores, clock, poll=_POLL, lease=LEASE, produce=produce(self._producer), own=[TRUST_TOPIC]
        )
        self._policy = PolicyWatch(
            stores.control, clock, settings.alerts.notify_horizon, address=settings.public, poll=_POLL, told=self._deliverer.wake
        )

        self._retraining = wiring.retraining(settings, stores, clock, told=self._deliverer.wake, lease=LEASE)

    def start(self) -> None:
        """Begin to deliver."""
        self._servers.start()
        self._retraining.start()
        self._policy.start()
        self._deliverer.start()

    def close(self) -> None:
        """Finish the attempts under way."""
        self._retraining.stop()
        self._policy.stop()
        self._deliverer.stop()
        self._producer.close()
        self._servers.stop()

    def application(self) -> FastAPI | None:
        """None: health and metrics only."""
        return None

    def problems(self) -> Sequence[str]:
        """Whether the outbox can be read."""
        return self._servers.away()

    def collectors(self) -> Sequence[Collector]:
        """Notifications by state."""
        return [Notifications(self._control.delivery_counts)]

    def status(self) -> dict[str, Any]:
        """Notifications by state; none if the store is away."""
        try:
            return {"notifications": {str(state.value): count for state, count in self._control.delivery_counts().items()}}
        except WatchkeeperError:
            return {"notifications": {}}

    def broken(self) -> str | None:
        """None: it always tries again."""
        return None
