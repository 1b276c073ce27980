"""Ranks the readings of one run, a window of a monitor, by evidence that counts how many there are."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.block import Floats
from core.contract import LABEL
from core.monitor import Monitor
from core.reading import Query, Verdict
from core.segment import ALL
from core.trial import Trial
from detectors.catalogue import MEASURES
from detectors.multiple import q_values
from monitors.evaluation.watched import columns_of
from watchkeeper.reader.readings import ReadingReader
from watchkeeper.reader.trial import TrialReader

_MOST = 1_000  # windows in which the newest one is looked for
_UNTESTED = (Verdict.INSUFFICIENT, Verdict.NODATA)


class _Evidence(msgspec.Struct):
    """What the ranking needs of a reading's evidence."""

    p: float | None = None
    excess: float | None = None


class RankingReader(ReadingReader, TrialReader):
    """Reads rankings."""

    def ranking(self, asked: Query | Trial, *, dependent: bool = False) -> pa.Table:
        """The readings of one window of one monitor, stored or on trial, with `p`, `q` and `effect`, the most likely to have moved first. Raises ConfigError.

        `q` is the p-value adjusted for the number of readings (`detectors.multiple`). Readings without rows enough have no `q`, and are last.
        """
        table = self.readings(asked) if isinstance(asked, Query) else self.evaluate(asked)
        if (
            table.num_rows and asked.start is not None and asked.end == asked.start + 1
        ):  # of windows to date, which begin together, the last
            table = table.filter(pc.equal(table["window_end"], pc.max(table["window_end"])))
        return ranked(table, dependent=dependent)

    def newest_window(self, monitor: Monitor) -> int | None:
        """The start of the newest window in which a column has a p-value in the segment `all`, else of the newest window; None without one."""
        contract = self._known(monitor.model)
        column = next((name for name in columns_of(monitor, contract) if name != LABEL), LABEL)
        slots, _ = self._stores.panes.slots(contract)
        start = int(slots[-1]) - _MOST * monitor.window.step if len(slots) else None
        table = self.ranking(Query(model=monitor.model, monitor=monitor.name, column=column, segment=ALL, start=start, limit=2 * _MOST))
        starts, tested = table["window_start"].to_numpy(), table["p"].is_valid().to_numpy()
        found = starts[tested] if tested.any() else starts
        return int(found.max()) if len(found) else None


def ranked(table: pa.Table, *, dependent: bool = False) -> pa.Table:
    """Readings with `p`, `q` and `effect` (the excess, else the size of the value), the smallest q first; of equal ones that with the largest effect."""
    if not table.num_rows:
        return _with(table, dict.fromkeys(("p", "q", "effect"), np.zeros(0)))
    documents = [msgspec.json.decode(text or "{}", type=_Evidence) for text in table["evidence"].to_pylist()]
    verdicts = np.array(table["verdict"].cast(pa.string()).to_pylist(), object)
    p = np.where(np.isin(verdicts, _UNTESTED), np.nan, _floats([one.p for one in documents]))
    q = q_values(p, dependent=dependent)
    excess, value = _floats([one.excess for one in documents]), np.asarray(table["value"].to_numpy(), np.float64)
    about = MEASURES[str(table["measure"][0].as_py())]
    size = np.array([np.nan if np.isnan(one) else about.size(one) for one in value.tolist()])
    effect = np.where(np.isnan(excess), size, excess)
    order = np.lexsort(
        (-np.nan_to_num(effect, nan=-np.inf), np.nan_to_num(p, nan=2.0), np.nan_to_num(q, nan=2.0), np.isin(verdicts, _UNTESTED))
    )
    return _with(table, {"p": p, "q": q, "effect": effect}).take(order)


def _with(table: pa.Table, numbers: dict[str, Floats]) -> pa.Table:
    """A table with more columns, null for NaN."""
    for name, values in numbers.items():
        table = table.append_column(name, pa.array(values, pa.float64(), mask=np.isnan(values)))
    return table


def _floats(values: list[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)
