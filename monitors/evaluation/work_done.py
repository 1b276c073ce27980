"""What an owner has done, and what it could not do."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class WorkDone:
    """What an owner has done since it began."""

    steps: int = 0
    audited: int = 0
    repaired: int = 0
    readings: int = 0
    failed: dict[str, str] = field(default_factory=dict)  # by monitor
    missing: dict[str, str] = field(default_factory=dict)
    unsought: dict[str, str] = field(default_factory=dict)  # why new values of a monitor's segments could not be looked for

    @property
    def problems(self) -> dict[str, str]:
        """By monitor, what keeps it from being evaluated in whole."""
        return {**self.unsought, **self.missing, **self.failed}
