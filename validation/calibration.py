"""Writes docs/calibration.md: false alarms against budgets, coverage of intervals, power. `python -m validation.calibration [--quick]`."""

from __future__ import annotations

import argparse
import pickle
import time
import zlib
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.moment import DAY
from validation import coverage, peer, power, promise, public, report, together
from validation.alarm import count
from validation.replicate import Stationary, day_effects, in_blocks, permuted, resampled, rows_of
from validation.stream import MADE, Population

_ROOT = Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "calibration.md"
KEPT, QUICK = (_ROOT / "build" / f"{name}.pickle" for name in ("calibration", "calibration-quick"))  # what was measured
SIZES = (200, 1_000, 50, 100_000)  # rows a window; the largest last
WINDOWS, EACH = 20, 25  # after each reference, and references of a part
PEERS = 10  # references of the first part on which Evidently is asked
WHOLE, RHYTHM = ("adult",), ("taxi_green_2022", "flights_2013q4_multiclass", "bike_sharing_hour")
IN_ORDER = ("taxi_green_2022", "flights_2013q4_multiclass", "bike_sharing_hour")
SEED = 20_261_129


@cache
def populations() -> dict[str, Population]:
    """What windows are drawn from, by name: made columns, and the data sets that are there."""
    found = [make(np.random.default_rng(SEED)) for make in MADE]
    found += [Population.of(name, data.columns()) for name in WHOLE if (data := public.load(name))]
    for name in RHYTHM:
        if data := public.load(name):
            reference = data.places("reference")
            columns = {column: rows_of(values, reference) for column, values in data.columns().items()}
            found.append(Population(f"{name}, by day of the week", columns, data.weekdays[reference]))
    return {one.name: one for one in found}


@cache
def in_order() -> dict[str, Stationary]:
    """Streams of real days or weeks, and of days that depend on one another, by name."""
    found = []
    for name in IN_ORDER:
        if data := public.load(name):
            columns, day = data.columns(), 7 * DAY if name.startswith("bike") else DAY  # 24 rows a day are no window
            found += [permuted(data, columns, day), in_blocks(data, columns, day)]
    found += [day_effects(correlation) for correlation in (0.0, 0.7, 0.95)]
    return {one.name: one for one in found}


class Task(NamedTuple):
    """A part of the work, which does not depend on the others: of which section of the page, of which stream and how many rows a window, and which part of these windows."""

    section: str
    stream: str = ""
    rows: int = 0
    part: int = 0


def tasks(parts: int) -> list[Task]:
    """All parts of the work: first one of every stream, those of small windows first, then what is measured once, then the other parts."""
    *small, large = SIZES
    found = list[Task]()
    for part in range(parts):
        found += [Task("resampled", name, rows, part) for rows in small for name in populations()]
        found += [Task("in order", name, part=part) for name in in_order()]
        found += [Task("power", part=part), Task("together", part=part)]
        found += [Task("resampled", name, large, part) for name in populations()]
        found += [Task("coverage"), Task("promise")] if not part else []
    if peer.installed():
        found += [Task(f"Evidently, {one.section}", *one[1:]) for one in found if not one.part and one.stream and one.rows <= peer.LARGEST]
    return found


def work(task: Task, draws: int, references: int) -> Any:
    """Do a part, with random numbers of its own."""
    ours = task._replace(section=task.section.removeprefix("Evidently, "))  # whose windows a peer is asked about
    rng = np.random.default_rng([SEED, zlib.crc32(repr(ours).encode())])
    if task.section == "coverage":
        return list(coverage.cells(rng, draws))
    if task.section == "promise":
        return promise.measured(rng, 10_000 if draws >= 4_000 else 500)
    if task.section == "together":
        return together.one(rng)
    if task.section == "power":
        return [power.one(rng) for _ in range(2)]
    stream = resampled(populations()[task.stream], task.rows) if task.rows else in_order()[task.stream]
    if task != ours:
        return peer.count(stream, min(PEERS, references), WINDOWS, rng)
    return count(stream, references, WINDOWS, rng)


def main() -> None:
    """Measure, and write the page after each part: a run that is stopped leaves what it has, and goes on when it is started again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the windows, to try it")
    parser.add_argument("--processes", type=int, default=1, help="how many processes do the work")
    parser.add_argument("--again", action="store_true", help="forget what a run that was stopped has measured")
    parser.add_argument("--write", action="store_true", help="write the page again from what the last run measured")
    parser.add_argument("--page", type=Path, default=PAGE, help="where to write (docs/calibration.md)")
    given = parser.parse_args()
    parts, references, draws = (1, 5, 200) if given.quick else (4, EACH, 4_000)
    every, began = tasks(parts), time.monotonic()
    kept = QUICK if given.quick else KEPT
    known: dict[Task, Any] = {} if given.again or not kept.exists() else pickle.loads(kept.read_bytes())  # noqa: S301 - our own file
    page = report.Page(
        given.quick,
        WINDOWS,
        sum(not task.section.startswith("Evidently") for task in every),
        {task: known[task] for task in every if task in known},
    )
    given.page.write_text(page.text(), encoding="utf-8")
    if given.write:
        return
    kept.parent.mkdir(exist_ok=True)
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        asked = {pool.submit(work, task, draws, references): task for task in every if task not in page.parts}
        for done in as_completed(asked):
            task = asked[done]
            page.parts[task] = done.result()
            given.page.write_text(page.text(), encoding="utf-8")
            kept.write_bytes(pickle.dumps({**known, **page.parts}))
            print(f"{time.monotonic() - began:7.0f} s  {' '.join(map(str, task))}", flush=True)


if __name__ == "__main__":
    main()
