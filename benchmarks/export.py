"""Memory and time to export a training window, and whether it equals raw events: `python benchmarks/export.py --rows 10000000`.

Events have ids in no order, ten numbers and two texts; seven of ten have a label. They are exported to a Parquet file as a request gets them. Memory is that of the process, in which chDB is, too.
A checksum over all cells of the file is compared with one that the store computes from raw events and labels.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import psutil
import pyarrow as pa
from material.measure import cost, options, progress, table

from core.clock import ManualClock
from core.contract import Contract
from core.event_query import EventQuery
from core.moment import DAY, SECOND
from monitors.reference.derive import derive
from monitors.reference.option import Options
from watchkeeper.export_file import parquet
from watchkeeper.reader.reader import Reader
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores

START = 20_000 * DAY
NUMBERS, BLOCK = 10, 1_000_000
ID = "lower(hex(MD5(toString(number))))"
TEXT = "['a', 'b', 'c'][number % 3 + 1]"


def contract(stores: Stores) -> Contract:
    """The model."""
    rng = np.random.default_rng(1)
    columns = {f"x{place}": rng.random(1_000) for place in range(NUMBERS)}
    words = {name: rng.choice(["a", "b", "c"], 1_000) for name in ("c0", "c1")}
    rows = {
        "ts": pa.array(START + np.arange(1_000), pa.timestamp("us", "UTC")),
        "prediction": rng.integers(0, 2, 1_000),
        **columns,
        **words,
    }
    return stores.control.save_contract(derive("m", pa.table(rows), Options.of({"task": "binary"}))[0], content="m", reference=None)


def fill(stores: Stores, of_model: Contract, rows: int) -> None:
    """Events a tenth of a second apart, and labels. Signals are null."""
    numbers = ", ".join(f"toFloat64(cityHash64(number, {place})) / 18446744073709551616." for place in range(NUMBERS))
    kinds = [column.numeric for column in of_model.kept]
    numbers += ", nan" * (sum(kinds) - NUMBERS)
    texts = ", ".join([TEXT, TEXT] + ["'null'"] * (len(kinds) - sum(kinds) - 2))
    for first in range(0, rows, BLOCK):
        progress(f"{first:,} of {rows:,} events are written")
        of = f"FROM numbers({first}, {min(BLOCK, rows - first)})"
        at = f"fromUnixTimestamp64Micro(toInt64({START} + number * {SECOND // 10}), 'UTC')"
        stores.engine.command(
            f"INSERT INTO predictions (model, contract, prediction_id, ts, version, role, class, number, score, probabilities, numbers, texts, extra, partition, position, place, logged) SELECT 'm', 1, {ID}, {at}, '1', 'champion', toString(number % 2), nan, 0.5, [], [{numbers}], [{texts}], '', 0, number, 0, {at} {of}"
        )
        stores.engine.command(
            f"INSERT INTO labels SELECT 'm', {ID}, {at}, toString(number % 3 % 2), nan, nan, 0, {at}, 0, number, 0, {at} {of} WHERE number % 10 < 7"
        )


def checksums(stores: Stores, file: Path) -> tuple[str, str]:
    """Of the file, and of raw events with their labels."""
    names = ", ".join(f"x{place}" for place in range(NUMBERS))
    raw = ", ".join(f"numbers[{place + 1}]" for place in range(NUMBERS))
    of_file = stores.engine.query(
        f"SELECT count() AS n, sum(cityHash64(prediction_id, toUnixTimestamp64Micro(ts), prediction, {names}, assumeNotNull(c0), assumeNotNull(c1))) AS events,"
        f" countIf(label IS NOT NULL) AS labelled, sumIf(cityHash64(prediction_id, assumeNotNull(label)), label IS NOT NULL) AS labels"
        f" FROM file('{file}', Parquet, 'prediction_id String, ts DateTime64(6, \\'UTC\\'), prediction String, label Nullable(String), "
        + ", ".join(f"x{place} Float64" for place in range(NUMBERS))
        + ", c0 String, c1 String')"
    ).to_pylist()
    of_raw = stores.engine.query(
        f"SELECT n, events, labelled, labels FROM (SELECT count() AS n, sum(cityHash64(prediction_id, toUnixTimestamp64Micro(ts), toString(class), {raw}, toString(texts[1]), toString(texts[2]))) AS events FROM predictions) AS e,"
        " (SELECT count() AS labelled, sum(cityHash64(prediction_id, toString(text))) AS labels FROM labels) AS l"
    ).to_pylist()
    return str(of_file), str(of_raw)


def main() -> None:
    """Write, export, compare."""
    parser = options(__doc__ or "", "python benchmarks/export.py --rows 1000000")
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        stores = Stores(Settings(data=Path(folder) / "data"), ManualClock(START))
        reader = Reader(cast("Any", SimpleNamespace(stores=stores, clock=ManualClock(START))))
        try:
            stores.migrate()
            fill(stores, contract(stores), rows)
            process, sizes, file = psutil.Process(), list[int](), Path(folder) / "window.parquet"

            def watched(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
                for part in tables:
                    sizes.append(process.memory_info().rss)
                    progress(f"{len(sizes)} portions, {sizes[-1] / 2**20:,.0f} MB")
                    yield part

            began = time.perf_counter()
            with cost() as spent, file.open("wb") as opened:
                for part in parquet(watched(reader.export(EventQuery(model="m", order="oldest", as_of=START + 10_000 * DAY)))):
                    opened.write(part)
            seconds = time.perf_counter() - began
            of_file, of_raw = checksums(stores, file)
            tenth = max(1, len(sizes) // 10)
            found = [
                *(f"{rows:,}", f"{seconds:,.0f}", f"{spent.cpu:,.0f}", f"{rows / seconds:,.0f}", f"{file.stat().st_size / 2**20:,.0f}"),
                *(f"{max(part) / 2**20:,.0f}" for part in (sizes[:tenth], sizes[-tenth:], sizes)),
                "equal" if of_file == of_raw else "DIFFERENT",
            ]
            heads = ("rows", "s", "CPU s", "rows/s", "MB of file", "MB in the first tenth", "in the last", "at most", "checksum")
            table("Export of a training window", heads, [found])
            if of_file != of_raw:
                raise SystemExit(f"file: {of_file}\nraw:  {of_raw}")
        finally:
            stores.close()


if __name__ == "__main__":
    main()
