"""Generations decide between two versions of one fact: the one with the higher generation holds.

A generation is made of an owner's era and the number of the owner's step. Each owner of a model has a higher era than the owners before it. So a late
write of an earlier owner loses, and no clock is needed to say so.
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
    """The least epoch whose era is above that in which this was written. Epochs are below what is there when they were restored from a backup."""
    return max(1, era_of(generation) + 1 - _FIRST)


def generation(era: int, step: int) -> int:
    """The generation of what is written in a step."""
    return (era << _STEPS) + step


def era_of(generation: int) -> int:
    """The era in which something was written."""
    return generation >> _STEPS
