"""The labelled rows of a window, as the reader gives them to pages, against the rows themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from core.block import Categories, Outcomes
from core.clock import ManualClock
from core.contract import Contract, Dimension, Task
from core.error import ConfigError
from core.moment import HOUR
from core.segment import Segments
from dashboard.ports import LabelledRows, ScoreBins
from detectors.summary.performance import PerformanceSummary
from detectors.summary.score import edges_of
from tests.monitors.outcomes import contract, multiclass, numbers
from watchkeeper.reader.reader import Reader
from watchkeeper.services import Pages
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores

CLASSES = ("high", "low", "middle")
REGIONS = ("east", "west")


def texts(values: Categories) -> list[str]:
    """The text of each row."""
    return [values.texts[code] for code in values.codes.tolist()]


def rows() -> Outcomes:
    """Outcomes of three classes over two hours, of two versions and two regions; some predictions are of a class that the contract does not have."""
    random = np.random.default_rng(5)
    n = 400
    drawn = random.dirichlet([1, 1, 1], n)
    said, true = (random.choice([*CLASSES, "strange"], n).tolist(), random.choice(CLASSES, n).tolist())
    found = multiclass(CLASSES, said, true, drawn, random.integers(0, 2, n)).rows
    version, region = (Categories.of(random.choice(names, n).tolist()) for names in (["1", "2"], REGIONS))
    return replace(found, version=version, dimensions={"region": region})


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    """A model of classes and a regression, each with its panes."""
    made = Stores(Settings(data=tmp_path), ManualClock(1))
    try:
        made.migrate()
        _save(
            made,
            msgspec.structs.replace(contract(Task.MULTICLASS, *CLASSES), dimensions=(Dimension(name="region", values=REGIONS),)),
            rows(),
        )
        errors = numbers(np.arange(3.0), np.ones(3))
        _save(made, msgspec.structs.replace(errors.contract, model="r"), errors.rows)
        yield made
    finally:
        made.close()


def _save(stores: Stores, of: Contract, outcomes: Outcomes) -> None:
    stores.control.save_contract(of, content=of.model, reference=None)
    stores.writer.performance_panes(of, PerformanceSummary.of(of, Segments(of), outcomes).to_columns(), 1)


def asked(stores: Stores, model: str, segment: str, version: str | None, hours: tuple[int, int]) -> LabelledRows:
    """The answer for some hours."""
    reader = Reader(cast("Any", SimpleNamespace(stores=stores, clock=ManualClock(1))))
    return Pages(reader).labelled(model, segment, version, *(hour * HOUR for hour in hours))


@pytest.mark.parametrize("hours", [(0, 1), (1, 2), (0, 2)])
@pytest.mark.parametrize(("segment", "version"), [("all", None), ("region=west", None), ("region=east", "2")])
def test_cells_and_scores_are_those_of_the_rows(stores: Stores, segment: str, version: str | None, hours: tuple[int, int]) -> None:
    """Of the window, the segment and the version alone; also predictions that are none of the model's classes."""
    held = rows()
    kept = (held.ts >= hours[0] * HOUR) & (held.ts < hours[1] * HOUR)
    kept &= np.array([version in {None, one} for one in texts(held.version)])
    kept &= np.array([segment in {"all", f"region={one}"} for one in texts(held.dimensions["region"])])
    wanted = held.take(np.flatnonzero(kept))
    assert isinstance(wanted.prediction, Categories)
    assert isinstance(wanted.label, Categories)
    found, label = asked(stores, "m", segment, version, hours), np.array(texts(wanted.label))
    assert found.n == len(wanted)
    assert found.cells == Counter(zip(texts(wanted.prediction), label.tolist(), strict=True))
    assert list(found.scores) == list(CLASSES)
    assert wanted.probabilities is not None
    for place, (name, edges) in enumerate(zip(CLASSES, edges_of(contract(Task.MULTICLASS, *CLASSES)), strict=True)):
        score, bins = wanted.probabilities[:, place], found.scores[name]
        at = np.searchsorted(edges, score, side="right")
        sides = [np.bincount(at[side], minlength=len(edges) + 1).tolist() for side in (label == name, label != name)]
        assert (bins.own, bins.others) == (sides[0], sides[1])
        assert np.allclose(bins.scores, np.bincount(at, score, len(edges) + 1))
        assert tuple(bins.edges) == edges


