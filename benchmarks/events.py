"""How long a person waits for single events: `python benchmarks/events.py --rows 50000000`.

Events have ids in no order, ten numbers and two texts; seven of ten have a label. Each question is asked of the reader as a page or the API asks it, and its best and worst of some times are shown.
Filters are asked over the last 30 days of the events. Their span is a tenth of a second times their number, so that 50 million events last 58 days.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from export import START, contract, fill
from material.measure import options, progress, table

from core.clock import ManualClock
from core.event_query import EventQuery
from core.moment import DAY, SECOND
from watchkeeper.reader.reader import Reader
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores

TIMES = 5


def asked(reader: Reader, rows: int, month: tuple[int, int], day: tuple[int, int]) -> dict[str, Callable[[], Any]]:
    """The questions by name."""

    def page(**filters: Any) -> Callable[[], Any]:
        return lambda: reader.events(EventQuery(model="m", **filters))

    within: dict[str, Any] = {"start": month[0], "end": month[1]}
    inside: dict[str, Any] = {"start": day[0], "end": day[1]}
    place = iter(range(rows // 7, rows, max(rows // 50, 1)))
    rare = reader.values("m", "x0", "[0,0.0001)")
    return {
        "one event by its id": lambda: reader.event("m", md5(str(next(place)).encode()).hexdigest()),  # noqa: S324  # as the ids are made
        "one id that is not there": lambda: reader.event("m", "none"),
        "newest": page(),
        "newest of a month in a segment of a column's value": page(**within, column="c0", values=reader.values("m", "c0", "a")),
        "newest of a month, one in 10,000": page(**within, column="x0", values=rare),
        "counts of a month by 8 hours": lambda: reader.event_counts(EventQuery(model="m", **within, column="x0", values=rare), DAY // 3),
        "wrong ones of a day": page(**inside, label="wrong"),
        "worst of a day": page(**inside, order="worst"),
        "worst of a month": page(**within, order="worst"),
    }


def main() -> None:
    """Write the events, ask, and print a table."""
    parser = options(__doc__ or "", "python benchmarks/events.py --rows 50000000")
    parser.add_argument("--rows", type=int, default=1_000_000, help="events")
    rows: int = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        stores = Stores(Settings(data=Path(folder) / "data"), ManualClock(START))
        try:
            stores.migrate()
            fill(stores, contract(stores), rows)
            reader = Reader(cast("Any", SimpleNamespace(stores=stores, clock=ManualClock(START))))
            end = START + rows * SECOND // 10
            shown = []
            for name, work in asked(reader, rows, (max(START, end - 30 * DAY), end), (max(START, end - DAY), end)).items():
                progress(name)
                found = []
                for _ in range(TIMES):
                    began = time.perf_counter()
                    work()
                    found.append(time.perf_counter() - began)
                shown.append((name, f"{min(found):.3f}", f"{max(found):.3f}"))
        finally:
            stores.close()
    table(f"{rows:,} events", ("question", "best of 5, s", "worst, s"), shown)


if __name__ == "__main__":
    main()
