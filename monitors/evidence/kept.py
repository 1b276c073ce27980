"""Keeps what was made of the rows of single windows, as long as the rows are the same: who adds up all windows so far then reads the rows of new and changed ones only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 2_000_000  # of all models and monitors of a process, in units of about 200 bytes


class Kept:
    """What was made of windows, by what it is and the window, each with a mark of the rows that it was made of. The last ones used are kept. Threads share it."""

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._held, self._lock = most, OrderedDict[tuple[object, ...], tuple[object, Any, int]](), threading.Lock()
        self._size = 0

    def __call__(
        self,
        what: tuple[object, ...],
        windows: Sequence[tuple[int, int]],
        marks: Sequence[object],
        make: Callable[[list[int]], list[T]],
        size: int = 1,
    ) -> list[T]:
        """What is made of each window, which takes `size` units of memory. `make` makes that of some windows, by their places, ascending: of those that are not kept, or whose mark is another.

        Marks must have been read before the rows are.
        """
        keys = [(*what, *window) for window in windows]
        found: dict[int, T] = {}
        with self._lock:
            for place, (key, mark) in enumerate(zip(keys, marks, strict=True)):
                held = self._held.get(key)
                if held is not None and held[0] == mark:
                    self._held.move_to_end(key)
                    found[place] = held[1]
        missing = [place for place in range(len(keys)) if place not in found]
        if missing:
            found |= zip(missing, make(missing), strict=True)
            with self._lock:
                for place in missing:
                    self._size += size - self._held.get(keys[place], (None, None, 0))[2]
                    self._held[keys[place]] = marks[place], found[place], size
                    self._held.move_to_end(keys[place])
                while self._size > self._most:
                    self._size -= self._held.popitem(last=False)[1][2]
        return [found[place] for place in range(len(keys))]
