"""A Bloom filter of ids: it may answer "perhaps" for a new id, and never "no" for an id that was added and not forgotten.

It grows by layers, each twice as large as the one before up to a limit, at 24 bits an id. Of a million new ids it says "perhaps" for some dozens, about
which the store is then asked. Whole layers are forgotten, the oldest first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_PROBES = 12
_BITS = 24  # an id


def hashes(model: str, ids: Sequence[str] | npt.NDArray[np.object_]) -> Hashes:
    """64-bit hashes of a model's ids, stable within the process only."""
    salt = np.uint64(hash(model) & 0xFFFF_FFFF_FFFF_FFFF)
    values = np.fromiter(map(hash, ids), np.int64, len(ids)).view(np.uint64) ^ salt
    return values * np.uint64(0x9E37_79B9_7F4A_7C15)


class _Layer:
    """Bits for so many hashes, and the position of the newest of them."""

    def __init__(self, capacity: int) -> None:
        self.bits = np.zeros(capacity * _BITS // 8, np.uint8)
        self.room = capacity
        self.newest = 0


class Bloom:
    """A growing Bloom filter over 64-bit hashes (Bloom 1970; double hashing by Kirsch and Mitzenmacher 2006) that can forget the oldest.

    Its first layer has room for `capacity` hashes, and none for more than `most`.
    """

    def __init__(self, capacity: int = 1 << 16, most: int = 1 << 19) -> None:
        self._capacity, self._most = min(capacity, most), most
        self._layers: deque[_Layer] = deque()

    def add(self, values: Hashes, position: int) -> None:
        """Remember these hashes, of a position that is not lower than those before."""
        while len(values):
            if not self._layers or not self._layers[-1].room:
                self._layers.append(_Layer(self._capacity))
                self._capacity = min(2 * self._capacity, self._most)
            layer = self._layers[-1]
            now, values = values[: layer.room], values[layer.room :]
            layer.room -= len(now)
            layer.newest = position
            for turn in range(_PROBES):
                probe = _probe(now, turn, layer)
                np.bitwise_or.at(layer.bits, probe >> np.uint64(3), _bit(probe))

    def forget(self, before: int) -> None:
        """Forget the layers that hold no hash of this position or a higher one."""
        while self._layers and self._layers[0].newest < before:
            self._layers.popleft()

    def may_have(self, values: Hashes) -> npt.NDArray[np.bool_]:
        """For each hash, False if it was never added, or forgotten."""
        found = np.zeros(len(values), np.bool_)
        for layer in self._layers:
            rows = np.flatnonzero(~found)
            for turn in range(_PROBES):  # each turn rules out half of the new hashes
                probe = _probe(values[rows], turn, layer)
                rows = rows[(layer.bits[probe >> np.uint64(3)] & _bit(probe)) != 0]
            found[rows] = True
        return found


def _probe(values: Hashes, turn: int, layer: _Layer) -> Hashes:
    step = (values >> np.uint64(32)) | np.uint64(1)
    return (values + np.uint64(turn) * step) % np.uint64(len(layer.bits) * 8)


def _bit(probe: Hashes) -> npt.NDArray[np.uint8]:
    return np.left_shift(np.uint8(1), (probe & np.uint64(7)).astype(np.uint8))
