"""What an estimate assumes, and two checks of it: the share of rows that lie where the reference has none, at once; and the labels, once at least half of a window's rows have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Floats

Flags = npt.NDArray[np.bool_]

_LEAST, _SHARE = 30, 0.5  # labels that tell how wrong an estimate is: so many, and of such a share of the rows
_APART = 3.0  # standard errors between an estimate and what labels give, that are no chance


class Truth(NamedTuple):
    """What labels give (...), how far the estimate for the labelled rows is from it, the variance of that by chance, where there are enough labels to tell, and how many of how many rows have one."""

    value: Floats
    apart: Floats
    variance: Floats
    tells: Flags
    labels: Floats
    rows: Floats


class Support(NamedTuple):
    """The share of rows (...) that lie where the reference has none, by what they lie there with; and where that is too much."""

    share: Mapping[str, Floats]
    beyond: Mapping[str, Flags]
    far: Flags


class Errors(NamedTuple):
    """The variances of an estimate (...): by chance of the rows' labels, and by which rows the reference happens to hold; and the mean squared error of earlier ones beyond chance."""

    sampling: Floats
    calibration: Floats
    past: Floats


def enough(labels: Floats, rows: Floats) -> Flags:
    """Whether so many labels of so many rows tell how wrong an estimate is."""
    return np.asarray(labels >= np.maximum(_LEAST, _SHARE * rows))


def past_error(held: Sequence[Truth], shape: tuple[int, ...]) -> Floats:
    """The mean squared error of the estimates of windows with enough labels, as far as it is larger than by chance; 0 without such windows."""
    if not held:
        return np.zeros(shape)
    tells = np.stack([one.tells for one in held], axis=-1)
    beyond = np.stack([np.where(one.tells, one.apart**2 - one.variance, 0.0) for one in held], axis=-1)
    return np.asarray(np.maximum(beyond.sum(-1) / np.maximum(tells.sum(-1), 1), 0.0))


def support(outside: Mapping[str, tuple[Floats, float]], rows: Floats, most: float) -> Support:
    """The shares of `outside` among rows (...), and where they are larger than `most` beyond chance."""
    share = {name: part(held, rows) for name, (held, _) in outside.items()}
    beyond = {name: share[name] - chance > most for name, (_, chance) in outside.items()}
    return Support(share, beyond, np.any([np.zeros(rows.shape, np.bool_), *beyond.values()], axis=0))


def wrong(true: Truth, value: Floats, tolerance: Floats | float) -> Flags:
    """Where labels are further from the estimate than a tolerance, and than chance explains."""
    return np.asarray(true.tells & np.isfinite(value) & (np.abs(true.apart) > np.maximum(tolerance, _APART * np.sqrt(true.variance))))


def notes(true: Truth, broken: Flags, held: Support) -> npt.NDArray[np.object_]:
    """What a reading says: how much is outside of the reference, and what labels give, once enough tell. (...), None where there is nothing to say."""
    note = np.full(true.value.shape, None, object)
    for place in zip(*np.nonzero(true.tells), strict=True):
        said = "assumptions broken: " if broken[place] else ""
        note[place] = f"{said}labels of {int(true.labels[place])} of {int(true.rows[place])} rows give {_told(true.value[place])}"
    for name, beyond in held.beyond.items():
        for place in zip(*np.nonzero(beyond), strict=True):
            outside = f"{name} of {100 * held.share[name][place]:.3g} % of the rows lie where the reference has none"
            note[place] = outside if note[place] is None else f"{outside}; {note[place]}"
    return note


def document(errors: Errors, true: Truth, held: Support, broken: Flags, assumed: str, place: Any) -> dict[str, Any]:
    """The evidence of one place; `assumed` is what labels can show to be wrong."""
    concept = {"assumption": assumed, "holds": not bool(broken[place]) if true.tells[place] else None}
    near = {"assumption": "rows lie where the reference has some", "holds": not bool(held.far[place])}
    found = {
        "assumptions": [near | {"outside": {name: float(one[place]) for name, one in held.share.items()}}, concept],
        "sampling_error": float(np.sqrt(errors.sampling[place])),
        "calibration_error": float(np.sqrt(errors.calibration[place])),
        "past_error": float(np.sqrt(errors.past[place])),
    }
    if true.tells[place]:  # what the note says, and no more
        found |= {"realised": float(_told(true.value[place])), "labelled": int(true.labels[place])}
    return found


def part(some: Floats, whole: Floats) -> Floats:
    """The share of some rows in all, 0 of none."""
    return np.asarray(some / np.maximum(whole, 1.0))


def _told(value: float) -> str:
    return f"{value:.6g}"
