"""Generations decide between two versions of one fact: the version with the higher generation holds.

A generation is made of the epoch of a model's owner and the number of the owner's step. Each owner of a model has a higher epoch than the owners before
it. So a late write of an earlier owner loses, and no clock is needed to decide so.
"""

from __future__ import annotations

_STEPS = 32  # bits
# Data of earlier versions carry log positions and times in the place of a generation, which are lower than all of these.
_FIRST = 1 << 24


def generation(epoch: int, step: int) -> int:
    """The generation of what the owner under `epoch` writes in a step."""
    return ((_FIRST + epoch) << _STEPS) + step


def epoch_above(generation: int) -> int:
    """The least epoch whose generations are above this one. Epochs that were restored from a backup may be below what is stored."""
    return max(1, owner_of(generation) + 1 - _FIRST)


def owner_of(generation: int) -> int:
    """The part of a generation that all writes of one owner share."""
    return generation >> _STEPS
