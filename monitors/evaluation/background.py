"""Readings that take long, or that many events make anew, are computed in a thread of their own, one window at a time, while owners go on.

An owner asks for windows in one step, and stores their readings in a later one: so only owners write, and nothing that others do has to wait. Windows that nobody
has stored when a process ends are asked for again by the next owner.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from queue import PriorityQueue
from typing import NamedTuple

import numpy as np

from core import moment
from core.span import Spans
from monitors.evaluation.frame import Frame

_REST = 1.0  # of the thread after a renewal, for each second of CPU that this took: of a core renewals get a half at most

Key = tuple[str, int, tuple[int, int]]
"""A monitor, its revision, and what it is evaluated as: the version of the contract, and the edition of its reference's sums."""


class Rank(NamedTuple):
    """When a window is computed: those without a reading first (`renewal` is false), and of these by `place`, how many windows of its monitor were asked for before it."""

    renewal: bool
    place: int


_Job = tuple[Rank, int, Future[Frame], Callable[[], Frame] | None]


class Lane:
    """A thread that computes frames, which begins with the first one."""

    def __init__(self) -> None:
        self._jobs: PriorityQueue[_Job] = PriorityQueue()
        self._numbers, self._turn = count(), 0
        self._thread: threading.Thread | None = None
        self._lock, self._closed = threading.Lock(), False
        self._asked, self._rested = threading.Event(), 0.0  # since the last job was taken; when the rest after a renewal ends

    def submit(self, rank: Rank, make: Callable[[], Frame]) -> Future[Frame]:
        """Compute a frame later.

        Places count from that of the last frame that was begun, so monitors take turns: a long history does not delay the new window of another model, and whatever comes
        later has to wait for it in the end. Renewals are computed in the order in which they were asked for, after all others, and with rests: events of a busy model may make
        windows of a month due as fast as they are computed, and then ingest and API in the same process need the core, too.
        """
        found = Future[Frame]()
        self._jobs.put((Rank(rank.renewal, 0 if rank.renewal else self._turn + rank.place), next(self._numbers), found, make))
        with self._lock:
            self._asked.set()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="evaluate-background", daemon=True)
                self._thread.start()
        return found

    def close(self) -> None:
        """Wait for the frame that is being computed; the others are not computed any more."""
        with self._lock:
            self._closed = True
        self._jobs.put((Rank(False, 0), next(self._numbers), Future(), None))  # the thread may wait for a job
        self._asked.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closed:
            self._asked.clear()
            rank, _, found, make = job = self._jobs.get()
            if rank.renewal and (rest := self._rested - time.monotonic()) > 0:
                self._jobs.put(job)
                self._asked.wait(rest)
                continue
            if self._closed or make is None or not found.set_running_or_notify_cancel():
                continue
            began = time.thread_time()
            self._turn = max(self._turn, rank.place)
            try:
                found.set_result(make())
            except BaseException as error:  # whatever it is, the owner that asked gets it
                found.set_exception(error)
            if rank.renewal:
                self._rested = time.monotonic() + _REST * (time.thread_time() - began)


Make = Callable[[Rank], Future[Frame]]
"""Has a frame computed by a job of this rank."""


@dataclass(frozen=True)
class Asked:
    """A window that was asked for, of which segments, and whether its readings are to be stored even if they are stored already (`again`).

    `renewal`: it has a reading already, which may be no longer true. `renew` is set if its rows changed while the frame was computed: once that is stored, the window is asked for again.
    `failed`: it could not be computed or stored, and waits until it is asked for once more.
    """

    segments: tuple[str, ...]
    again: bool
    renewal: bool
    frame: Future[Frame]
    renew: Make | None = None
    failed: bool = False

    @property
    def done(self) -> bool:
        """Whether it is computed."""
        return not self.failed and self.frame.done()


