"""The receiver of a destination, as attempts have found it: a circuit breaker.

After five failures in a row nothing more is sent there but one notification now and then, the probe. When a probe is taken, all that waits is due at once.
"""

from __future__ import annotations

import msgspec

from core import moment
from core.destination import Destination
from core.episode import Delivery, DeliveryState

BREAKS = 5  # failures in a row after which only probes are sent
_FIRST, _LONGEST = 15 * moment.SECOND, 5 * moment.MINUTE  # between probes


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt, from `began` to `ended` (microseconds), and what became of it.

    `pace` is how long the receiver is left alone after each attempt, and `asked` how long it asked to be left alone. `luck` in [0, 1) spreads probes.
    With `gone` the receiver will never be there again. `to` is the destination as it was then, None if that is not known.
    """

    began: int
    ended: int
    status: int | None = None
    reason: str = ""
    pace: int = 0
    asked: int = 0
    luck: float = 0.0
    gone: bool = False
    to: Destination | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a receiver. `claimed` is when the attempt under way began, None if there is none; before `opens` none begins. `failures` are those in a row."""

    destination: str
    claimed: int | None = None
    opens: int = 0
    failures: int = 0

    @property
    def broken(self) -> bool:
        """Whether only probes are sent."""
        return self.failures >= BREAKS

    def after(self, delivery: Delivery, tried: Tried) -> Endpoint:
        """The state after an attempt at a delivery, which is as the attempt left it. A refusal of one message says nothing of the receiver's health."""
        rest = tried.ended + max(tried.pace, tried.asked)
        if delivery.state is DeliveryState.DELIVERED:
            return Endpoint(destination=self.destination, opens=rest)
        failures = self.failures + (delivery.state is DeliveryState.PENDING)
        pause = min(_FIRST << min(failures - BREAKS, 20), _LONGEST) if failures >= BREAKS else 0
        return Endpoint(destination=self.destination, opens=max(rest, tried.ended + int(pause * (1 + tried.luck) / 2)), failures=failures)
