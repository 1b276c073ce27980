"""The calibration of monitors from the facts of their reference, in both engines, against the oracle's own from the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from core import moment
from core.baseline.reference import Reference
from core.contract import Kind
from core.error import Retryable
from core.measure import Subject
from core.monitor import Budget, Monitor
from core.window.sliding import Sliding
from core.window.tumbling import Tumbling
from detectors.catalogue import MEASURES
from monitors.evaluation.calibration import Calibration
from monitors.evaluation.evaluate import Evaluate
from monitors.model import Model
from storage.facts.purge import purge
from tests.acceptance.test_reference_facts import give, stores
from tests.oracle import dispersion, joint
from tests.oracle.rows import Rows
from tests.oracle.spec import Spec
from watchkeeper.stores import Stores

__all__ = ["stores"]  # a fixture
DAYS, DAILY = 24, 260
START = 19_800 * moment.DAY + 7 * moment.HOUR
SEGMENTS = ("all", "c=a", "c=b", "c=rare")


def file() -> pa.Table:
    """Days that differ from one another, the first and the last not whole, and a day without rows."""
    random = np.random.default_rng(3)
    rows = DAYS * DAILY
    ts = START + np.sort(random.integers(0, DAYS * moment.DAY, rows))
    day = ts // moment.DAY - START // moment.DAY
    level, nulls = random.normal(0, 0.4, DAYS + 1)[day], random.beta(2, 40, DAYS + 1)[day]
    table = pa.table(
        {
            "ts": pa.array(ts, pa.timestamp("us", tz="UTC")),
            "x": pa.array(random.normal(level), mask=random.random(rows) < nulls),
            "c": random.choice(["a", "b", "rare"], rows, p=[0.6, 0.37, 0.03]),
            "score": random.random(rows),
            "prediction": random.integers(0, 2, rows),
            "label": random.integers(0, 2, rows),
        }
    )
    return table.filter(pa.array(day != 11))


def calibrated(stores: Stores, model: Model, measure: str, **given: Any) -> Calibration:
    monitor = Monitor(
        name="m", model=model.contract.model, measure=measure, columns=("x", "c", "@prediction"), baseline=Reference(), **given
    )
    found = Evaluate(stores.panes, stores.raw, stores.stream, lambda *_: model.contract).calibration(monitor, model)
    assert found is not None
    return found


def test_monitors_are_calibrated_together_as_alone(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each kind of window the panes are asked for columns, for the count of predictions and for labels, once; one monitor that cannot be calibrated spoils no other."""
    _, model = give(stores, "together", file())
    measures = ("drift.psi", "drift.js", "drift.mean_shift", "quality.null_rate", "quality.label_coverage")
    monitors = [
        Monitor(name=f"{measure}-{days}", model="together", measure=measure, baseline=Reference(), window=Tumbling(days * moment.DAY))
        for measure in measures
        for days in (1, 2)
    ]
    alone, together = (Evaluate(stores.panes, stores.raw, stores.stream, lambda *_: model.contract) for _ in range(2))
    wanted = [alone.calibration(monitor, model) for monitor in monitors]
    asked = list[str]()
    for name in ("inputs", "performance"):

        def counted(ask: Callable[..., Any], name: str, *given: Any, **more: Any) -> Any:
            asked.append(name)
            return ask(*given, **more)

        monkeypatch.setattr(stores.panes, name, partial(counted, getattr(stores.panes, name), name))
    odd = msgspec.structs.replace(monitors[0], name="odd", params={"no": "such"})
    together.calibrate([*monitors, odd], model)
    assert sorted(asked) == ["inputs"] * 4 + ["performance"] * 2
    asked.clear()
    for monitor, one in zip(monitors, wanted, strict=True):
        found = together.calibration(monitor, model)
        assert one is not None
        assert found is not None
        assert one.windows > 0
        assert found.equals(one)
    assert asked == []


def test_a_measure_of_the_model_is_calibrated_too(stores: Stores) -> None:
    """Labels that are missing on some days: z squared of each day against the others, as for nulls of a column."""
    table = file()
    labels = pa.array(table["label"].to_pylist(), mask=table["x"].is_null().to_numpy(zero_copy_only=False))
    _, model = give(stores, "labels", table.set_column(table.schema.get_field_index("label"), "label", labels))
    nulls, coverage = calibrated(stores, model, "quality.null_rate"), calibrated(stores, model, "quality.label_coverage")
    assert (coverage.columns, coverage.windows) == (("",), DAYS - 2)
    assert coverage.dispersion.phi[0, 0] == pytest.approx(nulls.of("x", ("all",)).phi[0], rel=1e-9)


def test_the_dispersion_of_each_measure_is_that_of_its_windows(stores: Stores) -> None:
    """Each whole day with enough rows against the other days but its neighbours; a segment with few such days has the dispersion of all."""
    table = file()
    _, model = give(stores, "days", table)
    frame = table.to_pandas()
    basis = dispersion.of_reference(Rows(frame, frame, Spec("binary", segments=("c",))), moment.DAY, moment.DAY)
    for measure in (
        name
        for name, about in MEASURES.items()
        if about.tested and about.subject is Subject.COLUMN and {Kind.NUMERIC, Kind.CATEGORICAL} & set(about.kinds)
    ):
        found = calibrated(stores, model, measure, segments=("all", "c"), min_samples=80)
        assert (found.windows, found.provisional) == (DAYS - 2, False)
        for column in ("x", "c"):
            if model.contract.column(column).kind not in MEASURES[measure].kinds:
                assert found.of(column, SEGMENTS).phi.tolist() == [1.0] * 4
                continue
            known = found.of(column, SEGMENTS)
            for place, segment in enumerate(SEGMENTS):
                grouping = ("c",) if "=" in segment else ()
                written = {"measure": measure, "min_samples": 80}
                expected = dispersion.phi(dispersion.statistics(written, column, basis, grouping, segment))
                assert known.phi[place] == pytest.approx(expected, rel=1e-9), (measure, column, segment)
            assert known.windows.tolist() == [DAYS - 2, DAYS - 2, *known.windows[2:3], DAYS - 2], measure
        assert MEASURES[measure].name != "drift.psi" or found.of("x", ("all",)).phi[0] > 2


