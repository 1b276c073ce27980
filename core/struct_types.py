"""Prepares struct types before threads decode them.

msgspec reads the fields of a type when it first decodes one. A thread that decodes the same type meanwhile finds them half read, and the process crashes; with
ClickHouse's handler of such signals in it, it hangs for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

_READING = threading.Lock()


def prepare() -> None:
    """Read the fields of all struct types that are defined by now. A process calls it after its imports, and before it starts threads."""
    for kind in _below(msgspec.Struct):
        with suppress(TypeError, NameError):  # a type with a field that msgspec does not know: nobody decodes it
            decoder(kind)


def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """A decoder of a type, whose fields are read. Call it for a struct that is defined while threads run, before another thread can see the struct."""
    with _READING:
        return msgspec.json.Decoder(kind)


def _below(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
