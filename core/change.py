"""What changed of a model near the onset of an episode: a version that came, a contract, a monitor, a retraining."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from core import moment


class ChangeKind(StrEnum):
    """What changed."""

    VERSION = "version"
    CONTRACT = "contract"
    MONITOR = "monitor"
    RETRAIN = "retrain"


class Change(msgspec.Struct, frozen=True):
    """One change. `at` is event time for a version (its first events), and wall time for the others, which in a live stream is the same."""

    at: int
    kind: ChangeKind
    text: str

    def document(self) -> dict[str, str]:
        """The change as the API and notifications give it."""
        return {"at": moment.text(self.at), "kind": self.kind, "text": self.text}


def onset(started: int, end: int, longest: int) -> tuple[int, int]:
    """The span in which changes are near the onset of an episode: two windows, at least a day, before its first breaching window began, until the end of the one that fired it."""
    return started - max(2 * longest, moment.DAY), end
