"""Halts a partition if nearly all of its rows are rejected. Then the fault is probably not in the rows, and all of them would become dead letters."""

from __future__ import annotations

from collections import Counter, deque

from core.error import Retryable
from ingest.record import Events

_AGAIN = 30.0  # seconds until the same batch is decoded again


class Halt:
    """Lets batches pass until more than `share` of the last `of` rows were rejected; one for each partition.

    A batch is refused before any part of it is written. It may pass when it is decoded again, for example if the model has got its contract, or the setting
    was raised. The share should be high, so that one broken source among several loses its own rows and does not stop the others.
    """

    def __init__(self, share: float = 0.9, of: int = 1_000) -> None:
        self._share, self._of = share, of
        self._window: deque[tuple[int, int]] = deque()  # rows and rejected rows of the last batches that passed

    def __call__(self, events: Events) -> Events:
        """The same batch, if it may pass; Retryable if not."""
        rejected = len(events.rejects)
        rows = rejected + events.rows.total() + len(events.waiting)
        window = deque([*self._window, (rows, rejected)])
        seen, bad = (sum(counts) for counts in zip(*window, strict=True))
        while seen - window[0][0] >= self._of:
            gone = window.popleft()
            seen, bad = seen - gone[0], bad - gone[1]
        if rejected and seen >= self._of and bad > self._share * seen:
            raise Retryable(self._why(events, bad, seen), after=_AGAIN)
        self._window = window
        return events

    def _why(self, events: Events, bad: int, seen: int) -> str:
        (reject, _), *_ = Counter((reject.field, reject.reason) for reject in events.rejects).most_common(1)
        said = f"{reject[0]}: {reject[1]}" if reject[0] else reject[1]
        return (
            f"{bad:,} of the last {seen:,} rows were rejected, most often for {said!r}; it stops before position {events.batch.first} and tries again "
            f"every {_AGAIN:.0f} s: correct the contract or the source, or raise ingest.dead_letters.share to let them go to the dead letters"
        )
