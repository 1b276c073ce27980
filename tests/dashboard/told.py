"""What the made installation tells: its policy, and its silences."""

from __future__ import annotations

from collections.abc import Sequence

from core import moment
from core.episode import Episode
from core.policy import Silence
from dashboard.ports import Audited, Silenced

_ONE = Silence(id="si_1", match={"family": ("drift",)}, starts_at=0, ends_at=moment.parse("2100-01-01T00:00:00Z"), comment="deploy")
_OVER = Silence(id="si_2", match={"model": ("departs-late",)}, starts_at=0, ends_at=moment.DAY, created_by="oncall (signed link)")


class Told:
    """Two silences, one of which is over."""

    def silenced(self) -> Sequence[Silenced]:
        return [Silenced(_ONE, 3, ["ep_a", "ep_b"]), Silenced(_OVER, 0, [])]

    def audit(self, limit: int, after: str | None) -> tuple[Sequence[Audited], str | None]:
        rows = [
            Audited(
                3 * moment.DAY, "ada", "apply", "monitor departs-late/psi", {"critical": 0.2, "warn": 0.1}, {"critical": 0.3, "warn": 0.1}
            ),
            Audited(2 * moment.DAY, "<b>bob</b>", "delete", "silence si_1", {"id": "si_1"}, None),
            Audited(moment.DAY, "ada", "apply", "destination oncall", None, {"kind": "slack"}),
        ]
        return (rows[2:], None) if after else (rows[:2], "2")

    def silences(self) -> Sequence[Silence]:
        return [_ONE]

    def told_as(self, episodes: Sequence[Episode]) -> str:
        return f"{episodes[0].reason}; {len(episodes) - 1} more with it" if len(episodes) > 1 else episodes[0].reason
