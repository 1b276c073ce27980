"""Writes docs/calibration.md: false alarms against budgets, coverage of intervals, power. `python -m validation.calibration [--quick]`."""

from __future__ import annotations

import argparse
import pickle
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.moment import DAY
from validation import coverage, power, promise, public, report
from validation.alarm import count
from validation.replicate import Stationary, day_effects, in_blocks, permuted, resampled, rows_of
from validation.stream import MADE, Population

_ROOT = Path(__file__).resolve().parents[1]
PAGE, KEPT = _ROOT / "docs" / "calibration.md", _ROOT / "build" / "calibration.pickle"
SIZES = (200, 1_000, 50, 100_000)  # rows a window; the largest last
WINDOWS = 50  # after each reference
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
    """A part of the work, which does not depend on the others: of which section of the page, of which stream and how many rows a window."""

    section: str
    stream: str = ""
    rows: int = 0


def tasks(references: int) -> list[Task]:
    """All parts, those of the small windows first."""
    found = [Task("coverage"), Task("promise"), *(Task("power", str(place)) for place in range(max(2, references // 6)))]
    *small, large = SIZES
    found += [Task("resampled", name, rows) for rows in small for name in populations()]
    found += [Task("in order", name) for name in in_order()]
    return found + [Task("resampled", name, large) for name in populations()]


def work(place: int, task: Task, references: int, draws: int) -> Any:
    """Do a part, with random numbers of its own."""
    rng = np.random.default_rng([SEED, place])
    if task.section == "coverage":
        return list(coverage.cells(rng, draws))
    if task.section == "promise":
        return promise.measured(rng, 10_000 if draws >= 4_000 else 500)
    if task.section == "power":
        return power.one(rng)
    stream = resampled(populations()[task.stream], task.rows) if task.rows else in_order()[task.stream]
    return count(stream, references, WINDOWS, rng)


def main() -> None:
    """Measure, and write the page after each part, so that a run that is stopped leaves what it has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the windows, to try it")
    parser.add_argument("--processes", type=int, default=1, help="how many processes do the work")
    parser.add_argument("--write", action="store_true", help="write the page again from what the last run measured")
    parser.add_argument("--page", type=Path, default=PAGE, help="where to write (docs/calibration.md)")
    given = parser.parse_args()
    if given.write:
        given.page.write_text(report.Page(**pickle.loads(KEPT.read_bytes())).text(), encoding="utf-8")  # noqa: S301 - our own file
        return
    references, draws = (2, 200) if given.quick else (40, 4_000)
    every = tasks(references)
    page, began = report.Page(quick=given.quick, windows=references * WINDOWS, each=WINDOWS, wanted=len(every)), time.monotonic()
    KEPT.parent.mkdir(exist_ok=True)
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        asked = {pool.submit(work, place, task, references, draws): (place, task) for place, task in enumerate(every)}
        for done in as_completed(asked):
            place, task = asked[done]
            page.parts[place] = (task.section, done.result())
            given.page.write_text(page.text(), encoding="utf-8")
            KEPT.write_bytes(pickle.dumps({name: getattr(page, name) for name in ("quick", "windows", "each", "wanted", "parts")}))
            print(f"{time.monotonic() - began:7.0f} s  {' '.join(map(str, task))}", flush=True)


if __name__ == "__main__":
    main()
