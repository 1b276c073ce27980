"""Sums over all features together, in the two forms in which panes hold them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from core.baseline.reference import Reference
from core.moment import DAY, HOUR
from core.monitor import Monitor
from core.reading import Reading
from core.window.tumbling import Tumbling
from detectors.summary import multivariate
from validation.public import Data
from validation.replay import replay

HOURS, START = 600, 20_000 * DAY


def readings(measure: str) -> tuple[int, list[Reading]]:
    """How many panes of production hold the bins of their rows, and the readings of its days: every hour has two rows, later four. A column comes to depend on another, and lacks values."""
    rng = np.random.default_rng(1)
    hour = np.concatenate(
        [np.zeros(2_000, np.int64), 100 + np.repeat(np.arange(HOURS), 2), 100 + np.repeat(np.arange(HOURS // 2, HOURS), 2)]
    )
    named = {name: rng.normal(size=len(hour)) for name in "abcde"}
    named["a"][2_000:] = np.where(rng.random(len(hour) - 2_000) < 0.1, np.nan, named["a"][2_000:] + named["b"][2_000:])
    table = pa.table(
        {
            "ts": pa.array(START + hour * HOUR, pa.timestamp("us", "UTC")),
            "set": np.where(hour == 0, "reference", "production"),
            **named,
            "kind": rng.choice(["u", "v"], len(hour)),
            "prediction": named["a"],
        }
    )
    model = replay(Data("made", {"task": "regression", "features_num": list("abcde"), "features_cat": ["kind"]}, table), pane=HOUR)
    contract = model.model.contract
    monitor = Monitor(name="m", model=contract.model, measure=measure, window=Tumbling(DAY), baseline=Reference(), min_samples=20)
    held = model.stores.inputs(contract, [multivariate.COLUMN], ["code"], [""], HOUR, (0, START + 1_000 * HOUR))
    return sum(map(bool, held["code"].to_pylist())), [reading for _, reading in model.readings(monitor)]


@pytest.mark.parametrize("measure", ["drift.mmd", "drift.correlation"])
def test_bins_of_rows_stand_for_their_sums(measure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings from panes that hold the bins of few rows equal those from sums, to the last digit."""
    coded, found = readings(measure)
    monkeypatch.setattr(multivariate, "by_row", lambda *_: False)
    none, expected = readings(measure)
    assert (coded > 500, none) == (True, 0)
    assert len(found) > 20
    assert found == expected
