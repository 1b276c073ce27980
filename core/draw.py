"""How rows are drawn: by a hash of their ids, so that the same rows are drawn in whatever order they came."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5

import numpy as np
import numpy.typing as npt

from core.block import Ints


def digests(ids: Sequence[str] | npt.NDArray[np.object_]) -> npt.NDArray[np.uint64]:
    """The MD5 of each id as two whole numbers, the first of which orders the rows: (n, 2). ClickHouse's `MD5(prediction_id)` is in the same order."""
    held = b"".join(md5(one.encode(), usedforsecurity=False).digest() for one in ids)
    return np.frombuffer(held, ">u8").astype(np.uint64).reshape(-1, 2)


def drawn(ids: npt.NDArray[np.object_], most: int) -> Ints:
    """The places of the `most` rows with the smallest hash of their id, in order of that hash."""
    return np.lexsort((ids.astype(str), digests(ids)[:, 0]))[:most]


def folds(ids: npt.NDArray[np.object_], count: int) -> Ints:
    """The fold of each row, of `count`. It does not depend on which rows are drawn."""
    return (digests(ids)[:, 1] % np.uint64(count)).astype(np.int64)
