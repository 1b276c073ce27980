"""Disks, and when one is filling."""

from __future__ import annotations

from typing import NamedTuple

_ROOM = 2 * 2**30  # bytes that merges need
_SHARE = 0.05  # of a small disk


class Disk(NamedTuple):
    """A disk by its name or folder, and its bytes."""

    where: str
    free: int
    total: int

    @property
    def problem(self) -> str | None:
        """A sentence if it is nearly full: less than 2 GiB and less than 5 % are free.

        >>> Disk("/data", 2**30, 100 * 2**30).problem
        'only 1.0 GiB are free on the disk of /data; make room, or set retention.events'
        >>> Disk("/data", 2**30, 2 * 2**30).problem is None
        True
        """
        if self.free >= min(_ROOM, _SHARE * self.total):
            return None
        return f"only {self.free / 2**30:.1f} GiB are free on the disk of {self.where}; make room, or set retention.events"


def filling(disks: list[Disk]) -> list[str]:
    """The problems of those that are nearly full."""
    return [problem for disk in disks if (problem := disk.problem) is not None]
