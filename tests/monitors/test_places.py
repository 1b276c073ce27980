"""Labels are found by id and time of their events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from monitors.evidence.history import _places

EVENTS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 2)), unique=True, max_size=12)


@dataclass(frozen=True)
class Rows:
    """What is looked at of a sample."""

    id: npt.NDArray[np.object_]
    ts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ts)


@given(EVENTS, EVENTS)
def test_each_row_finds_its_own_label_or_none(rows: list[tuple[str, int]], labels: list[tuple[str, int]]) -> None:
    """Also where an id stands at two times, and where nothing is known."""
    sample = Rows(np.array([key for key, _ in rows], object), np.array([ts for _, ts in rows], np.int64))
    ids, times = np.array([key for key, _ in labels], object), np.array([ts for _, ts in labels], np.int64)
    found = _places(cast("Any", sample), ids, times).tolist()
    assert found == [labels.index(row) if row in labels else -1 for row in rows]
