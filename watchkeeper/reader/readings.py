"""Reads the readings of current definitions."""

from __future__ import annotations

import pyarrow as pa

from core.document_name import OWNER
from core.reading import Query
from watchkeeper.reader.sources import Sources


class ReadingReader(Sources):
    """Reads pages of readings."""

    def page(self, query: Query) -> tuple[pa.Table, str | None]:
        """Readings, and the cursor of the next page. Those of a deleted monitor are given only if the query names it, or its deleted model."""
        control, contracts = self._stores.control, self._evaluated(query.model)
        current = {
            (monitor.model, monitor.name): (monitor.evaluated_revision, contracts.get(monitor.model, 1))
            for monitor in control.monitors(query.model)
        }
        if query.monitor is not None or (query.model is not None and control.contract(query.model) is None):
            retired = {(one.model, one.name): (one.revision, one.contract) for one in control.retired_monitors(query.model)}
            current = retired | current
        if query.definition is not None:
            current = dict.fromkeys(current, query.definition)
        return self._stores.readings.read(query, current)

    def readings(self, query: Query) -> pa.Table:
        """The first page of readings."""
        return self.page(query)[0]

    def _evaluated(self, model: str | None) -> dict[str, int]:
        """By model, the contract version of the readings that are shown: the newest version once everything has been evaluated under it.

        Two questions, for one model as for all.
        """
        control = self._stores.control
        if model is not None:
            one, cursor = control.contract(model), control.cursor(OWNER + model)
            newest, cursors = {model: one.version if one else 1}, {} if cursor is None else {OWNER + model: cursor}
        else:
            newest = {contract.model: contract.version for contract in control.contracts()}
            cursors = control.cursors(OWNER)
        return {name: int(cursors.get(OWNER + name, {}).get("contract", version)) for name, version in newest.items()}
