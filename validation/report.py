"""The page docs/calibration.md."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.block import Floats
from validation import peer, public, together
from validation.alarm import P_RULE, PSI_RULE, RATE, WATCH, Tally
from validation.cell import CONSERVATIVE, Cell
from validation.power import EACH, OURS, PSI, REFERENCE, ROWS, SHIFTS, WINDOWS, Power, measure
from validation.power import WATCH as DEFAULT
from validation.power import P as KS
from validation.promise import ALPHA, BROKEN, PROMISE, Kept
from validation.promise import ROWS as LABELS

BUDGETS = ("budget drift.psi", "budget quality.null_rate", "budget drift.tail_share")
HELD = 0.01  # the p-value of the binomial test above which a promise counts as held

_HEAD = """# Calibration

<!-- Written by `make calibration`; do not edit. -->

This page shows what false alarms cost and what they are paid for: how often monitors alarm on streams in which nothing moves, how often intervals hold the true value, and how often planted shifts are found. All readings are computed and
judged by the code that evaluates monitors (`monitors/evaluation`), on panes in memory. `make calibration` measures everything again; `ARGS=--quick` tries it with a twentieth of the windows.
"""
_ALARMS = """## False alarms

A reference of 30 windows is drawn, and then {each} windows more, from the same population, again and again. A window is a day. The *default watch* is that of a model that has only a reference: PSI, null rate and tail share of all features and the prediction,
with floors and evidence; what its levels allow is one alarm window in 30 days. The *budgets* are the same three monitors with `budget: 1 per 30d` each, that is, {rate:.2%} of the windows. `PSI > 0.1` and `p < 0.05` (Kolmogorov-Smirnov for numbers, chi-square for
categories) alarm if any column does, and *Evidently* (0.7.23, its preset of data drift as it is, beside the project in an environment of its own) tells drift of any column, and of half of the columns: its tests take a tenth of a second a window, and it was asked where a number stands. The number in brackets is the p-value of the exact binomial test against more than the budget; **bold** if it is below {held}. Windows after one reference share its calibration, so their alarms come together, and the test is a little
too strict: with {each} windows a reference the variance of the number of alarms is about {times:.1f} times the binomial one.
"""
_RESAMPLED = """### Rows drawn at random

Windows of as many rows as the table says, drawn with replacement. Streams `by day of the week` draw from the reference's rows of that day, so that windows differ as the days of a week do.
Of 1,000 categories a reference of 30 windows of 50 or 200 rows has not seen all: p-values allow for those (decision 60).
"""
_IN_ORDER = """### Real days, and days that depend on one another

Days *permuted*: all days of the data set in random order, so that the future resembles the reference except for luck, but rows of a day belong together. Weeks *resampled*: whole weeks, drawn with replacement. The data set of bikes has 24 rows a day, so weeks take the
place of days there, and blocks of four weeks that of weeks. *Day effects*: 20 normal columns, each with a mean that differs from day to day by 0.05 standard deviations; a budget promises something only while the future resembles the reference, and if days are correlated,
30 days are a few independent ones: the rates show what that costs.
The default watch is no budget: it takes its levels from the F law, and days of weather, such as those of fog or with hours missing, lie farther out than that law says, each in another column. A budget ranks them among the days of the reference, and holds (decision 58).
"""
_COVERAGE = """## Coverage of intervals

Nominal 95 %. The criterion: over the grid 93 to 97 % on average, and never below 90 % where every bin is expected to have 5 rows in the window. Intervals that are conservative by construction cover more. The last column is the least of the points with fewer rows, where nothing is claimed.
The interval of `drift.hellinger` allows for bins of few rows, whose square roots vary more (decision 71).
"""
_PROMISES = """## Promised coverage

Streams whose intervals are to hold {promise:.0%} of labels, {rows} labels a window, judged by `uncertainty.adaptive_coverage` with `critical: 20`: at most {alpha:.0%} of streams may alarm in 30 windows in a row, after 29 others, as long as the coverage to be expected of a window is within the tolerance
of 0.02. The number in brackets is the p-value of the exact binomial test against more. Then the same streams break to {broken:.0%}: how many windows pass until the alarm, the one with the alarm included.
"""
_POWER = """## Power

