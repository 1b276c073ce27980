"""Runs one peer on two Parquet files and prints the seconds that it took: `python theirs.py PEER REFERENCE CURRENT`. Runs in the peers' environment."""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd

warnings.filterwarnings("ignore")


def evidently_psi(reference: Any, current: Any) -> Callable[[], object]:
    """`Report([DataDriftPreset(method="psi")]).run(current, reference).dict()`."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(numerical_columns=_numbers(reference), categorical_columns=_texts(reference))
    held = [Dataset.from_pandas(table, data_definition=definition) for table in (current, reference)]
    return lambda: Report([DataDriftPreset(method="psi")]).run(*held).dict()


def evidently_default(reference: Any, current: Any) -> Callable[[], object]:
    """The preset as it is: Wasserstein and Jensen-Shannon."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(numerical_columns=_numbers(reference), categorical_columns=_texts(reference))
    held = [Dataset.from_pandas(table, data_definition=definition) for table in (current, reference)]
    return lambda: Report([DataDriftPreset()]).run(*held).dict()


def whylogs(reference: Any, current: Any) -> Callable[[], object]:
    """`why.log(current)`, and the drift scores of its profile against the reference's."""
    import whylogs as why
    from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

    before = why.log(reference).view()
    return lambda: calculate_drift_scores(target_view=why.log(current).view(), reference_view=before, with_thresholds=True)


def nannyml(reference: Any, current: Any) -> Callable[[], object]:
    """`UnivariateDriftCalculator` with Jensen-Shannon and Kolmogorov-Smirnov, fitted before, on one chunk."""
    import nannyml as nml

    columns = [*_numbers(reference), *_texts(reference)]
    found = nml.UnivariateDriftCalculator(
        column_names=columns,
        treat_as_categorical=_texts(reference),
        continuous_methods=["jensen_shannon", "kolmogorov_smirnov"],
        categorical_methods=["jensen_shannon"],
        chunk_number=1,
    ).fit(reference)
    return lambda: found.calculate(current).to_df()


def _numbers(table: Any) -> list[str]:
    return [name for name in table if table[name].dtype.kind in "fi"]


def _texts(table: Any) -> list[str]:
    return [name for name in table if table[name].dtype.kind not in "fi"]


PEERS = {"evidently psi": evidently_psi, "evidently default": evidently_default, "whylogs": whylogs, "nannyml": nannyml}


def main() -> None:
    """Print one line of JSON."""
    name, *paths = sys.argv[1:]
    reference, current = (pd.read_parquet(path) for path in paths)
    work = PEERS[name](reference, current)
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
