"""Runs a benchmark of this checkout and of another one in turn, and prints the ratios of their CPU."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from material.measure import progress, table

_RUNS = 2  # of each checkout, of which the cheaper counts


def against(script: Path, other: Path, arguments: Sequence[str]) -> None:
    """Print what each row of the script's tables costs here and there, in microseconds of CPU. Raises SystemExit if a checkout does not run it."""
    here, found = script.parent.parent, list[dict[str, float]]()
    for root in (here, other.resolve()):
        found.append({})
        for run in range(_RUNS):
            progress(f"{root}, {run + 1} of {_RUNS}")
            for row, cost in _costs(root, root / "benchmarks" / script.name, arguments).items():
                found[-1][row] = min(cost, found[-1].get(row, cost))
    ours, theirs = found
    rows = [(row, f"{theirs[row]:.2f}", f"{cost:.2f}", f"{cost / theirs[row]:.2f}") for row, cost in ours.items() if theirs.get(row)]
    table(f"{script.name}: us of CPU, the cheapest of {_RUNS} runs", ("", str(other), "here", "here / there"), rows)


def _costs(root: Path, script: Path, arguments: Sequence[str]) -> dict[str, float]:
    """The column of CPU of all tables that a benchmark prints, by the first column and the table's title up to its colon."""
    interpreter = next((str(one) for one in [root / ".venv" / "bin" / "python"] if one.exists()), sys.executable)
    ended = subprocess.run(
        [interpreter, str(script), *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise SystemExit(f"{script} failed:\n{ended.stderr[-2_000:]}")
    found, at, title, last = dict[str, float](), 0, "", ""
    for line in filter(str.strip, ended.stdout.splitlines()):
        cells = re.split(r"\s{2,}", line.rstrip())
        heads = [place for place, cell in enumerate(cells) if cell.startswith("CPU us/")]
        if heads:
            at, title = heads[0] - len(cells), last.partition(":")[0]  # from the right, since the first cell may be empty
        elif at and len(cells) > -at and re.fullmatch(r"[\d.]+", cells[at]):
            found[f"{title}: {cells[0]}"] = float(cells[at])
        else:
            at, last = 0, line
    return found
