"""Reads the versions of contracts, with what each brought."""

from __future__ import annotations

import msgspec

from core.contract import Contract
from core.contract_version import ContractVersion, changes
from monitors.reference.facts import UNTIMED
from watchkeeper.backend import Readable
from watchkeeper.reader.sources import Sources

_MOST = 50  # versions, the newest ones
_Span = tuple[int | None, int | None, int | None]
_UNKNOWN: _Span = (None, None, None)


class ContractReader(Sources):
    """Reads the versions of contracts."""

    def __init__(self, backend: Readable) -> None:
        super().__init__(backend)
        self._seams: dict[str, tuple[int, list[ContractVersion]]] = {}  # by model the newest version, and all without rows and times

    def contract_versions(self, model: str, references: bool = True) -> list[ContractVersion]:
        """The versions of a model's contract, the newest first, at most fifty; none if there is no such model. Without rows and times of their references, if these are not asked for: each page asks, so they are kept."""
        if references:
            return self._every(model, references=True)
        newest = self._stores.control.contract(model)
        if newest is None:
            return []
        held = self._seams.get(model)
        if held is None or held[0] != newest.version:
            held = self._seams[model] = newest.version, self._every(model, references=False)
        return held[1]

    def _every(self, model: str, *, references: bool) -> list[ContractVersion]:
        history = self._stores.control.contract_history(model, _MOST + 1)
        spans: dict[int, _Span] = {}
        found: list[ContractVersion] = []
        for place, (contract, saved_at, referenced, actor) in reversed([*enumerate(history)]):
            if len(found) == _MOST:
                break
            if referenced and references and contract.based_on not in spans:
                spans[contract.based_on] = self._span(contract)
            rows, start, end = spans.get(contract.based_on, _UNKNOWN) if referenced else _UNKNOWN
            before = history[place - 1] if place else None
            said = () if before is None else changes(before[0], contract, reference=referenced and contract.based_on == contract.version)
            said = (*said, "without a reference") if before is not None and before[2] and not referenced else said
            one = ContractVersion(version=contract.version, saved_at=saved_at, actor=actor, reference=referenced, changes=said)
            found.append(msgspec.structs.replace(one, referred=contract.based_on if referenced else None, rows=rows, start=start, end=end))
        return found

    def _span(self, contract: Contract) -> _Span:
        """How many rows a reference has, and the time from the first to the last one, in whole panes."""
        slots, rows = self._stores.panes.slots(contract.of_reference)
        timed = slots[slots != UNTIMED]
        n = int(rows.sum()) if len(rows) else None
        return (n, int(timed[0]), int(timed[-1]) + contract.pane) if len(timed) else (n, None, None)
