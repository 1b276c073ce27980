"""Up to which time everything that the log took is committed, also while events keep coming.

So a model that is silent among others is seen: what did not come until then has not been sent.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from core import moment
from core.clock import Clock
from core.error import Retryable

_MARGIN = (
    5 * moment.SECOND
)  # between the time that the log gives an event and the moment at which it is in the log; clocks of machines differ, too

Positions = Mapping[Hashable, tuple[int, int]]
"""By partition the position after its last record, and the next one that is not committed."""


class Completeness:
    """Compares how far ingest is with where the log ended at an earlier look. Used by one thread."""

    def __init__(self, positions: Callable[[], Positions], clock: Clock) -> None:
        self._positions, self._clock = positions, clock
        self._looked: tuple[int, dict[Hashable, int]] | None = None  # a time, and where the partitions ended then
        self._through = moment.EARLIEST

    def __call__(self) -> int:
        """Everything that the log took before this time is committed, in microseconds; `moment.EARLIEST` if that is not known yet."""
        now = self._clock.now()
        try:
            found = self._positions()
        except Retryable:
            return self._through
        if self._looked is not None and any(found.get(part, (0, 0))[1] < end for part, end in self._looked[1].items()):
            return self._through
        if self._looked is not None:
            self._through = self._looked[0] - _MARGIN
        self._looked = now, {part: end for part, (end, _) in found.items()}
        return self._through