@pytest.mark.parametrize("segment", ["all", "region=west", "region=north"])
def test_score_bins_are_those_of_the_labelled_rows(stores: Stores, segment: str) -> None:
    """Summed by the store, they are what is made of its panes; the newest panes of a slot count. A model without scores has none."""
    found = Pages(Reader(cast("Any", SimpleNamespace(stores=stores, clock=ManualClock(1)))))
    for _ in range(2):
        for hours in ((0, 1), (0, 2), (5, 6)):
            wanted = asked(stores, "m", segment, None, hours).scores or {name: ScoreBins((), (), (), ()) for name in CLASSES}
            held = found.score_bins("m", segment, *(hour * HOUR for hour in hours))
            assert list(held) == list(CLASSES) == list(wanted)
            for name, bins in held.items():
                assert (sum(bins.own), sum(bins.others)) == (sum(wanted[name].own), sum(wanted[name].others))
                if wanted[name].edges:
                    assert replace(bins, scores=()) == replace(wanted[name], scores=())
                    assert np.allclose(bins.scores, wanted[name].scores)
        of = stores.control.contract("m")
        assert of is not None
        stores.writer.performance_panes(of, PerformanceSummary.of(of, Segments(of), rows().take(np.arange(300))).to_columns(), 2)
    assert found.score_bins("r", "all", 0, HOUR) == {}


def test_errors_are_those_of_the_rows_by_segment(stores: Stores) -> None:
    """Mean, size and root of the squares; of a model of classes there are none."""
    reader = Pages(Reader(cast("Any", SimpleNamespace(stores=stores, clock=ManualClock(1)))))
    apart = np.arange(3.0) - 1.0
    (whole,) = reader.errors("r", "", None, 0, HOUR)
    assert (whole.segment, whole.n, whole.mean) == ("all", 3, 0.0)
    assert (whole.absolute, whole.root) == (np.abs(apart).mean(), np.sqrt((apart**2).mean()))
    assert reader.errors("r", "", None, HOUR, 2 * HOUR) == reader.errors("m", "", None, 0, HOUR) == []


def test_where_no_label_came_there_is_nothing(stores: Stores) -> None:
    """A window without rows, a segment that is not there; a regression has a count only; an unknown model is refused."""
    assert asked(stores, "m", "all", None, (5, 6)) == LabelledRows(0, {}, {})
    assert asked(stores, "m", "region=north", None, (0, 2)) == LabelledRows(0, {}, {})
    assert asked(stores, "r", "all", None, (0, 1)) == LabelledRows(3, {}, {})
    with pytest.raises(ConfigError, match="there is no model"):
        asked(stores, "none", "all", None, (0, 1))


def test_errors_by_prediction_are_those_of_the_rows() -> None:
    """By tenth of the predictions of the segment, each with its range; equal predictions are in one tenth. Too many rows are not read."""
    random = np.random.default_rng(8)
    said = np.concatenate([np.full(40, 5.0), random.normal(20, 4, 160)])
    true = said + random.normal(1, 2, 200)
    store = numbers(said, true, np.arange(200) % 2)
    control = SimpleNamespace(contract=lambda _: store.contract, contract_version=lambda *_: store.contract)
    stores = SimpleNamespace(panes=store, raw=store, control=control, stream=None, training=None)
    reader = Pages(Reader(cast("Any", SimpleNamespace(stores=stores, clock=ManualClock(1)))))
    found = reader.residuals("m", "all", None, 0, HOUR)
    assert found is not None
    held = np.arange(200) % 2 == 0
    assert sum(one.n for one in found) == held.sum()
    first = found[0]
    assert (first.segment, first.n) == ("5", 20)
    assert first.mean == pytest.approx((said - true)[held & (said == 5.0)].mean())
    assert first.root == pytest.approx(np.sqrt(((said - true)[held & (said == 5.0)] ** 2).mean()))
    lows = [float(one.segment.split(" to ")[0]) for one in found]
    assert lows == sorted(lows)