@pytest.mark.parametrize("measure", ["drift.mmd", "drift.correlation"])
def test_the_dispersion_of_all_features_together_is_that_of_their_windows(stores: Stores, measure: str) -> None:
    """Of `all` and of segments; rows of a day are worth less than their number."""
    table = file()
    table = table.append_column("y", pa.array(np.random.default_rng(4).normal(size=table.num_rows) + np.nan_to_num(table["x"].to_numpy())))
    _, model = give(stores, "together", table)
    frame = table.to_pandas()
    whole = Rows(frame, frame, Spec("binary", segments=("c",)))
    known, profile = joint.of(whole), model.contract.multivariate
    assert profile is not None
    assert [profile.bandwidth, profile.degrees] == pytest.approx([known.bandwidth, known.degrees], rel=1e-9)
    basis, written = dispersion.of_reference(whole, moment.DAY, moment.DAY), {"measure": measure, "min_samples": 80}
    found = calibrated(stores, model, measure, segments=("all", "c"), min_samples=80)
    for place, segment in enumerate(SEGMENTS):
        expected = dispersion.phi(dispersion.statistics(written, "", basis, ("c",) if "=" in segment else (), segment))
        assert found.of("", SEGMENTS).phi[place] == pytest.approx(expected, rel=1e-9), segment
    assert measure == "drift.correlation" or found.of("", ("all",)).phi[0] > 1.5


def test_windows_that_overlap_are_taken_apart(stores: Stores) -> None:
    """A week each day counts for disjoint weeks only, from the last backwards; too few of them are provisional."""
    table = file()
    _, model = give(stores, "weeks", table)
    frame = table.to_pandas()
    basis = dispersion.of_reference(Rows(frame, frame, Spec("binary", segments=("c",))), 7 * moment.DAY, moment.DAY)
    found = calibrated(stores, model, "drift.psi", window=Sliding(7 * moment.DAY, moment.DAY))
    expected = dispersion.phi(dispersion.statistics({"measure": "drift.psi"}, "x", basis, (), "all"))
    assert found.of("x", ("all",)).phi[0] == pytest.approx(expected, rel=1e-9)
    assert found.provisional


def test_a_reference_without_times_tells_nothing(stores: Stores) -> None:
    """Rows count as independent, and that is said."""
    _, model = give(stores, "untimed", file().drop_columns("ts"))
    found = calibrated(stores, model, "quality.null_rate")
    assert (found.windows, found.provisional, found.of("x", ("all",)).phi.tolist()) == (0, True, [1.0])
    allowed = calibrated(stores, model, "drift.psi", budget=Budget(1, 30 * moment.DAY)).allowance
    assert allowed is not None
    assert (allowed.blocks, allowed.extrapolated) == (0, True)


def test_a_monitor_waits_for_the_facts_of_its_reference(stores: Stores) -> None:
    """Between the contract and its facts, or without them after a fault, nothing is calibrated by nothing; the error says what to do."""
    table = file()
    _, model = give(stores, "waits", table)
    assert model.contract.facts
    purge(stores.engine, model.contract.of_reference.model)
    with pytest.raises(Retryable, match="give the same reference again"):
        calibrated(stores, model, "drift.psi")
    before = replace(model, contract=msgspec.structs.replace(model.contract, facts=False))
    evaluate = Evaluate(stores.panes, stores.raw, stores.stream, lambda *_: model.contract)
    monitor = Monitor(name="m", model="waits", measure="drift.psi", baseline=Reference())
    assert (found := evaluate.calibration(monitor, before)) is not None
    assert found.windows == 0  # a contract of an earlier version, which kept no facts
    assert give(stores, "waits", table)[0] == "unchanged"
    assert (found := evaluate.calibration(monitor, before)) is not None
    assert found.windows == DAYS - 2
    assert calibrated(stores, model, "drift.psi", window=Tumbling(moment.DAY)).windows == DAYS - 2


def test_a_budget_is_kept_on_the_reference_itself(stores: Stores) -> None:
    """One alarm window in four days: a quarter of the days have their smallest p at the threshold or below, each judged without its week."""
    table = file()
    _, model = give(stores, "budget", table)
    found = calibrated(stores, model, "drift.psi", budget=Budget(1, 4 * moment.DAY))
    allowed = found.allowance
    assert allowed is not None
    assert (allowed.blocks, allowed.extrapolated, found.provisional) == (DAYS - 2, False, False)
    assert allowed.expected == int((DAYS - 1) / 4) / (DAYS - 1)
    rare = calibrated(stores, model, "drift.psi", budget=Budget(1, 90 * moment.DAY))
    assert rare.allowance is not None
    assert (rare.allowance.extrapolated, rare.provisional) == (True, True)
    assert 1 - (1 - rare.allowance.p) ** 3 == pytest.approx(1 / 90)  # three columns
