"""A summary of dead letters."""

from __future__ import annotations

from typing import NamedTuple


class DeadLetterCount(NamedTuple):
    """Dead letters of one topic, model, field and reason: how many, when the log took the newest (microseconds), and where in the log that is."""

    topic: str
    model: str
    field: str
    reason: str
    letters: int
    newest: int
    partition: int
    position: int
    row: int
