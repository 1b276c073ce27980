"""All errors that Watchkeeper raises, by what the caller can do next.

    WatchkeeperError
    |-- Retryable       the same again, later, may succeed
    |-- Fenced          somebody else owns this now; drop what you hold
    |-- Fatal           this process cannot go on; a person must look
    |-- InvalidRecord   this record cannot be used; the next one can
    |-- ConfigError     a person asked for something that cannot be; nothing was changed
    |-- Forbidden       this principal may not do that; nothing was changed
    `-- Missing         what was asked for is not there; nothing was changed

A message says what is wrong, where, and what to do about it.
"""

from __future__ import annotations


class WatchkeeperError(Exception):
    """Any error that Watchkeeper raises on purpose."""


class Retryable(WatchkeeperError):
    """The same call may succeed later. `after` is the advised wait in seconds."""

    def __init__(self, message: str, *, after: float = 1.0) -> None:
        super().__init__(message)
        self.after = after


class Fenced(WatchkeeperError):
    """Another process owns now what was owned here: drop everything that is held of it, and write nothing more. It is not a fault."""


class Fatal(WatchkeeperError):
    """This process cannot go on; the message names the remedy."""


class InvalidRecord(WatchkeeperError):
    """One record that cannot be used: its row (counted from 0), the field at fault, the reason, and its model where that is known."""

    def __init__(self, row: int, field: str, reason: str, model: str = "") -> None:
        super().__init__(f"row {row}, {field}: {reason}")
        self.row = row
        self.field = field
        self.reason = reason
        self.model = model


class ConfigError(WatchkeeperError):
    """A definition, option or setting that cannot be taken; `remedy` says what to write instead."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{message} ({remedy})" if remedy else message)
        self.message = message
        self.remedy = remedy


class Forbidden(WatchkeeperError):
    """The principal's role does not allow it; `remedy` names the roles that do."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class Missing(WatchkeeperError):
    """There is nothing of that name; `remedy` says where to find what there is."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy
