"""A reader's comparisons, none unless a test gives some, its versions of contracts, its errors by prediction, and what it says of a monitor that is tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core import moment
from core.comparison import Comparison
from core.contract_version import ContractVersion
from core.error import ConfigError
from core.monitor import Monitor
from core.trial import Trial
from dashboard.ports import Goes, SegmentErrors
from tests.dashboard.year import START


class Standing:
    """The part of the reader that tells comparisons, versions of contracts, errors by prediction, and of monitors that are tried."""

    standing: tuple[Comparison, ...] = ()

    def comparisons(self, model: str) -> tuple[Comparison, ...]:
        return self.standing

    def course(self, monitor: Monitor) -> tuple[Comparison, ...]:
        return self.standing[:1]

    def contract_versions(self, model: str, references: bool = True) -> list[ContractVersion]:
        year, saved = (START - 365 * moment.DAY, START), START + moment.DAY
        first = ContractVersion(version=1, saved_at=saved, actor="ana", reference=True, referred=1, rows=28_000, start=year[0], end=year[1])
        said = ("VX of carrier is a segment of its own",)
        second = msgspec.structs.replace(first, version=2, saved_at=START + 120 * moment.DAY, actor="watchkeeper", changes=said)
        return [second, first] if model == "departs-late" else []

    def residuals(self, model: str, segment: str, version: str | None, start: int, end: int) -> list[SegmentErrors] | None:
        return [SegmentErrors(f"{10 * place} to {10 * place + 9}", 40, 5.0 - place, 9.0 + place, 14.0 + place) for place in range(10)]

    def would_go(self, monitor: Mapping[str, Any]) -> Goes:
        return Goes(monitor["model"], monitor["monitor"], monitor.get("severity", "ticket"), ("oncall",), ("boss",), "", "")

    def backtest(self, trial: Trial) -> Mapping[str, Any]:
        if trial.monitor.get("warn") == "much":
            raise ConfigError("`warn: much` is no threshold", remedy="write a number")
        episode = {"column": "temp", "segment": "all", "fired_at": "2013-12-02T00:00:00Z", "ended_at": None, "reason": "", "level": "warn"}
        found = {"windows": 90, "readings": 810, "alarm_windows": 4, "expected_false_alarm_windows": 1.5}
        return found | {"episodes": [episode | {"segment": f"carrier=a%2C<b>{at}"} for at in range(12)]}
