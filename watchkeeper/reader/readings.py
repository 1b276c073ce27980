"""Reads the readings of current definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from core.document_name import OWNER
from core.reading import Query
from watchkeeper.reader.sources import Sources


class ReadingReader(Sources):
    """Reads pages of readings."""

    def page(self, query: Query) -> tuple[pa.Table, str | None]:
        """Readings, and the cursor of the next page. Those of a deleted monitor are given only if the query names it, or its deleted model."""
        current = self._definitions(query) if query.as_of is None else self._definitions_at(query, query.as_of)
        if query.definition is not None:
            current = dict.fromkeys(current, query.definition)
        return self._stores.readings.read(query, current)

    def readings(self, query: Query) -> pa.Table:
        """The first page of readings."""
        return self.page(query)[0]

    def charts(self, queries: Sequence[Query]) -> list[pa.Table]:
        """`readings` of each query for a line of a chart, from a start to an end. One question for all that are of now."""
        now = [query for query in queries if query.as_of is None and query.definition is None]
        if len(now) < 2:
            return [*map(self.readings, queries)]
        models = {query.model for query in now}
        current = self._definitions(Query(model=models.pop() if len(models) == 1 else None))
        known = [query for query in now if (query.model, query.monitor) in current]  # deleted ones are asked for alone
        found = self._stores.readings.charts(known, current) if known else []
        together = {} if found is None else dict(zip(known, found, strict=True))
        return [together[query] if query in together else self.readings(query) for query in queries]

    def lines(self, queries: Sequence[Query]) -> list[list[float | None]]:
        """For each query for a line of a chart, from a start to an end, the values of its readings in the order of their windows. One question for all."""
        current = self._definitions(Query())
        if any((query.model, query.monitor) not in current for query in queries):  # deleted ones have readings, too
            current = {(one.model, one.name): (one.revision, one.contract) for one in self._stores.control.retired_monitors()} | current
        return self._stores.readings.lines(queries, current)

    def standings(self, since: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], tuple[int, int, int]]:
        """By model and monitor the end of the newest window, when it was evaluated last, and how many windows that end after `since` reached a threshold."""
        return self._stores.readings.standings(self._definitions(Query()), since)

    def _definitions(self, query: Query) -> dict[tuple[str, str], tuple[int, int]]:
        """By model and monitor, the versions of the monitor and of the contract whose readings are shown."""
        control, contracts, defined = self._stores.control, self._evaluated(query.model), self._defined.read()
        current = {
            (monitor.model, monitor.name): (monitor.evaluated_revision, contracts.get(monitor.model, 1))
            for name, definition in defined.items()
            for monitor in definition.monitors
            if query.model in (None, name) and query.monitor in (None, monitor.name)
        }
        named = query.monitor is not None and (query.model is None or not current)  # one of this name may have been deleted
        if named or (query.model is not None and query.model not in defined):
            retired = {(one.model, one.name): (one.revision, one.contract) for one in control.retired_monitors(query.model)}
            current = retired | current
        return current

    def _definitions_at(self, query: Query, at: int) -> dict[tuple[str, str], tuple[int, int]]:
        """As `_definitions`, at an earlier time."""
        control = self._stores.control
        cursors = control.cursors(OWNER) if query.model is None else {OWNER + query.model: control.cursor(OWNER + query.model) or {}}
        contracts = control.contracts_at(at, query.model)
        versions = {name: _shown(one.version, cursors.get(OWNER + name, {}).get("contracts", {}), at) for name, one in contracts.items()}
        gone_too = query.monitor is not None or (query.model in contracts and contracts[query.model].deleted)
        return {
            (one.model, one.name): (one.evaluated_revision, versions[one.model])
            for one, deleted in control.monitors_at(at, query.model)
            if one.model in versions and (gone_too or not deleted)
        }

    def _evaluated(self, model: str | None) -> dict[str, int]:
        """By model, the contract version of the readings that are shown: the newest version once everything has been evaluated under it.

        Two questions, for one model as for all.
        """
        control, defined = self._stores.control, self._defined.read()
        if model is not None:
            one, cursor = defined.get(model), control.cursor(OWNER + model)
            newest, cursors = {model: one.contract.version if one else 1}, {} if cursor is None else {OWNER + model: cursor}
        else:
            newest = {name: definition.contract.version for name, definition in defined.items()}
            cursors = control.cursors(OWNER)
        return {name: int(cursors.get(OWNER + name, {}).get("contract", version)) for name, version in newest.items()}


def _shown(given: int, evaluated: Mapping[str, int], at: int) -> int:
    """The contract version of the readings that were shown at a time: the newest of those up to `given` under which everything had been `evaluated` (version -> since when)."""
    since = {int(version): time for version, time in evaluated.items()}
    before = min(since, default=given + 1) - 1  # of these it is not known when
    return max((version for version, time in since.items() if version <= given and time <= at), default=min(given, before))
