"""What a command works with."""

from __future__ import annotations

from typing import NamedTuple

from watchkeeper.stores import Stores


class Context(NamedTuple):
    """The stores, and the name of the principal, under which the audit keeps what is changed."""

    stores: Stores
    actor: str
