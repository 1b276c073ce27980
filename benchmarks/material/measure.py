"""CPU and wall time of a piece of work, on one core; tables and profiles of it."""

from __future__ import annotations

import argparse
import cProfile
import gc
import os
import pstats
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Cost:
    """Seconds that some work took: of CPU, by all threads of this process, and by the clock."""

    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def cost() -> Iterator[Cost]:
    """What the block took."""
    spent, cpu, wall = Cost(), time.process_time(), time.perf_counter()
    yield spent
    spent.cpu, spent.wall = time.process_time() - cpu, time.perf_counter() - wall


def least(work: Callable[[], object], repeats: int = 3) -> Cost:
    """The cheapest of some repeats."""
    costs = []
    for _ in range(repeats):
        with cost() as spent:
            work()
        costs.append(spent)
    return min(costs, key=lambda one: one.cpu)


def options(what: str, example: str) -> argparse.ArgumentParser:
    """A parser whose help shows an example."""
    return argparse.ArgumentParser(description=what, epilog=f"example: {example}", formatter_class=argparse.RawDescriptionHelpFormatter)


def one_core() -> None:
    """Pin this process, and what it starts, to one core; garbage of the start is never looked at again."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    gc.freeze()


def progress(text: str) -> None:
    """One line that says what is being done; on a terminal it is overwritten."""
    end = "\r" if sys.stderr.isatty() else "\n"
    print(f"\x1b[K{text} ..." if end == "\r" else f"{text} ...", end=end, file=sys.stderr, flush=True)


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: texts on the left, figures on the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    print("\x1b[K" if sys.stderr.isatty() else "", end="", file=sys.stderr, flush=True)
    print(f"{title}\n")
    for row in (heads, *rows):
        print(
            "  ".join(
                text.ljust(width) if not place else text.rjust(width) for place, (text, width) in enumerate(zip(row, widths, strict=True))
            )
        )
    print(flush=True)


@contextmanager
def profiled(*, wanted: bool) -> Iterator[None]:
    """Print the functions that the block spent most time in; of its own thread."""
    if not wanted:
        yield
        return
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(25)
