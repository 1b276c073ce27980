"""Writes docs/harmful.md: how often `change.harmful` alarms falsely in whole lives, and how late it is. `python -m validation.harmful`; ends with 1 if the promise is broken."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, binom

from core.block import Floats, Ints
from detectors.change.harmful import HarmfulParams, gain, play, usual

PAGE = Path(__file__).parents[1] / "docs" / "harmful.md"
LIVES, DAYS, ROWS, RISK, ALPHA, WAIT = 10_000, 365, 200, 0.2, 0.05, 7.0
CERTAIN = 0.99  # of the upper bound of the probability of a false alarm
_AT_ONCE = 1_000  # lives


_USUAL = HarmfulParams()


@dataclass(frozen=True)
class World:
    """A stationary stream: rows of the reference and in how many days, how the risk differs by night and by day, the standard deviation of days, the mean delays of labels of errors and of others in days, and the share of right rows that are labelled as errors until they are corrected, a day later on average."""

    name: str
    reference: tuple[int, int] = (20_000, 100)
    rhythm: float = 0.0
    days_sd: float = 0.0
    delays: tuple[float, float] = (0.0, 0.0)
    provisional: float = 0.0
    params: HarmfulParams = _USUAL


WORLDS = (
    World("nothing else"),
    World("labels of errors come after 0.5 days, others after 1.5", delays=(0.5, 1.5)),
    World("5 % of right rows are labelled as errors first, and corrected a day later", provisional=0.05),
    World("risk 0.3 by night and 0.1 by day", rhythm=0.1),
    World("risk of days varies by a standard deviation of 0.04", days_sd=0.04),
    World("a reference of 200 rows", reference=(200, 10)),
    World("a reference of 200 rows, no tolerance", reference=(200, 10), params=HarmfulParams(tolerance=0.0)),
    World("a reference of 20,000 rows, no tolerance", params=HarmfulParams(tolerance=0.0)),
    World("rhythm, late and corrected labels, a reference of 200 rows", (200, 10), 0.1, 0.0, (0.5, 1.5), 0.05),
    World("days that vary, a reference of 200 rows", (200, 10), days_sd=0.04),
)


def drawn(rng: np.random.Generator, world: World, lives: int, days: int, rows: int, risk: float = RISK) -> npt.NDArray[np.int64]:
    """Errors of each day, half of whose rows come by night: (lives, days)."""
    mean = risk + world.days_sd * rng.uniform(-np.sqrt(3), np.sqrt(3), (lives, days))
    night = rng.binomial(rows // 2, np.clip(mean + world.rhythm, 0, 1))
    return night + rng.binomial(rows - rows // 2, np.clip(mean - world.rhythm, 0, 1))


def labelled(
    rng: np.random.Generator, world: World, wrong: npt.NDArray[np.int64], rows: int, wait: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows that are labelled as errors and as right so many days after their day: delays are exponential."""
    first = np.array([1.0 if one == 0 else 1 - np.exp(-wait / one) for one in world.delays])
    errors = rng.binomial(wrong, first[0])
    if world.provisional == 0:
        return errors, rng.binomial(rows - wrong, first[1])
    doubtful = rng.binomial(rows - wrong, world.provisional)
    still = rng.binomial(doubtful, np.exp(-wait))  # not corrected yet
    return errors + still, doubtful - still + rng.binomial(rows - wrong - doubtful, first[1])


def bounds(rng: np.random.Generator, world: World, lives: int) -> Floats:
    """The highest risk that is no harm, of the reference of each life (lives,)."""
    rows, days = world.reference
    each = rows // days
    wrong = drawn(rng, world, lives, days, each)
    window = np.repeat(np.arange(days), each)
    place = np.tile(np.arange(each), days)
    return np.array([usual((place < np.repeat(one, each)).astype(float), window, world.params, ALPHA).bound for one in wrong])


def worth(wrong: npt.NDArray[np.int64], right: npt.NDArray[np.int64], bound: Floats, limit: float | None = None) -> Floats:
    """The logarithm of what bets are worth at the end of each day (lives, days); without a bound never anything."""
    known = np.where(np.isnan(bound), 0.99, bound)[:, None]
    gains = wrong[..., None] * gain(np.ones(1), known) + right[..., None] * gain(np.zeros(1), known)
    found = play(gains, wrong + right > 0, limit).worth
    return np.where(np.isnan(bound)[:, None], -np.inf, found)


def false_alarms(world: World, lives: int, wait: float) -> int:
    """In how many lives there is ever an alarm."""
    found = 0
    for part in range(0, lives, _AT_ONCE):
        rng = np.random.default_rng((11, WORLDS.index(world), part))
        many = min(_AT_ONCE, lives - part)
        bound = bounds(rng, world, many)
        wrong = drawn(rng, world, many, DAYS, ROWS)
        told = labelled(rng, world, wrong, ROWS, wait)
        found += int((worth(*told, bound) >= np.log(2 / ALPHA)).any(axis=1).sum())
    return found


