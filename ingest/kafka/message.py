"""The messages of a request: one for each event, with its id as the key."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from core.block import Labels
from ingest.decode.decoded import Decoded
from ingest.decode.payload import Kind, cut, written


class Outgoing(NamedTuple):
    """A message: the row of its request, its key and its value."""

    row: int
    key: bytes
    value: bytes


def messages(body: bytes, kind: Kind, decoded: Decoded[Any]) -> Iterator[Outgoing]:
    """The accepted rows of a request, in their order, those that wait for a contract among them: the id, and the row's own bytes."""
    rows = cut(body, kind)
    blocks = [block if isinstance(block, Labels) else block[1] for block in decoded.blocks.values()]
    waiting = [(one.row, one.id) for one in decoded.waiting]
    kept = chain(waiting, chain.from_iterable(zip(block.row.tolist(), block.id.tolist(), strict=True) for block in blocks))
    for row, key in kept if len(blocks) == 1 and not waiting else sorted(kept):
        yield Outgoing(row, key.encode(), written(rows[row]))
