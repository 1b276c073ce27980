"""The report of each owner: what it has done, up to which positions, under which definitions. From these the serving process sees whether all is quiet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from core.clock import Clock
from core.document_name import REPORT
from monitors.ownership.owner import Owner
from watchkeeper.scheduling.scheduler import StepDone


class OwnerReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner reported last. `quiet`: in silence it found nothing to do up to these positions, by partition, under these definitions.

    Counts are those of all owners that the model has had; `seconds` is the duration of the last step with work, `at` the time of the report.
    """

    epoch: int
    quiet: bool
    predictions: Mapping[int, int]
    labels: Mapping[int, int]
    contract: int
    summary: int = 0
    monitors: Mapping[str, int]
    readings: int = 0
    audited: int = 0
    repaired: int = 0
    seconds: float = 0.0
    failing: Mapping[str, str] = {}
    at: int = 0


class Documents(Protocol):
    """The store of owners' reports."""

    def cursor(self, name: str) -> dict[str, Any] | None:
        """One document."""
        ...

    def cursors(self, prefix: str) -> dict[str, dict[str, Any]]:
        """All documents whose names begin with `prefix`."""
        ...

    def save_fenced(self, name: str, payload: dict[str, Any], fence: tuple[str, int]) -> None:
        """Save one if the fence's epoch is the current one; else raise Fenced."""
        ...


class OwnerReports:
    """Saves a report after each step whose report differs from the last one."""

    def __init__(self, store: Documents, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._saved: dict[str, OwnerReport] = {}
        self._before: dict[str, tuple[Owner, OwnerReport | None]] = {}  # by model: the owner, and the report of the owner before

    def save(self, step: StepDone) -> None:
        """Report what an owner has done. Raises Fenced if another owner has taken the model."""
        if step.owner.fence is None:
            return
        name, epoch = step.owner.fence
        saved = self._saved.get(step.model)
        counts, before = step.owner.counts, self._predecessor(step)
        report = OwnerReport(
            epoch=epoch,
            quiet=step.silent and not step.worked,
            predictions=step.committed.predictions,
            labels=step.committed.labels,
            contract=step.contract.version,
            summary=step.contract.summary,
            monitors={monitor.name: monitor.revision for monitor in step.monitors},
            readings=counts.readings + (before.readings if before else 0),
            audited=counts.audited + (before.audited if before else 0),
            repaired=counts.repaired + (before.repaired if before else 0),
            seconds=round(step.seconds, 3) if step.worked or saved is None else saved.seconds,
            failing=counts.problems,
        )
        if report != saved:
            document = msgspec.structs.replace(report, at=self._clock.now())
            self._store.save_fenced(REPORT + step.model, msgspec.to_builtins(document, str_keys=True), (name, epoch))
            self._saved[step.model] = report

    def _predecessor(self, step: StepDone) -> OwnerReport | None:
        owner, report = self._before.get(step.model, (None, None))
        if owner is not step.owner:
            found = self._store.cursor(REPORT + step.model)
            report = None if found is None else _read(found)
            self._before[step.model] = step.owner, report
        return report


def owner_reports(store: Documents) -> dict[str, OwnerReport]:
    """What the owners reported last, by model."""
    return {name.removeprefix(REPORT): _read(found) for name, found in store.cursors(REPORT).items()}


def _read(document: dict[str, Any]) -> OwnerReport:
    return msgspec.convert(document, OwnerReport, strict=False)
