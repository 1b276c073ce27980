"""When a reference is summarised again under its contract, the readings against it are evaluated again."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa

from core import moment
from core.baseline.reference import Reference
from core.contract import Contract
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from detectors.summary.inputs import InputSummary
from monitors.model import Model
from monitors.reference.derive import ReferenceSummary, derive
from monitors.reference.option import Options
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend
from tests.ownership.scene import START, predict

_ROWS = 40


def test_readings_that_differ_are_revised_and_the_others_stay(backend: Backend, model: str) -> None:
    """A measure of moments has no value against a summary without moments, until that is made again; one of counts has the same."""
    random = np.random.default_rng(1)
    table = pa.table({"x": random.normal(size=500), "prediction": random.integers(0, 2, 500), "score": random.random(500)})
    contract, whole = derive(model, table, Options.of({"task": "binary"}))
    watch = Monitor(
        name="moved",
        model=model,
        measure="drift.mean_shift",
        columns=("x",),
        window=Tumbling(moment.DAY),
        baseline=Reference(),
        min_samples=1,
    )
    backend.monitors[model] = [watch, msgspec.structs.replace(watch, name="counted", measure="drift.psi")]
    backend.contracts[model] = old = msgspec.structs.replace(contract, summary=0, facts=False)
    for day in range(2):
        for number in range(_ROWS):
            predict(backend, model, 0, day * 86_400, f"{day}-{number}", day=day, features={"x": float(random.normal())})
    backend.ingest(1_000_000)
    held = whole.input.to_columns()
    held = held.set_column(held.schema.get_field_index("measured"), "measured", pa.array(np.zeros(held.num_rows, np.uint64)))
    spoiled = ReferenceSummary(InputSummary.from_columns(held), whole.performance, whole.auc, whole.bins)
    settle(backend, old, spoiled)
    before = readings(backend, model)
    assert [(value, revision) for value, revision in before["moved"]] == [(None, 1)] * 2
    settle(backend, msgspec.structs.replace(old, summary=1), whole)
    after = readings(backend, model)
    assert [revision for _, revision in after["moved"]] == [2, 2]
    assert all(value is not None for value, _ in after["moved"])
    assert after["counted"] == before["counted"]
    assert [revision for _, revision in after["counted"]] == [1, 1]


def settle(backend: Backend, contract: Contract, reference: ReferenceSummary) -> None:
    """Take steps until there is nothing left to do, and then none would find anything."""
    committed, owner = backend.committed(contract.model), backend.owner(contract.model)
    assert committed is not None
    watched = backend.monitors[contract.model]
    assert not owner.idle(contract, watched, committed, silent=True)
    assert owner.step(Model(contract, reference), watched, committed, silent=True)
    assert any(not owner.step(Model(contract, reference), watched, committed, silent=True) for _ in range(6))
    assert owner.idle(contract, watched, committed, silent=True)


def readings(backend: Backend, model: str) -> dict[str, list[tuple[float | None, int]]]:
    """By monitor the value and the revision of each window's reading."""
    found = Readings(backend.engine).newest(model, {"moved": 1, "counted": 1}, (START, START + 9 * moment.DAY))
    return {name: [(row["value"], row["revision"]) for row in table.to_pylist()] for name, table in found.items()}
