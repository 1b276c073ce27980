"""The context of a command."""

from __future__ import annotations

from typing import NamedTuple

from watchkeeper.stores import Stores


class Context(NamedTuple):
    """The stores, and the name of the principal, which the audit keeps."""

    stores: Stores
    actor: str