def upper(count: int, lives: int) -> float:
    """The exact upper bound of a probability (Clopper and Pearson)."""
    return float(beta.ppf(CERTAIN, count + 1, lives - count))


# Delay: rows of a day, clean days, days after the change.
_EACH, _CLEAN, _AFTER, _RUNS, _MORE = 250, 400, 400, 1_000, 0.05


def first_after(over: npt.NDArray[np.bool_], clean: int, rows: int) -> Ints:
    """How many rows after the change the first alarm after it came; the largest number where none came: (lives,)."""
    late = over[:, clean:]
    return np.where(late.any(axis=1), (late.argmax(axis=1) + 1) * rows, np.iinfo(np.int64).max)


def delays() -> list[tuple[str, Ints]]:
    """The delays of a rise by five points after 100,000 clean labels, by way of looking."""
    rng = np.random.default_rng(12)
    wrong = np.concatenate([rng.binomial(_EACH, RISK, (_RUNS, _CLEAN)), rng.binomial(_EACH, RISK + _MORE, (_RUNS, _AFTER))], axis=1)
    bound = bounds(rng, WORLDS[0], _RUNS)
    right = _EACH - wrong
    found = [("`change.harmful`", first_after(worth(wrong, right, bound) >= np.log(2 / ALPHA), _CLEAN, _EACH))]
    arl = (_CLEAN + _AFTER) / ALPHA
    for named, limit in (("`arl`: 1 false alarm in 365 days", 365.0), (f"`arl`: 1 in {arl:,.0f} days", arl)):
        found.append((named, first_after(worth(wrong, right, bound, limit) >= np.log(limit), _CLEAN, _EACH)))
    total = _EACH * (_CLEAN + _AFTER)
    for window in (1_000, 10_000):
        least = binom.isf(ALPHA / (total / window), window, bound)[:, None] + 1
        many = wrong.reshape(_RUNS, -1, window // _EACH).sum(axis=2)
        found.append((f"fixed windows of {window:,} labels", first_after(many >= least, _CLEAN * _EACH // window, window)))
    return found


_HEAD = """# How well harmful change is found

Written by `python -m validation.harmful`, which evaluates made streams by the code of [`change.harmful`](measures.md#changeharmful). A life is {days} days of {rows} rows with a risk of {risk:g}; labels count if they are there {wait:g} days after their day.

## False alarms

In how many of {lives:,} lives there is ever an alarm, with `alpha: {alpha:g}`, and the upper bound of its probability ({certain:.0%}, exact binomial). The last column shows why labels need their time: the same with `wait: 12h`, in {few:,} lives.

| stream | lives with an alarm | bound | after 12 hours |
|---|---:|---:|---:|
"""
_DELAYS = """
## Delay

Labels from a rise of the risk from {risk:g} to {more:g}, after {clean:,} clean labels, to the first alarm after it; {runs:,} runs of {each} rows a day, a reference of 20,000 rows. All promise at most {alpha:g} false alarms in the {total:,} labels, but `arl` of 365 days; fixed windows do so by Bonferroni's inequality, against the same risk.

| way | median | 90 % within |
|---|---:|---:|
"""


def _rows(value: float) -> str:
    return "none" if value > 1e9 else f"{value:,.0f}"


def main() -> None:
    """Write the page; end with 1 if a bound is above alpha."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lives", type=int, default=LIVES)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    text = _HEAD.format(days=DAYS, rows=ROWS, risk=RISK, wait=WAIT, lives=given.lives, alpha=ALPHA, certain=CERTAIN, few=_AT_ONCE)
    held = True
    for world in WORLDS:
        count = false_alarms(world, given.lives, WAIT)
        most = upper(count, given.lives)
        held &= most <= ALPHA
        early = f"{false_alarms(world, _AT_ONCE, 0.5) / _AT_ONCE:.1%}" if any(world.delays) or world.provisional else ""
        line = f"| {world.name} | {count / given.lives:.2%} | {most:.2%} | {early} |"
        print(line, flush=True)
        text += line + "\n"
    total = _EACH * (_CLEAN + _AFTER)
    text += _DELAYS.format(risk=RISK, more=RISK + _MORE, clean=_EACH * _CLEAN, runs=_RUNS, each=_EACH, alpha=ALPHA, total=total)
    for name, found in delays():
        line = f"| {name} | {_rows(float(np.median(found)))} | {_rows(float(np.quantile(found, 0.9, method='higher')))} |"
        print(line, flush=True)
        text += line + "\n"
    given.page.write_text(text)
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
