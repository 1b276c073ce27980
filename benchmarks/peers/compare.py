"""Drift of a million rows of 20 columns, ours and that of Evidently, whylogs and NannyML as their users call them: `python benchmarks/peers/compare.py`.

Ours: from the block of columns to panes with all that they hold of single columns, and from panes to PSI, JS and KS of every column with their intervals. Theirs: what the
documentation of each calls (benchmarks/peers/theirs.py). All in one run, one after the other; ratios are of seconds of CPU. The peers are installed into
benchmarks/peers/.venv, which is not part of the project.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

import numpy as np  # noqa: E402 - after the path
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from material.measure import cost, options, progress, table  # noqa: E402

from core.contract import Task  # noqa: E402
from core.segment import ALL, Segments  # noqa: E402
from detectors import catalogue  # noqa: E402
from detectors.evidence import Counts  # noqa: E402
from detectors.groups import groups  # noqa: E402
from detectors.spec import NoParams  # noqa: E402
from detectors.summary import multivariate  # noqa: E402
from detectors.summary.inputs import InputSummary  # noqa: E402
from monitors.reference.derive import derive, predictions_of  # noqa: E402
from monitors.reference.option import Options, Together  # noqa: E402

PYTHON = HERE / ".venv" / "bin" / "python"
REFERENCE = 100_000
WANTED = {"evidently psi": 100, "evidently default": 100, "whylogs": 100, "nannyml": 25}
_ONE = np.ones(1)


def made(rows: int, shift: float, rng: np.random.Generator) -> pa.Table:
    """Fourteen decimals, two whole numbers and four categories."""
    columns = {}
    for place in range(14):
        law = (rng.normal, rng.lognormal, rng.exponential, rng.uniform)[place % 4]
        columns[f"num_{place}"] = np.round(law(size=rows) + (shift if place < 4 else 0.0), 4)
    for place in range(2):
        columns[f"int_{place}"] = rng.integers(0, 1_000, rows).astype(np.float64)
    arrays = {name: pa.array(values) for name, values in columns.items()}
    for place, levels in enumerate((10, 50, 200, 1_000)):
        share = 1 / np.arange(1, levels + 1)
        codes = rng.choice(levels, rows, p=share / share.sum()).astype(np.int32)
        arrays[f"cat_{place}"] = pa.DictionaryArray.from_arrays(codes, [f"level {level}" for level in range(levels)]).cast(pa.string())
    return pa.table(arrays)


def installed() -> list[str]:
    """Install the peers; returns what could not be installed."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", PYTHON.parents[1]], check=True)
    missing = []
    for line in (HERE / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            progress(f"installing {line.split()[0]}")
            asked = [PYTHON, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", *line.split()]
            if subprocess.run(asked, check=False).returncode:
                missing.append(line.split()[0])
    return missing


def ours(reference: pa.Table, current: pa.Table, together: Together) -> float:
    """Seconds of CPU from the columns of a block to panes and measures; panes hold sums over all features together, or not."""
    names = list(reference.column_names)
    both = [part.append_column("prediction", pa.array(np.zeros(part.num_rows))) for part in (reference, current)]
    contract, summary = derive("m", both[0], Options(task=Task.REGRESSION, features=tuple(names), signals=("none",), multivariate=together))
    block = predictions_of(both[1], contract)
    spent = []
    for _ in range(3):
        with cost() as one:
            held = InputSummary.of(contract, Segments(contract), block).to_columns()
            for row in held.select(["column", "bin", "count"]).to_pylist():
                if row["column"] == multivariate.COLUMN:  # sums over all features together, which no bins have
                    continue
                column = contract.column(row["column"])
                counts, base = np.zeros((1, 1, column.bins)), summary.counts(column.name)[ALL][None, None]
                counts[0, 0, row["bin"]] = row["count"]
                of_psi = groups(column, base[0, 0])
                sides = [Counts(side, column, of_psi) for side in (counts, base)]
                for measure in ("drift.psi", "drift.js", *(["drift.ks"] if column.numeric else [])):
                    found = catalogue.spec(measure).compute(*sides, NoParams())
                    if found.interval is not None:
                        found.interval(_ONE)
        spent.append(one.cpu)
    return min(spent)


def main() -> None:
    """Print the table."""
    parser = options(__doc__ or "", "python benchmarks/peers/compare.py --rows 100000")
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    missing, rng = installed(), np.random.default_rng(1)
    reference, current = made(REFERENCE, 0.0, rng), made(given.rows, 0.1, rng)
    progress("ours")
    mine, more = (ours(reference, current, together) for together in (Together.OFF, Together.ON))
    rows = [
        ("Watchkeeper", f"{mine:.2f}", "1.0", ""),
        ("Watchkeeper, with sums for mmd and correlation", f"{more:.2f}", f"{more / mine:.1f}", ""),
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/reference.parquet", f"{folder}/current.parquet"]
        for path, part in zip(paths, (reference, current), strict=True):
            pq.write_table(part, path)
        for name, wanted in WANTED.items():
            progress(name)
            answer = subprocess.run([PYTHON, HERE / "theirs.py", name, *paths], capture_output=True, text=True, check=False)
            if answer.returncode:
                said = (
                    "not installed"
                    if any(one.startswith(name.split()[0]) for one in missing)
                    else answer.stderr.strip().splitlines()[-1][:80]
                )
                rows.append((name, "", "", said))
                continue
            cpu = json.loads(answer.stdout.strip().splitlines()[-1])["cpu"]
            rows.append((name, f"{cpu:.2f}", f"{cpu / mine:.1f}", f"{wanted} wanted"))
    table(f"PSI, JS and KS of {given.rows:,} rows of 20 columns against {REFERENCE:,}", ("", "CPU s", "times ours", ""), rows)


if __name__ == "__main__":
    main()
