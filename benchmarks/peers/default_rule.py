"""How many columns of each window Evidently says have drifted: `python default_rule.py FOLDER`. Runs in the peers' environment.

The folder holds pairs of Parquet files, `<n>-reference.parquet` and `<n>-windows.parquet`, whose column `window` counts from 0. For each pair a line of JSON is printed: a list of the numbers of columns that drifted, a window each.
The test of a column is the one that the preset of data drift takes where nobody chooses, with its threshold, called without the drawings that a report makes; the first window of each pair goes through the report too, and both must agree.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.stattests.registry import get_stattest
from evidently.presets import DataDriftPreset

warnings.filterwarnings("ignore")


def kinds(table: Any) -> dict[str, str]:
    """What Evidently takes each column for."""
    return {name: "num" if table[name].dtype.kind in "fi" else "cat" for name in table}


def scores(reference: Any, window: Any) -> dict[str, tuple[float, bool]]:
    """Of each column its score, and whether it drifted; a column without values in the window has none, and a report would fail."""
    found = {}
    for name, kind in kinds(reference).items():
        base, target = (table[name].dropna() for table in (reference, window))
        if len(base) and len(target):
            answer = get_stattest(base, target, kind, None)(base, target, kind, None)
            found[name] = (float(answer.drift_score), bool(answer.drifted))
    return found


def reported(reference: Any, window: Any) -> dict[str, float]:
    """Of each column the score in `Report([DataDriftPreset()]).run(window, reference).dict()`."""
    by_kind = kinds(reference)
    numbers, texts = ([name for name, one in by_kind.items() if one == kind] for kind in ("num", "cat"))
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    held = [Dataset.from_pandas(table, data_definition=definition) for table in (window, reference)]
    metrics = Report([DataDriftPreset()]).run(*held).dict()["metrics"]
    return {one["config"]["column"]: float(one["value"]) for one in metrics if "column" in one["config"]}


def main() -> None:
    """Print a line a pair. Raises ValueError where a score is not that of the report."""
    for path in sorted(Path(sys.argv[1]).glob("*-reference.parquet")):
        reference, rows = (pd.read_parquet(one) for one in (path, path.with_name(path.name.replace("reference", "windows"))))
        drifted = []
        for place, window in rows.groupby("window"):
            held = scores(reference, window.drop(columns="window"))
            if not place and len(held) == reference.shape[1]:
                for name, score in reported(reference, window.drop(columns="window")).items():
                    if not math.isclose(score, held[name][0], rel_tol=1e-9, abs_tol=1e-12):
                        raise ValueError(f"{path.name}: the report says {score} of {name}, the test {held[name][0]}")
            drifted.append(sum(moved for _, moved in held.values()))
        print(json.dumps(drifted), flush=True)


if __name__ == "__main__":
    main()
