"""A set of ids that may say "perhaps" for one that is new, and never "no" for one that is known.

It grows by layers, each twice the last, at 24 bits an id; of a million new ids some dozens are asked about in the store.
"""

from __future__ import annotations

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


class Bloom:
    """A growing Bloom filter over 64-bit hashes (Bloom 1970; double hashing by Kirsch and Mitzenmacher 2006)."""

    def __init__(self, capacity: int = 1 << 16) -> None:
        self._capacity = capacity
        self._layers: list[npt.NDArray[np.uint8]] = []
        self._room = 0

    def add(self, values: Hashes) -> None:
        """Remember these hashes."""
        while len(values):
            if not self._room:
                self._layers.append(np.zeros(self._capacity * _BITS // 8, np.uint8))
                self._room, self._capacity = self._capacity, self._capacity * 2
            now, values = values[: self._room], values[self._room :]
            self._room -= len(now)
            layer = self._layers[-1]
            for probe in _probes(now, len(layer) * 8):
                np.bitwise_or.at(layer, probe >> np.uint64(3), _bit(probe))

    def may_have(self, values: Hashes) -> npt.NDArray[np.bool_]:
        """For each hash, False if it was never added."""
        found = np.zeros(len(values), np.bool_)
        for layer in self._layers:
            here = np.ones(len(values), np.bool_)
            for probe in _probes(values, len(layer) * 8):
                here &= (layer[probe >> np.uint64(3)] & _bit(probe)) != 0
            found |= here
        return found


def _probes(values: Hashes, bits: int) -> list[Hashes]:
    step = (values >> np.uint64(32)) | np.uint64(1)
    return [(values + np.uint64(i) * step) % np.uint64(bits) for i in range(_PROBES)]


def _bit(probe: Hashes) -> npt.NDArray[np.uint8]:
    return np.left_shift(np.uint8(1), (probe & np.uint64(7)).astype(np.uint8))
