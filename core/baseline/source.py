"""The sources of a baseline's rows."""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """The stream of events, or the reference of the contract."""

    STREAM = "stream"
    REFERENCE = "reference"
