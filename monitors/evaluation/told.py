"""Gives new readings to the alerts: those of many monitors in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from core.error import Fenced
from core.monitor import Monitor
from core.reading import Bare, Reading, WithEvidence
from monitors.evaluation.failure import Failures
from monitors.lease import Lease
from monitors.ports import Alerts

_PORTION = 10_000  # readings of one transaction: PostgreSQL ends a transaction that is idle for 10 s
Portion = list[tuple[Monitor, Sequence[Reading]]]


class Fresh(NamedTuple):
    """New readings of a monitor. If they come without their evidence, `with_evidence` gives it."""

    monitor: Monitor
    readings: Iterator[Reading]
    with_evidence: WithEvidence | None = None


def tell(
    alerts: Alerts,
    given: Iterable[Fresh],
    lease: Lease,
    failures: Failures | None = None,
    came: Sequence[tuple[str, int]] = (),
) -> int:
    """Give readings to the alerts, the windows of each monitor in order. Returns in how many transactions.

    `came` is as `Alerts.observe_all` has it. With `failures`, a portion that is refused is given again monitor by monitor, and the error counts as that monitor's. Without, it is raised.
    """
    told = 0
    for portion in _portions(given):
        wanted = [one for one in portion if failures is None or one[0].name not in failures.errors]
        if not wanted:
            continue
        try:
            alerts.observe_all(wanted, lease.fence, came)
            told += 1
        except Fenced:
            raise
        except Exception as error:  # perhaps because of one monitor: the others are judged
            if failures is None:
                raise
            for one in wanted:
                with failures.of(one[0]):
                    if len(wanted) == 1:
                        raise error from None
                    alerts.observe_all([one], lease.fence, came)
                    told += 1
    return told


def _portions(given: Iterable[Fresh]) -> Iterator[Portion]:
    """Readings in portions, each with a monitor once at most. Monitors without a threshold or a budget are left out."""
    portion, size = Portion(), 0
    for monitor, readings, with_evidence in given:
        while monitor.alarms and (some := list(islice(readings, _PORTION - size))):
            portion.append((monitor, some if with_evidence is None else Bare(some, with_evidence)))
            if (size := size + len(some)) == _PORTION:
                yield portion
                portion, size = [], 0
    if portion:
        yield portion
