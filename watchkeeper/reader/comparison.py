"""Reads comparisons: those of monitors from their readings, and any others by computing them now."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa

from core.baseline.rows import Role, Version
from core.comparison import Comparison, ComparisonQuery, Side
from core.monitor import Monitor
from core.reading import Query
from core.segment import ALL, grouping_of
from core.trial import Trial
from watchkeeper.reader.readings import ReadingReader
from watchkeeper.reader.trial import TrialReader

_COURSE = 400  # windows
_PAGE = 10_000


class ComparisonReader(ReadingReader, TrialReader):
    """Reads comparisons. It writes nothing."""

    def comparisons(self, model: str) -> list[Comparison]:
        """The newest window of each comparison that a monitor of the model makes, by monitor and segment, `all` first."""
        found = []
        for monitor in self._stores.control.monitors(model):
            if monitor.other is not None and (course := self.course(monitor, 1)):
                asked = Query(model=model, monitor=monitor.name, closes=course[-1].window_end)
                found += sorted(_comparisons(monitor, self.readings(asked)), key=lambda one: (one.segment != ALL, one.segment))
        return found

    def course(self, monitor: Monitor, most: int = _COURSE, segment: str = ALL) -> list[Comparison]:
        """The last windows of a comparison in a segment, the newest last."""
        found = list[Comparison]()
        asked = Query(model=monitor.model, monitor=monitor.name, segment=segment, limit=_PAGE)
        while True:  # readings come with the oldest first
            table, after = self.page(asked)
            found = [*found, *_comparisons(monitor, table)][-most:]
            if after is None:
                return found
            asked = msgspec.structs.replace(asked, after=after)

    def compared(self, asked: ComparisonQuery) -> list[Comparison]:
        """A comparison that no monitor makes, computed now and not stored: its windows, the newest last. Raises ConfigError where it cannot be made, Retryable where a store does not answer."""
        sides = {"a": asked.a.written, "b": asked.b.written}
        written: dict[str, Any] = {"model": asked.model, "measure": "compare.difference", **sides, "target": {"window": asked.window}}
        written |= {"params": {"of": asked.of, "margin": asked.margin}, "min_samples": asked.min_samples}
        if asked.segment != ALL:
            written["segments"] = ["*".join(grouping_of(asked.segment))]
        table = self.evaluate(Trial(written, asked.start, asked.end, asked.segment))
        found = _read(table, asked.a, asked.b, asked.of, asked.margin, "") if table.num_rows else []
        return sorted(found, key=lambda one: one.window_end)


def _comparisons(monitor: Monitor, table: pa.Table) -> list[Comparison]:
    """The readings of a monitor as comparisons."""
    a, b, of = monitor.baseline, monitor.other, monitor.params["of"]
    if not isinstance(a, Version | Role) or b is None:
        return []
    return _read(table, a, b, of["measure"] if isinstance(of, dict) else of, monitor.params["margin"], monitor.name)


def _read(table: pa.Table, a: Side, b: Side, of: str, margin: float, monitor: str) -> list[Comparison]:
    same: dict[str, Any] = {"a": a, "b": b, "of": of, "margin": margin, "monitor": monitor}
    own = [name for name in Comparison.__struct_fields__ if name not in same]
    rows = table.select(own).to_pylist()
    return [Comparison(**same, **{**row, "evidence": msgspec.json.decode(row["evidence"] or "{}")}) for row in rows]