class Background:
    """The windows of a model's monitors that were asked for and are not stored yet."""

    def __init__(self) -> None:
        self._asked: dict[Key, dict[tuple[int, int], Asked]] = {}

    @property
    def waiting(self) -> bool:
        """Whether any of them are computed, or can be stored. Those after one that failed wait for it."""
        return self.ready or any(not (one.failed or one.done) for asked in self._asked.values() for one in asked.values())

    @property
    def ready(self) -> bool:
        """Whether any of them can be stored. It is asked often, so nothing is sorted."""
        return any(map(_ready, self._asked.values()))

    @property
    def monitors(self) -> set[str]:
        """The monitors that wait for any, of which none failed."""
        return {key[0] for key, asked in self._asked.items() if asked and not any(one.failed for one in asked.values())}

    def keep(self, keys: set[Key]) -> None:
        """Drop the windows of other monitors, revisions and contracts."""
        for key in self._asked.keys() - keys:
            self.drop(key)

    def windows(self, key: Key, existing: Spans, segments: tuple[str, ...]) -> Spans:
        """The windows of a monitor that were asked for these segments, and did not fail. Those that do not exist any more are dropped."""
        asked = self._asked.get(key, {})
        pairs = sorted(asked)
        for pair, there in zip(pairs, Spans.of(pairs).isin(existing).tolist(), strict=True):
            if not there:
                self._forget(key, pair)
        return Spans.of([pair for pair in pairs if pair in asked and asked[pair].segments == segments and not asked[pair].failed])

    def until(self, key: Key) -> int:
        """The end of the last window of a monitor that was asked for."""
        return max((end for _, end in self._asked.get(key, {})), default=moment.EARLIEST)

    def ask(self, key: Key, window: tuple[int, int], make: Make, segments: tuple[str, ...], *, again: bool, renewal: bool) -> None:
        """Ask for a window, instead of what was asked for it before.

        What waits to be computed keeps its place, since facts are read when it begins: else windows that change oftener than the others are computed would never have their turn. A frame that is being computed is kept, and the window is asked for again after it: else one whose rows change oftener than it can be computed would never be stored.
        """
        asked = self._asked.setdefault(key, {})
        before = asked.get(window)
        again |= before is not None and before.again
        if before is not None and before.segments == segments and not before.failed:
            begun = before.frame.running() or before.frame.done()
            asked[window] = replace(before, again=again, renew=make if begun else before.renew)
            return
        self._forget(key, window)
        asked[window] = Asked(segments, again, renewal, make(Rank(renewal, len(asked))))

    def computed(self, key: Key) -> list[tuple[tuple[int, int], Asked]]:
        """The windows of a monitor that are computed, in order. One without a reading waits for those before it, as alarms take windows in order."""
        found, held = list[tuple[tuple[int, int], Asked]](), False
        for window, one in sorted(self._asked.get(key, {}).items(), key=lambda item: item[0]):
            held |= not (one.done or one.renewal)
            if one.done and (one.renewal or not held):
                found.append((window, one))
        return found

    def stored(self, key: Key, window: tuple[int, int]) -> None:
        """A window's readings are stored."""
        one = self._asked[key][window]
        self._forget(key, window)
        if one.renew is not None:
            self.ask(key, window, one.renew, one.segments, again=one.again, renewal=True)

    def failed(self, key: Key, window: tuple[int, int]) -> None:
        """A window could not be computed or stored. The later ones are kept, and wait for it."""
        self._asked[key][window] = replace(self._asked[key][window], failed=True)

    def drop(self, key: Key) -> None:
        """Drop all windows of a monitor."""
        for window in list(self._asked.get(key, {})):
            self._forget(key, window)
        self._asked.pop(key, None)

    def any_of(self, key: Key, windows: Spans) -> bool:
        """Whether some of these windows were asked for."""
        pairs = sorted(self._asked.get(key, {}))
        return bool(np.any(Spans.of(pairs).isin(windows)))

    def _forget(self, key: Key, window: tuple[int, int]) -> None:
        with suppress(KeyError):
            self._asked[key].pop(window).frame.cancel()


def _ready(asked: Mapping[tuple[int, int], Asked]) -> bool:
    """Whether a window can be stored: one that has a reading whenever it is computed, the others in order."""
    first = min((window for window, one in asked.items() if not one.renewal), default=None)
    return (first is not None and asked[first].done) or any(one.renewal and one.done for one in asked.values())
