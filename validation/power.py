"""Power: how often a shift that is planted in one column of fifty is found, by the default watch, and by budgets and usual rules at one rate of false alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.block import Categories, Floats, Ints
from core.contract import PREDICTION
from core.moment import DAY
from core.monitor import Budget
from validation import rule
from validation.alarm import RATE, alarmed
from validation.stream import Generator, Rows, cells, slots
from validation.world import Binned, Cells, Values, World, budgeted, default_watch

ROWS, REFERENCE, WINDOWS = 1_440, 90, 20
NUMBERS, TEXTS, LEVELS = 41, 9, 8  # columns: one of the numbers is the prediction
NUMBER, TEXT = "x0", "c0"
EACH = Budget(1, 90 * DAY)  # of three monitors: one alarm window in 30 days for all together
OURS, WATCH, PSI, P = "budgets", "default watch", "PSI", "KS or chi-square"


@dataclass(frozen=True)
class Shift:
    """A shift: its name, whether it is above the floors of the default watch, the column that moves, and how."""

    name: str
    above: bool
    column: str
    move: Callable[[Generator, Values], Values]


def _number(move: Callable[[Generator, Floats], Floats]) -> Callable[[Generator, Values], Values]:
    def moved(rng: Generator, values: Values) -> Values:
        assert not isinstance(values, Categories)  # noqa: S101 - a column of numbers
        return move(rng, values)

    return moved


def _further(by: float) -> Callable[[Generator, Floats], Floats]:
    return lambda _, x: x + by


def _some(share: float, value: Callable[[Generator, Floats], Floats]) -> Callable[[Generator, Values], Values]:
    return _number(lambda rng, x: np.where(rng.random(len(x)) < share, value(rng, x), x))


def _swapped(share: float) -> Callable[[Generator, Values], Values]:
    """A share of the rows of the first category has the last one."""

    def moved(rng: Generator, values: Values) -> Values:
        assert isinstance(values, Categories)  # noqa: S101 - a column of texts
        codes = np.where((values.codes == 0) & (rng.random(len(values)) < share), LEVELS - 1, values.codes)
        return Categories(codes.astype(np.int32), values.texts)

    return moved


SHIFTS = (
    *(Shift(f"mean + {by} sd", by > 0.3, NUMBER, _number(_further(by))) for by in (0.1, 0.2, 0.3, 0.4, 0.5)),
    Shift("variance x 1.1", False, NUMBER, _number(lambda _, x: x * np.sqrt(1.1))),
    Shift("variance x 1.3", True, NUMBER, _number(lambda _, x: x * np.sqrt(1.3))),
    Shift("1.5 % moved to 6 sd", True, NUMBER, _some(0.015, lambda rng, x: 6 + rng.normal(size=len(x)))),
    Shift("3 % moved to 6 sd", True, NUMBER, _some(0.03, lambda rng, x: 6 + rng.normal(size=len(x)))),
    Shift("0.5 % nulls", False, NUMBER, _some(0.005, lambda _, x: np.full(len(x), np.nan))),
    Shift("2 % nulls", True, NUMBER, _some(0.02, lambda _, x: np.full(len(x), np.nan))),
    Shift("a fifth of one category becomes another", False, TEXT, _swapped(0.2)),
    Shift("all of one category becomes another", True, TEXT, _swapped(1.0)),
)


@dataclass
class Power:
    """By rule the flags of windows without a shift, and by shift those of windows with it."""

    quiet: dict[str, list[Floats]] = field(default_factory=dict)
    found: dict[tuple[str, str], list[Floats]] = field(default_factory=dict)

    def false(self, name: str) -> float:
        """The share of windows without a shift in which a rule alarms."""
        return float(np.concatenate(self.quiet[name]).mean())

    def share(self, name: str, shift: str) -> float:
        """The share of windows with a shift in which a rule alarms."""
        return float(np.concatenate(self.found[name, shift]).mean())


def measure(found: Sequence[dict[str, Floats]]) -> Power:
    """The power of each rule, from what `one` found of some references. The usual rules take the limit that as many windows without a shift exceed as a budget allows."""
    power = Power()
    for name in (WATCH, OURS, PSI, P):
        held = [one[name] for one in found]
        if name in (PSI, P):
            limit = np.quantile(np.concatenate([one[0] for one in held]), 1 - RATE)
            held = [one > limit for one in held]
        power.quiet[name] = [one[0] for one in held]
        power.found |= {(name, shift.name): [one[place] for one in held] for place, shift in enumerate(SHIFTS, 1)}
    return power


def one(rng: Generator) -> dict[str, Floats]:
    """Of one reference by rule what it says of windows: (1 + shifts, WINDOWS), those without a shift first. Flags, or for the usual rules the largest score."""
    rows = (REFERENCE + WINDOWS) * ROWS
    columns: dict[str, Values] = {f"x{place}": rng.normal(size=rows) for place in range(NUMBERS - 1)}
    codes = rng.integers(0, LEVELS, (TEXTS, rows)).astype(np.int32)
    columns |= {f"c{place}": Categories(codes[place], [f"level {level}" for level in range(LEVELS)]) for place in range(TEXTS)}
    columns[PREDICTION] = rng.normal(size=rows)
    every = Rows(np.arange(rows), np.repeat(np.arange(REFERENCE + WINDOWS), ROWS), REFERENCE + WINDOWS)
    reference, quiet = every.take(0, REFERENCE), every.take(REFERENCE, every.windows)
    binned = Binned.of(columns, reference.index, ROWS)
    plain = cells(binned, quiet)
    textbook = rule.p_values(columns, reference, quiet)
    parts, worst = [plain], [textbook.min(1)]
    for shift in SHIFTS:
        held = columns[shift.column]
        values = shift.move(rng, held.take(quiet.index) if isinstance(held, Categories) else held[quiet.index])
        both = {shift.column: _replaced(held, quiet.index, values), PREDICTION: columns[PREDICTION]}
        changed = Binned.under(binned.contract, both)
        parts.append(plain | {shift.column: cells(changed, quiet)[shift.column]})
        smallest = textbook.copy()
        smallest[:, list(columns).index(shift.column)] = rule.p_values({shift.column: both[shift.column]}, reference, quiet)[:, 0]
        worst.append(smallest.min(1))
    stream = {name: _joined([part[name] for part in parts]) for name in plain}
    days = REFERENCE + np.arange(len(parts) * WINDOWS)
    world = World(binned.contract, (slots(np.arange(REFERENCE)), cells(binned, reference)), (slots(days), stream))
    monitors = default_watch(binned.contract)
    frames = {monitor.measure: world.frame(monitor) for monitor in monitors}
    budgets = [alarmed(world.frame(budgeted(monitor, EACH))) for monitor in monitors]
    found = {
        WATCH: np.any([alarmed(frame) for frame in frames.values()], axis=0),
        OURS: np.any(budgets, axis=0),
        PSI: frames["drift.psi"].value.max(axis=(1, 2)),
        P: -np.concatenate(worst),
    }
    return {name: values.reshape(len(parts), WINDOWS) for name, values in found.items()}


def _replaced(values: Values, index: Ints, others: Values) -> Values:
    """A column with other values at some rows."""
    if isinstance(values, Categories) and isinstance(others, Categories):
        codes = values.codes.copy()
        codes[index] = others.codes
        return Categories(codes, values.texts)
    if isinstance(values, Categories) or isinstance(others, Categories):
        raise TypeError("a column does not change its kind")
    changed = values.copy()
    changed[index] = others
    return changed


def _joined(parts: list[Cells]) -> Cells:
    return Cells(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("counts", "below", "above")))
