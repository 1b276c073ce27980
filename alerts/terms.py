"""The terms of a rule: what its monitor says about firing, holding and resolving."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from core.measure import Measure
from core.monitor import Compare, Monitor, Unjudged
from core.reading import Reading, Verdict

_DIGITS = 12  # both sides of a comparison are rounded to so many decimals
_BROKEN = frozenset({Verdict.NOT_ESTIMABLE, Verdict.ASSUMPTIONS_BROKEN})


@dataclass(frozen=True)
class Terms:
    """`persist` is (m, n). `breach` holds the verdicts that count as a breach. The other fields are those of `core.monitor.Monitor`.

    `against`: the monitor has a baseline. `sided`: its thresholds are of the value itself.
    """

    persist: tuple[int, int] = (1, 1)
    keep_firing: int = 0
    reopen_within: int = 0
    clear: float | dict[str, float] | None = None
    compare: Compare = Compare.VALUE
    against: bool = False
    sided: bool = False
    breach: frozenset[Verdict] = frozenset({Verdict.WARN, Verdict.CRITICAL, Verdict.WORSE})

    @classmethod
    def of(cls, monitor: Monitor) -> Self:
        """The terms of a monitor."""
        unjudged = {Verdict.NODATA} if monitor.on_nodata is Unjudged.ALERT else set()
        unjudged |= _BROKEN if monitor.on_error is Unjudged.ALERT else set()
        return cls(
            persist=monitor.persist,
            keep_firing=monitor.keep_firing,
            reopen_within=monitor.reopen_within,
            clear=monitor.clear,
            compare=monitor.compare,
            against=monitor.baseline is not None,
            sided=any(isinstance(one, dict) for one in (monitor.warn, monitor.critical)),
            breach=USUAL.breach | unjudged,
        )

    @cached_property
    def counted(self) -> frozenset[Verdict]:
        """The verdicts of windows that fire or resolve; all others leave a rule as it is."""
        return self.breach | {Verdict.OK, Verdict.READY, Verdict.KEEP_WAITING}

    @cached_property
    def remembered(self) -> int:
        """How many of the last counted windows decide."""
        return self.persist[1] + self.keep_firing

    @property
    def needs_evidence(self) -> bool:
        """Whether rules depend on the evidence of readings."""
        return self.clear is not None and self.compare is not Compare.VALUE

    def holds(self, reading: Reading, about: Measure) -> bool:
        """Whether a good reading is not good enough to end an episode: it reaches `clear`."""
        if self.clear is None or reading.verdict is not Verdict.OK:
            return False
        compared = self._compared(reading, about)
        if compared is None:
            return False
        if isinstance(self.clear, dict) and "below" in self.clear:
            return round(compared, _DIGITS) <= round(self.clear["below"], _DIGITS)
        return round(compared, _DIGITS) >= round(self.clear["above"] if isinstance(self.clear, dict) else self.clear, _DIGITS)

    def _compared(self, reading: Reading, about: Measure) -> float | None:
        """What is compared with the thresholds, as `monitors.evaluation.verdict` does."""
        if self.compare is not Compare.VALUE:
            found: Any = reading.evidence.get(self.compare.value)
            return None if found is None else float(found)
        if reading.value is None or (self.against and about.judged.value == "worse" and reading.baseline_value is None):
            return None
        promise = None if self.sided else reading.params.get("promise")
        return float(about.worse(reading.value, reading.baseline_value or 0.0, against=self.against, promise=promise))


USUAL = Terms()
"""The terms of a monitor that says nothing."""
