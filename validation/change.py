"""Detections of changes on SEA, through the code that evaluates monitors and by river alone on the same errors: `python -m validation.change`."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from river import drift

from core import moment
from core.block import Floats, Ints
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from detectors import catalogue
from validation.public import Data, load
from validation.replay import replay

CHANGES = (12_500, 25_000, 37_500)  # rows of the file at which the rule changes
DETECTORS: dict[str, Any] = {
    "change.adwin": drift.ADWIN,
    "change.kswin": lambda: drift.KSWIN(seed=1),
    "change.page_hinkley": drift.PageHinkley,
    "change.ddm": drift.binary.DDM,
    "change.eddm": drift.binary.EDDM,
    "change.hddm_a": drift.binary.HDDMA,
    "change.hddm_w": drift.binary.HDDMW,
}


@dataclass(frozen=True)
class Compared:
    """The rows of the file at which changes were found: by a monitor, and by river alone; and how long each took, in seconds."""

    ours: list[int]
    theirs: list[int]
    seconds: float
    alone: float

    @property
    def delays(self) -> list[int | None]:
        """For each change how many rows later the first detection after it, and before the next, came; None if there is none."""
        ends = (*CHANGES[1:], 1 << 62)
        return [next((row - change for row in self.ours if change <= row < end), None) for change, end in zip(CHANGES, ends, strict=True)]

    @property
    def false(self) -> int:
        """Detections before the first change, and further ones between two."""
        return len(self.ours) - sum(delay is not None for delay in self.delays)


def plainly(detector: Any, values: Floats) -> list[int]:
    """The values at which a detector of river finds a change."""
    found = []
    for place, value in enumerate(values.tolist()):
        detector.update(value)
        if detector.drift_detected:
            found.append(place)
    return found


def compare(measure: str, data: Data) -> Compared:
    """One detector over the production of SEA."""
    rows = data.places("production")
    table = data.table.take(rows)
    wrong = (table["prediction"].to_numpy() != table["label"].to_numpy()).astype(np.float64)
    started = time.perf_counter()
    theirs = plainly(DETECTORS[measure](), wrong)
    alone, started = time.perf_counter() - started, time.perf_counter()
    world = replay(data)
    spec = catalogue.spec(measure)
    params = msgspec.to_builtins(spec.settle(msgspec.convert({}, spec.params), world.model.contract))
    monitor = Monitor(
        name=measure,
        model=world.model.contract.model,
        measure=measure,
        params=params,
        window=Tumbling(moment.HOUR),
        critical=1.0,
        min_samples=1,
    )
    times = data.ts[rows]
    ours = [
        _row(one, times)
        for frame in world.windows(monitor)
        for reading in frame.with_evidence(list(frame.readings(frame.every, np.ones(frame.value.shape, np.int64))))
        for one in _told(reading.evidence)
    ]
    return Compared([int(rows[place]) for place in ours], [int(rows[place]) for place in theirs], time.perf_counter() - started, alone)


def _told(evidence: dict[str, Any]) -> list[str]:
    """The times of the detections of a window."""
    each = evidence.get("detections", [evidence] if "detected_at" in evidence else [])
    return [one["detected_at"] for one in each]


def _row(time_: str, times: Ints) -> int:
    return int(np.searchsorted(times, moment.parse(time_)))


def main() -> None:
    """Print the table; end with 1 if a detector finds other rows than river does."""
    if (data := load("sea_abrupt")) is None:
        sys.exit("the public data set sea_abrupt is not there: WATCHKEEPER_PUBLIC_DATA names its folder")
    print(f"SEA, {CHANGES} of 50,000 rows; production begins with row 8,000")
    print(f"{'measure':<22}{'found':>6}{'delays in rows':>26}{'false':>7}{'as river':>10}{'seconds':>9}{'river':>8}")
    same = True
    for measure in DETECTORS:
        one = compare(measure, data)
        same &= one.ours == one.theirs
        said = ", ".join("-" if delay is None else str(delay) for delay in one.delays)
        print(
            f"{measure:<22}{len(one.ours):>6}{said:>26}{one.false:>7}{'yes' if one.ours == one.theirs else 'NO':>10}{one.seconds:>9.2f}{one.alone:>8.2f}"
        )
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
