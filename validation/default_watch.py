"""Writes docs/default-watch.md: what the default watch says of public streams, with nothing configured. `python -m validation.default_watch`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from river.datasets import synth
from sklearn.ensemble import HistGradientBoostingClassifier

from core import duration, moment
from core.moment import MINUTE
from validation import public
from validation.alarm import BREACH, alarmed
from validation.public import Data
from validation.replay import replay
from validation.report import table
from validation.world import default_watch

PAGE = Path(__file__).resolve().parents[1] / "docs" / "default-watch.md"
NAMES = (
    "elec2",
    "nml_car_loan",
    "nml_car_price",
    "nml_credit_card_multiclass",
    "sea_abrupt",
    "taxi_green_2022",
    "flights_2013q4_multiclass",
    "adult",
)
TRUTH = {
    "elec2": "vicprice, vicdemand and transfer are constant before row 17,424 (1997-05-05) and vary from then on",
    "nml_car_loan": "made: drift from row 75,000 (2019-03-31) in car_value, salary_range, repaid_loan_on_prev_car, loan_length",
    "nml_car_price": "made: drift in the second half of production, from row 90,000 (2017-02-28)",
    "nml_credit_card_multiclass": "made: drift in the second half of production, from row 90,000 (2020-11-01)",
    "sea_abrupt": "the concept changes three times, inputs never",
    "taxi_green_2022": "none is documented; rides come back after a wave of the epidemic",
    "flights_2013q4_multiclass": "autumn becomes winter; the reference is 14 days of October",
    "adult": "none: rows in random order",
    "agrawal": "the concept changes in the middle of production, inputs never",
}
_HEAD = """# The default watch on public streams

<!-- Written by `make calibration`; do not edit. -->

Each data set is a model that has only a reference: nothing is configured. Its default monitors `default-drift.psi`, `default-quality.null_rate` and `default-drift.tail_share` are evaluated over its production, by the code that evaluates monitors, on panes in memory.
A window *alarms* if any column does. What is true of each stream is in the second table. `agrawal` is a stream of river's generator. The others are read from a folder beside the checkout. The first and the last window of a stream may hold only a part of a week or a day, which differs from a whole one: so `day` of elec2 and `hour` of the taxis alarm there.
"""


@dataclass
class Watched:
    """What the default watch says of a stream: its windows, those with an alarm, and by column and measure the windows in which it alarms."""

    name: str
    window: str
    windows: int = 0
    alarms: set[int] = field(default_factory=set)
    columns: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))


def watch(data: Data) -> Watched:
    """Evaluate the default monitors of a data set."""
    model = replay(data)
    contract = model.model.contract
    if contract.usual is None:
        return Watched(data.name, "none: its rows have no times")
    found = Watched(data.name, duration.text(contract.usual.length))
    for monitor in default_watch(contract):
        windows = 0
        for frame in model.windows(monitor):
            windows += len(frame.windows)
            found.alarms.update(frame.windows.start[alarmed(frame)].tolist())
            for place, column in enumerate(frame.columns):
                breached = np.isin(frame.verdict[:, place], BREACH).any(axis=1)
                if breached.any():
                    found.columns[column, monitor.measure].extend(frame.windows.start[breached].tolist())
        found.windows = windows
    return found


def agrawal(rows: int = 40_000) -> Data:
    """A stream whose inputs keep their law while the concept changes: a quarter of the rows are the reference, and in the middle of the others the rule changes."""
    first, later = (list(synth.Agrawal(classification_function=rule, seed=7 + rule).take(rows)) for rule in (0, 2))
    change = rows * 5 // 8
    pairs = first[:change] + later[change:]
    frame = pd.DataFrame([x for x, _ in pairs])
    label = np.array([y for _, y in pairs])
    texts = ["elevel", "car", "zipcode"]
    model = HistGradientBoostingClassifier(random_state=0).fit(frame[: rows // 4], label[: rows // 4])
    columns = {
        "ts": pa.array(moment.parse("2024-01-01T00:00:00Z") + np.arange(rows) * MINUTE, pa.timestamp("us", "UTC")),
        "set": ["reference"] * (rows // 4) + ["production"] * (rows - rows // 4),
        **{name: frame[name].astype(str if name in texts else float).tolist() for name in frame},
        "prediction": model.predict(frame).astype(str).tolist(),
    }
    about = {"task": "binary", "features_num": [name for name in frame if name not in texts], "features_cat": texts}
    return Data("agrawal", about, pa.table(columns))


def page(found: list[Watched]) -> str:
    """The page."""
    heads = ("stream", "window", "windows", "with an alarm", "first alarm", "columns that alarm (windows; first)")
    rows = []
    for one in found:
        said = [
            f"{name}, {measure} ({len(when)}; {_day(min(when))})"
            for (name, measure), when in sorted(one.columns.items(), key=lambda held: min(held[1]))
        ]
        rows.append(
            (
                one.name,
                one.window,
                str(one.windows),
                str(len(one.alarms)),
                _day(min(one.alarms)) if one.alarms else "",
                "; ".join(said) or "none",
            )
        )
    missing = [name for name in NAMES if name not in {one.name for one in found}]
    note = f"These data sets were not there: {', '.join(missing)}.\n" if missing else ""
    truth = table(("stream", "what is true of it"), [(one.name, TRUTH[one.name]) for one in found])
    return "\n".join([_HEAD, table(heads, rows), note, truth])


def _day(at: int) -> str:
    return moment.text(at)[:10]


def main() -> None:
    """Write the page."""
    sets = [data for name in NAMES if (data := public.load(name))]
    PAGE.write_text(page([watch(data) for data in [*sets, agrawal()]]), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
