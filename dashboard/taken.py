"""How the readings of a measure are taken: a monitor that watches it has stored them; else they are computed on demand, and not stored."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import msgspec
import pyarrow as pa

from core import moment
from core.baseline.reference import Reference
from core.error import ConfigError
from core.measure import Family, Measure, Subject
from core.monitor import Compare, Gate, Monitor
from core.reading import Query
from core.segment import ALL, grouping_of
from core.trial import Trial
from core.window.tumbling import Tumbling
from dashboard.panel import ask
from dashboard.period import Period
from dashboard.picked import with_picks
from dashboard.ports import Reader
from dashboard.series import Series, choose, has, since, watches
from dashboard.state import PageState
from dashboard.view_model import LIMIT, ModelView

WHOLE = ""  # the column of the readings of a measure of the whole model
_FEW = 50  # rows of a segment that are enough to look at; the thresholds of alarms need more


@dataclass(frozen=True)
class Taken:
    """The definition whose readings are shown. `stored`: a monitor has them; else they are computed when they are asked for. `picked`: because their window, baseline or version was picked on the page. Stored ones are those that were known at `as_of`, None for now."""

    monitor: Monitor
    stored: bool
    picked: bool = False
    as_of: int | None = None

    @property
    def note(self) -> str:
        """What is to be said of readings that no monitor has; else empty."""
        if self.picked:
            return " Windows, baseline or version were picked here: computed now, not stored, no alarms."
        return "" if self.stored else " No monitor watches this: computed now, not stored, no alarms."


def taken(
    view: ModelView, measure: str, state: PageState, column: str = "", segment: str | None = None, like: Monitor | None = None
) -> Taken:
    """How a measure is taken of a segment or of the values of a grouping (the state's segment if none is given), and of a column if one is given.

    With `like` only in the windows of that monitor.
    """
    segment = state.segment if segment is None else segment
    about = view.measures[measure]
    fit = [one for one in view.monitors if not about.subject.protected or column in (one.attributes or view.contract.protected)]
    found = choose(fit, measure, state.monitor, column, segment)
    if found is not None and watches(found, segment) and (like is None or like.window == found.window):
        return picked(view, Taken(found, stored=True, as_of=state.as_of), state, column, segment)
    return picked(view, Taken(_on_demand(view, about, like or found, column, segment), stored=False), state, column, segment)


def picked(view: ModelView, how: Taken, state: PageState, column: str = "", segment: str = ALL) -> Taken:
    """The same measure of the version, in the windows and against the baseline that the state picks; as it is taken anyway, if that is the same."""
    monitor, about = how.monitor, view.measures[how.monitor.measure]
    window, baseline = with_picks(view, monitor, about, state)
    version = state.version if state.version and not about.of_stream else monitor.version
    if (window, baseline, version) == (monitor.window, monitor.baseline, monitor.version):
        return how
    made = msgspec.structs.replace(monitor, window=window, baseline=baseline, version=version)
    return Taken(_on_demand(view, about, made, column, segment), stored=False, picked=True)


def _on_demand(view: ModelView, about: Measure, like: Monitor | None, column: str, segment: str) -> Monitor:
    """A monitor without alarms, in the windows of one of the measure, else of its family."""
    grouping = segment if "=" not in segment else "*".join(grouping_of(segment))
    kin = [one for one in view.monitors if one.measure in view.measures and view.measures[one.measure].family is about.family]
    like = like or next((one for one in kin if has(one, column) and view.measures[one.measure].subject is about.subject), None)
    usual = view.contract.usual
    made = like or Monitor(name="", model=view.row.model, measure=about.name, window=Tumbling(usual.length if usual else moment.DAY))
    against = about.usual_baseline or (Reference() if about.tested and view.referenced and not about.of_stream else None)
    same = like is not None and like.measure == about.name
    return msgspec.structs.replace(
        made,
        name="",
        measure=about.name,
        params=made.params if same else {},
        columns=() if about.subject.protected else (column,) if column else suited(view, about),
        attributes=(column,) if about.subject.protected and column else (),
        segments=(ALL,) if segment == ALL else (ALL, grouping),
        baseline=made.baseline if same else against,
        warn=None,
        critical=None,
        budget=None,
        share=None,
        gate=Gate.NONE,
        compare=Compare.EXCESS if about.excess else Compare.VALUE,
        min_samples=made.min_samples if segment == ALL else min(made.min_samples, _FEW),
        persist=(1, 1),
    )


def measures_of(view: ModelView, family: Family) -> list[str]:
    """The measures of columns of a family that a column of the model can have."""
    return [name for name, about in view.measures.items() if about.family is family and suited(view, about)]


def suited(view: ModelView, about: Measure) -> tuple[str, ...]:
    """The features and outputs that can have a value of a measure; none for a measure of the whole model."""
    if about.subject is not Subject.COLUMN:
        return ()
    return tuple(one.name for one in (*view.contract.features, *view.contract.outputs) if one.kind in about.kinds)


def of_window(of: Taken, segment: str | None, window: tuple[int, int], columns: Sequence[str] = ()) -> Query | Trial:
    """The readings of one window, as `question`."""
    asked = exactly(of, segment, window[0], window[0] + 1, columns)
    if not of.monitor.window.overlaps:
        return asked
    return msgspec.structs.replace(asked, closes=window[1]) if isinstance(asked, Query) else replace(asked, closes=window[1])


def question(of: Taken, segment: str | None, start: int | None, end: int | None, columns: Sequence[str] = ()) -> Query | Trial:
    """The readings that have a slot in a span, as `exactly`; of windows of the calendar perhaps earlier ones, too."""
    return exactly(of, segment, None if start is None else since(of.monitor.window, start), end, columns)


def exactly(of: Taken, segment: str | None, start: int | None, end: int | None, columns: Sequence[str] = ()) -> Query | Trial:
    """The readings of windows that begin in a span: of a segment or the values of a grouping, None for every segment; of some columns, none for all."""
    monitor = of.monitor
    if of.stored:
        return Query(
            model=monitor.model,
            monitor=monitor.name,
            measure=monitor.measure,
            column=columns[0] if len(columns) == 1 else None,
            columns=tuple(columns) if len(columns) > 1 else (),
            segment=segment,
            start=start,
            end=end,
            as_of=of.as_of,
            limit=LIMIT,
        )
    named = tuple(sorted(name for name in columns if name != WHOLE))
    fields = _written(monitor, named or monitor.columns)  # in whichever order: its calibration is kept
    only = segment is not None and (segment == ALL or "=" in segment)
    return Trial(fields, start, end, segment if only else None)


async def readings(reader: Reader, asked: Query | Trial) -> pa.Table:
    """The readings of a question. Raises ConfigError or Retryable if they cannot be computed."""
    return await ask(reader.readings, asked) if isinstance(asked, Query) else await ask(reader.evaluate, asked)


async def series(reader: Reader, asked: Query | Trial, over: Period) -> Series:
    """The readings of a question for one column and segment, on the grid of a period; without any where they cannot be computed. Raises Retryable if that may be otherwise soon."""
    try:
        return _placed(await readings(reader, asked), over)
    except ConfigError:
        return _placed(pa.table({}), over)


async def several(reader: Reader, asked: Mapping[str, Query | Trial], over: Mapping[str, Period]) -> dict[str, Series]:
    """The `series` of some questions, by name. Those of stored readings are asked for together."""
    stored = {name: one for name, one in asked.items() if isinstance(one, Query)}
    tried = {name: one for name, one in asked.items() if name not in stored}
    tables, made = await gather(
        ask(reader.charts, list(stored.values())), gather(*(series(reader, tried[name], over[name]) for name in tried))
    )
    found = {name: _placed(table, over[name]) for name, table in zip(stored, tables, strict=True)}
    return found | dict(zip(tried, made, strict=True))


def _placed(table: pa.Table, over: Period) -> Series:
    """Readings on the grid of a period."""
    grid = over.start, over.end, over.step, over.window
    return Series.of(table, *grid) if table.num_columns else Series.none(*grid)


def named(monitor: Monitor) -> Monitor:
    """A monitor under the name of its content."""
    return msgspec.structs.replace(monitor, name=_name(msgspec.structs.replace(monitor, name="", revision=1, since=0)))


def _name(content: Any) -> str:
    return f"on demand {blake2b(msgspec.json.encode(content), digest_size=8).hexdigest()}"


def _written(monitor: Monitor, columns: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a monitor as the grammar reads them. Its name is that of its content, so that a calibration is kept for it."""
    fields: dict[str, Any] = {
        "model": monitor.model,
        "measure": monitor.measure,
        "params": monitor.params,
        "columns": list(columns),
        "attributes": list(monitor.attributes),
        "segments": list(monitor.segments),
        "target": monitor.window.written,
        "baseline": monitor.baseline.written if monitor.baseline else None,
        "exclude": monitor.excluded,
        "version": monitor.version,
        "compare": str(monitor.compare),
        "min_samples": monitor.min_samples,
    }
    fields = {name: value for name, value in fields.items() if value not in (None, {}, [])}
    return {"monitor": _name(fields), **fields}
