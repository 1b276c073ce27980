"""Generations decide between two versions of one fact: the version with the higher generation holds.

A generation is made of an owner's era, which is its epoch plus a constant, and the number of the owner's step. Each owner of a model has a higher era
than the owners before it. So the late write of an earlier owner has no effect, and no clock decides it.
"""

from __future__ import annotations

_STEPS = 32  # bits
_FIRST = (
    1 << 24
)  # eras below were never given out: data of earlier versions carried log positions and times, which are lower than all of these


def era(epoch: int) -> int:
    """The era of an owner under `epoch`."""
    return _FIRST + epoch


def above(generation: int) -> int:
    """The lowest epoch whose era is above that of this generation. Epochs can be too low when the control store was restored from a backup."""
    return max(1, era_of(generation) + 1 - _FIRST)


def generation(era: int, step: int) -> int:
    """The generation of the facts that an owner of this era writes in this step."""
    return (era << _STEPS) + step


def era_of(generation: int) -> int:
    """The era in which something was written."""
    return generation >> _STEPS