One column of 50 moves (41 of normal numbers, 9 of 8 categories), in windows of {rows:,} rows, after a reference of {days} windows. *Budgets*: PSI, null rate and tail share with `budget: {each}` each, so one false alarm window in 30 days for all together. *PSI* and *KS or chi-square* take the
limit at which they have that rate on the windows without a shift. The floors of the default watch are an excess of PSI of 0.10 and one point of null rate and tail share: it is meant to be silent below. Each share is of {windows} windows.
"""
_TOGETHER = """### Power where no column moves

Two of {columns} normal columns become correlated; each alone stays as it was. Windows of {rows:,} rows, after a reference of {days} windows. *Budget*: `drift.correlation` with `budget: 1 per 30d`. *PSI* and *KS* take the limit at which they have that rate on the windows
without a correlation. Each share is of {windows} windows.
"""


@dataclass
class Page:
    """What was measured so far: `parts` by task (`validation.calibration.Task`), of which `wanted` are to be there besides those of Evidently. `each`: windows after a reference."""

    quick: bool
    each: int
    wanted: int
    parts: dict[Any, Any] = field(default_factory=dict)

    def _of(self, section: str) -> list[Any]:
        """The results of a section, in the order of its tasks."""
        return [found for task, found in sorted(self.parts.items(), key=lambda one: one[0].part) if task.section == section]

    def _tallies(self, section: str) -> list[Tally]:
        """The alarms of each stream of a section, of all parts together, those of small windows first."""
        found = dict[tuple[str, str], Tally]()
        for of in (section, f"Evidently, {section}"):
            for one in self._of(of):
                key = (one.stream, one.rows) if section == "resampled" else (one.stream, "")
                if key in found or of == section:
                    found[key] = found[key].join(one) if key in found else one
        return sorted(found.values(), key=lambda one: int(one.rows.replace(",", ""))) if section == "resampled" else list(found.values())

    def text(self) -> str:
        """The page."""
        known = sorted(public.manifest())
        data = (
            f"Public data sets were there ({public.FOLDER.name}): {', '.join(known)}."
            if known
            else "No public data sets were there: only made streams were measured."
        )
        how = " **A quick run: too few windows to tell anything.**" if self.quick else ""
        how += (
            ""
            if sum(not task.section.startswith("Evidently") for task in self.parts) == self.wanted
            else " **The run was stopped before its end: streams that are not listed were not measured.**"
        )
        alarms = _ALARMS.format(rate=RATE, held=HELD, each=self.each, times=1 + (self.each - 1) / 31)
        resampled, in_order = (self._tallies(section) for section in ("resampled", "in order"))
        powers = [one for part in self._of("power") for one in part]
        parts = [
            _HEAD,
            f"{data}{how}\n",
            alarms,
            _RESAMPLED,
            _tallies(resampled),
            _IN_ORDER,
            _tallies(in_order),
            _found([*resampled, *in_order]),
        ]
        parts += [_COVERAGE, _covered([cell for cells in self._of("coverage") for cell in cells])]
        if kept := [one for found in self._of("promise") for one in found]:
            parts += [_PROMISES.format(promise=PROMISE, rows=LABELS, alpha=ALPHA, broken=BROKEN), _promises(kept)]
        if powers:
            parts += [_POWER.format(rows=ROWS, days=REFERENCE, each=EACH.text, windows=len(powers) * WINDOWS), _powers(measure(powers))]
        if joint := self._of("together"):
            windows = len(joint) * together.WINDOWS
            parts += [
                _TOGETHER.format(columns=together.COLUMNS, rows=together.ROWS, days=together.REFERENCE, windows=windows),
                _together(joint),
            ]
        return "\n".join(parts)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _tallies(tallies: Sequence[Tally]) -> str:
    def against(one: Tally, name: str) -> str:
        p = one.p(name)
        text = f"{one.share(name):.1%} ({p:.2g})"
        return f"**{text}**" if p < HELD else text

    heads = (
        "stream",
        "rows a window",
        "windows",
        WATCH,
        *(name.replace("budget ", "budget, ") for name in BUDGETS),
        PSI_RULE,
        P_RULE,
        "Evidently",
    )
    rows = [
        (
            one.stream,
            one.rows,
            f"{one.windows[WATCH]:,}",
            *(against(one, name) for name in (WATCH, *BUDGETS)),
            f"{one.share(PSI_RULE):.0%}",
            f"{one.share(P_RULE):.0%} of {one.windows[P_RULE]}",
            f"{one.share(peer.ANY):.0%}, {one.share(peer.HALF):.0%} of {one.windows[peer.ANY]}" if peer.ANY in one.windows else "",
        )
        for one in tallies
    ]
    return table(heads, rows)


def _found(tallies: Sequence[Tally]) -> str:
    """Where the promise did not hold, apart for streams whose days depend on one another."""

    def broken(some: Sequence[Tally]) -> str:
        found = [
            f"{one.stream} ({one.rows} rows): {name.removeprefix('budget ')}, {one.share(name):.1%}"
            for one in some
            for name in (WATCH, *BUDGETS)
            if one.p(name) < HELD
        ]
        return "; ".join(found) if found else "none"

    apart = [one for one in tallies if not one.dependent]
    tests = len(apart) * (1 + len(BUDGETS))
    return (
        f"Promises that did not hold where windows are exchangeable, of {tests}: {broken(apart)}. "
        f"Where days depend on one another nothing is promised; above the budget were there: {broken([one for one in tallies if one.dependent])}.\n"
    )


def _covered(cells: Sequence[Cell]) -> str:
    by_kind = defaultdict[str, list[Cell]](list)
    for cell in cells:
        by_kind[cell.kind].append(cell)
    rows = []
    for kind, held in by_kind.items():
        counted = [cell for cell in held if cell.counts]
        mean, least = sum(cell.coverage for cell in counted) / len(counted), min(counted, key=lambda cell: cell.coverage)
        right = least.coverage >= 0.9 and (mean >= 0.93 if kind in CONSERVATIVE else 0.93 <= mean <= 0.97)
        word = "conservative" if kind in CONSERVATIVE and right else "yes" if right else "**no**"
        others = [cell.coverage for cell in held if not cell.counts]
        rows.append(
            (kind, str(len(counted)), f"{mean:.1%}", f"{least.coverage:.1%}", least.where, word, f"{min(others):.1%}" if others else "")
        )
    return table(("interval", "points", "mean", "least", "where it is least", "criterion met", "least elsewhere"), rows)


def _promises(kept: Sequence[Kept]) -> str:
    def within(one: Kept, share: float) -> str:
        delay = sorted(one.delays)[max(0, math.ceil(share * len(one.delays)) - 1)]
        return f"{delay:.0f}" if math.isfinite(delay) else "> 30"

    heads = ("stream", "streams", "false alarms", f"within {ALPHA:.0%}", "half are found after", "95 % are found after")
    rows = [
        (
            one.name,
            f"{one.streams:,}",
            f"{one.alarmed / one.streams:.2%} ({one.p:.2g})",
            "yes" if one.p >= HELD else "**no**",
            within(one, 0.5),
            within(one, 0.95),
        )
        for one in kept
    ]
    return table(heads, rows)


def _powers(found: Power) -> str:
    rules = (DEFAULT, OURS, PSI, KS)
    rows = [("nothing moves", "", *(f"{found.false(name):.1%}" for name in rules))]
    rows += [
        (shift.name, "above" if shift.above else "below", *(f"{found.share(name, shift.name):.0%}" for name in rules)) for shift in SHIFTS
    ]
    return table(("shift", "floors", *rules), rows)


def _together(found: Sequence[dict[str, Floats]]) -> str:
    rows = [(name, *(f"{share:.1%}" for share in held)) for name, held in together.shares(found)]
    return table(("what happens", together.OURS, together.WATCH, together.PSI, together.P), rows)
