"""An episode as the noise report needs it."""

from __future__ import annotations

import msgspec

from core.episode import Cause


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """An episode without its snapshots. Times are event time; `window` is the length of the window that fired it, in microseconds.

    `notices` are the ids of the delivered notifications that told of it; several episodes may share one.
    """

    model: str
    monitor: str
    column: str
    segment: str
    fired_at: int
    ended_at: int | None
    window: int
    cause: Cause | None = None
    acknowledged: bool = False
    useful: bool | None = None
    notices: frozenset[str] = frozenset()

    @property
    def brief(self) -> bool:
        """Whether it cleared within one window: nobody could have looked at it in time."""
        return self.cause is Cause.CLEARED and self.ended_at is not None and self.ended_at - self.fired_at <= self.window

    @property
    def valued(self) -> bool:
        """Whether somebody called it useful, or acknowledged it and did not call it noise."""
        return self.useful is True or (self.acknowledged and self.useful is None)
