"""One run: the readings of a measure of every column in one window, ranked by evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.segment import ALL
from core.window.tumbling import Tumbling
from dashboard.panel import ask
from dashboard.period import Period, period
from dashboard.ports import Reader
from dashboard.series import Series, by_key, has
from dashboard.state import PageState
from dashboard.taken import Taken, of_window, question, readings, suited
from dashboard.view_model import ModelView, newest

SIZE = 25  # rows on a page
LEVEL = 0.05  # of q: of the columns that are said to have moved about one in twenty has not
MANY = 200  # columns that are computed on demand at once
_PROBED = 1  # column that tells which windows there are

Row = dict[str, Any]
Key = tuple[str, str]
"""A column and a segment."""


@dataclass(frozen=True)
class Run:
    """The readings of the window that starts at `start`; of one to date, that is the start of its last day. `rows` are those of the table's page, in order; `found` is how many rows the table has in all.

    `tests` is for how many readings q allows, `moved` how many rows have q up to `LEVEL`; `reached` counts the rows by verdict. `part` says that only the rows of the page have been computed, so that they are ranked among themselves. `period` holds the readings of the rows over
    the period, if they were asked for before.
    """

    of: Taken
    over: Period
    start: int
    rows: list[Row]
    found: int
    tests: int = 0
    moved: int = 0
    reached: Mapping[str, int] = field(default_factory=dict)
    part: bool = False
    period: pa.Table | None = None

    @property
    def window(self) -> tuple[int, int]:
        """The window's start and its end."""
        return self.of.monitor.window.at(self.start)

    @property
    def keys(self) -> list[Key]:
        """Column and segment of each row."""
        return [(row["column"], row["segment"]) for row in self.rows]

    @property
    def tested(self) -> bool:
        """Whether any row has a p-value."""
        return any(row["p"] is not None for row in self.rows)


async def run(
    reader: Reader, view: ModelView, of: Taken, state: PageState, *, sort: Callable[[Row], float] | None = None, size: int = SIZE
) -> Run:
    """The run of the selected window, else of the newest one, and the rows of the selected page. Raises ConfigError or Retryable.

    Rows are those of the selected segment, or of all values of the grouping that `state.by` names. `sort` gives a number for a row, the largest first; without it the
    smallest q is first.
    """
    over, wanted = period(view.row, state, of.monitor.window), state.by or state.segment
    columns = [name for name in _columns(view, of) if state.find.casefold() in name.casefold()]
    part = not of.stored and len(columns) > MANY
    asked = columns[_page(state.page, len(columns), size)] if part else columns if not of.stored else []
    start, held = await _start(reader, view, of, state, over)
    if not columns:
        return Run(of, over, start, [], 0, part=part)
    table = await ask(reader.ranking, of_window(of, None if of.stored or state.by else wanted, of.monitor.window.at(start), asked))
    if not table.num_rows:
        return Run(of, over, start, [], 0, part=part)
    tests = len(table) - table["q"].null_count
    table = table.filter(pc.is_in(table["column"].cast(pa.string()), pa.array(columns)))
    table = table.filter(pa.array([_within(name, wanted) for name in table["segment"].to_pylist()], pa.bool_()))
    rows: list[Row] = table.to_pylist()
    rows = sorted(rows, key=sort, reverse=True) if sort else rows
    return Run(
        of,
        over,
        start,
        rows if part else rows[_page(state.page, len(rows), size)],
        len(columns) if part else len(rows),
        tests,
        sum(row["q"] is not None and row["q"] <= LEVEL for row in rows),
        Counter(row["verdict"] for row in rows),
        part,
        held,
    )


def _page(number: int, rows: int, size: int) -> slice:
    """The rows of a page, of the last one if there are fewer pages."""
    first = (min(number, max(1, -(-rows // size))) - 1) * size
    return slice(first, first + size)


async def over_time(reader: Reader, shown: Run, state: PageState) -> dict[Key, Series]:
    """The readings of the rows of a run over the period, in their order."""
    over, columns = shown.over, list(dict.fromkeys(column for column, _ in shown.keys))
    if not columns:
        return {}
    table = shown.period
    if table is None:
        table = await readings(reader, question(shown.of, state.by or state.segment, over.start, over.end, columns))
    if not table.num_rows:
        return {}
    parts = {column: by_key(rows, "segment") for column, rows in by_key(table, "column").items()}
    nothing = table.slice(0, 0)
    return {
        (column, segment): Series.of(parts.get(column, {}).get(segment, nothing), over.start, over.end, over.step, over.window)
        for column, segment in shown.keys
    }


def _columns(view: ModelView, of: Taken) -> Sequence[str]:
    """The columns of the readings, in the order of the contract."""
    if of.monitor.columns:
        return of.monitor.columns
    about = view.measures[of.monitor.measure]
    return [name for name in suited(view, about) if has(of.monitor, name)]


def _within(segment: str, wanted: str) -> bool:
    """Whether a segment is the wanted one, or a value of the wanted grouping."""
    return segment == wanted or (
        wanted != ALL and "=" not in wanted and "*".join(part.split("=")[0] for part in segment.split(",")) == wanted
    )


async def _start(reader: Reader, view: ModelView, of: Taken, state: PageState, over: Period) -> tuple[int, pa.Table | None]:
    """The start of the selected window; without a selection, of the newest window that a column's page would show first. And the readings of all columns over the period, if a page would have them all."""
    if state.window is not None and isinstance(of.monitor.window, Tumbling):
        return over.start + (state.window - over.start) // over.step * over.step, None
    if state.window is not None:
        return state.window, None
    columns = _columns(view, of)
    whole = len(columns) <= SIZE and not state.by
    asked = columns if whole else columns[:_PROBED]
    table = await readings(reader, question(of, state.segment, over.start, over.end, asked)) if asked else pa.table({})
    probed = by_key(table, "column").get(columns[0]) if table.num_rows else None
    if probed is None:
        return over.end - over.step, None
    return newest([Series.of(probed, over.start, over.end, over.step, over.window)], over), table if whole else None
