"""The progress of a requested rebuild: the panes of all slots are made again from raw events, a portion in each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from core.block import Ints

_ROWS = 200_000  # about how many events are rebuilt in a step


class RebuildProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of the rebuild with this number: it has made `done` of `slots` again, all up to the slot `after`, and ends with the slot `until`.

    Each rebuild of a model has another number; 0 means that none was requested.
    """

    number: int = 0
    done: int = 0
    slots: int = 0
    after: int | None = None
    until: int | None = None
    finished: bool = True

    @staticmethod
    def of(saved: Mapping[str, Any] | None, number: int) -> RebuildProgress:
        """The progress of the last requested rebuild, from the saved progress of it or of an earlier one."""
        known = msgspec.convert(saved or {}, RebuildProgress)
        return RebuildProgress(number=number, finished=False) if number not in {0, known.number} else known

    def portion(self, slots: Ints, rows: Ints, frozen: int) -> tuple[Ints, RebuildProgress]:
        """The slots to make again now, and the progress after that. `slots` are those with panes, ascending, and `rows` their numbers of events.

        Slots up to `frozen` stay as they are, because retention may have removed some of their raw events.
        """
        if self.finished:
            return slots[:0], self
        until = self.until if self.until is not None else int(slots[-1]) if len(slots) else frozen
        left = (slots > max(frozen, frozen if self.after is None else self.after)) & (slots <= until)
        slots, rows = slots[left], rows[left]
        now = slots[np.cumsum(rows) - rows < _ROWS]
        return now, msgspec.structs.replace(
            self,
            done=self.done + len(now),
            slots=self.slots or len(slots),
            after=int(now[-1]) if len(now) else self.after,
            until=until,
            finished=len(now) == len(slots),
        )
