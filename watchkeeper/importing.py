"""Imports at the start of a process: some thousand modules."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """No garbage is collected in the block, in which modules are imported, and what is there at its end is never looked through again.

    The collector would look through all modules again and again, which takes a seventh of the CPU of a start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
