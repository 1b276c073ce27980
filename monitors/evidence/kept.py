"""Keeps what was made of the rows of single windows, as long as the rows are the same: who adds up all windows so far then reads the rows of new and changed ones only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 200_000  # windows, of all models and monitors of a process


class Kept:
    """What was made of windows, by what it is and the window, each with a mark of the rows that it was made of. The last ones used are kept. Threads share it."""

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._held, self._lock = most, OrderedDict[tuple[object, ...], tuple[object, Any]](), threading.Lock()

    def __call__(
        self, what: tuple[object, ...], windows: Sequence[tuple[int, int]], marks: Sequence[object], make: Callable[[list[int]], list[T]]
    ) -> list[T]:
        """What is made of each window. `make` makes that of some windows, by their places, ascending: of those that are not kept, or whose mark is another.

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
                    self._held[keys[place]] = marks[place], found[place]
                    self._held.move_to_end(keys[place])
                while len(self._held) > self._most:
                    self._held.popitem(last=False)
        return [found[place] for place in range(len(keys))]
