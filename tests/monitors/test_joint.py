"""Sums over all features together, in the two forms in which panes hold them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from core.baseline.reference import Reference
from core.moment import DAY, HOUR
from core.monitor import Monitor
from core.reading import Reading
from core.segment import ALL, Segments
from core.window.tumbling import Tumbling
from detectors.evidence import Joint
from detectors.summary import multivariate
from detectors.summary.inputs import InputSummary
from monitors.evidence import joint
from monitors.evidence.reads import Scope
from monitors.model import Model
from monitors.reference.rows import predictions_of
from validation.public import Data
from validation.replay import Replay, replay

HOURS, START = 600, 20_000 * DAY


def made() -> tuple[Replay, pa.Table]:
    """A model and the rows of its reference and of production, of which every hour has two, later four. A column comes to depend on another, and lacks values."""
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
    return replay(Data("made", {"task": "regression", "features_num": list("abcde"), "features_cat": ["kind"]}, table), pane=HOUR), table


def readings(measure: str) -> tuple[int, list[Reading]]:
    """How many panes of production hold the bins of their rows, and the readings of its days."""
    model, _ = made()
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


def test_a_pane_may_hold_bins_of_some_rows_and_sums_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when batches and a rebuild meet in it: in whatever order they come, it is read as the sums of all its rows. Segments that are not asked for are left out."""
    (held, table), form = made(), iter([False, True, False, True])
    contract, reference = held.model.contract, held.model.reference
    assert reference is not None
    block = predictions_of(table.drop_columns(["ts"]), contract)
    monkeypatch.setattr(multivariate, "by_row", lambda *_: next(form))
    every = np.arange(len(block))
    whole, bins, sums, other_bins = (
        InputSummary.of(contract, Segments(contract), block.take(rows)) for rows in (every, every[:1_500], every[1_500:], every[1_500:])
    )

    def read(summary: InputSummary, segment: str = ALL) -> Joint:
        return joint.reference(Scope(Model(contract, replace(reference, input=summary)), (segment,), ("",), ()), "")

    expected = read(whole)
    assert (pc.sum(pc.list_value_length(whole.table["code"])).as_py(), expected.measured.sum()) == (0, len(block))
    for both in (bins.merge(sums), sums.merge(bins), bins.merge(other_bins), other_bins.merge(bins)):
        assert (read(both).sums == expected.sums).all()
        assert (read(both).measured == expected.measured).all()
        assert not read(both, "kind=u").sums.any()
