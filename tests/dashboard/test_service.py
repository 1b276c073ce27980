"""The page Service: what it shows of a model, and what it says of signals that the contract does not have."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from core.contract import Column, Kind
from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.test_texts import changed
from tests.dashboard.twin import Twin

PAGE = "/ui/models/departs-late/service"


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


async def drawn(reader: Any) -> str:
    """The page as text."""
    return text(await page(reader, PAGE, ""))


async def test_a_model_without_signals_has_throughput_and_is_told_what_it_lacks(twin: Twin) -> None:
    """With the field to send, and the option of the reference."""
    said = await drawn(twin)
    assert "Throughput" in said
    assert "Latency p95" not in said
    assert "no signal @latency_ms; send latency_ms" in said
    assert "no signal @status; send status" in said


async def test_a_model_with_signals_has_every_measure(twin: Twin) -> None:
    """And nothing is said to be missing."""
    signals = (
        Column(name="@latency_ms", kind=Kind.NUMERIC, edges=(1.0,)),
        Column(name="@status", kind=Kind.CATEGORICAL, categories=("ok", "error")),
    )
    contract = msgspec.structs.replace(twin._contracts["departs-late"], signals=signals)
    said = await drawn(changed(twin, _contracts={"departs-late": contract}))
    for title in ("Latency p50", "Latency p95", "Latency p99", "Throughput", "Error rate", "Availability", "Burn rate of the error budget"):
        assert title in said
    assert "Not measured" not in said


async def test_use_is_told_by_version_role_and_caller(twin: Twin) -> None:
    """Of the window that is looked at; shares are of all its predictions."""
    said = await drawn(twin)
    assert "version 1 made 75" in said
    for who in ("version 1", "version 2", "role champion", "role shadow"):
        assert who in said
    assert "Callers are not known" in said
    evidence = pa.array(['{"callers": [{"caller": "web <1>", "n": 7, "share": 1.0}]}'])

    class Called(Twin):
        def evaluate(self, trial: Any) -> Any:
            table = super().evaluate(trial)
            return table.set_column(table.schema.get_field_index("evidence"), "evidence", evidence.take(pa.array([0] * len(table))))

    said = await drawn(Called())
    assert "caller web <1>" in said
    assert "Callers are not known" not in said


@pytest.mark.parametrize(
    ("left", "words"), [(0.25, "25.0 % of the errors that the objective 99.9 % allows in 30d are left"), (-0.5, "is missed: 150.0 %")]
)
async def test_what_is_left_of_the_error_budget_is_drawn(twin: Twin, left: float, words: str) -> None:
    """Of a monitor with an objective; without one the page says how to get it."""
    signals = (Column(name="@status", kind=Kind.CATEGORICAL, categories=("ok", "error")),)
    contract = {"departs-late": msgspec.structs.replace(twin._contracts["departs-late"], signals=signals)}
    assert "No objective" in await drawn(changed(twin, _contracts=contract))
    (held,) = [one for one in twin.monitors("departs-late") if one.measure == "performance.accuracy"][:1]
    of = msgspec.structs.replace(held, name="available", measure="service.availability", params={"objective": 0.999, "period": "30d"})
    table = twin._readings["departs-late", held.name]
    evidence = pa.array([json.dumps({"budget_left": left})] * len(table))
    table = table.set_column(table.schema.get_field_index("evidence"), "evidence", evidence)
    for name, one in (("monitor", of.name), ("measure", of.measure)):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array([one] * len(table), table[name].type))
    more = changed(
        twin,
        _contracts=contract,
        _monitors={**twin._monitors, "departs-late": [*twin.monitors("departs-late"), of]},
        _readings={**twin._readings, ("departs-late", of.name): table},
    )
    said = await drawn(more)
    assert words in said.replace("\u00a0", " ")
    assert "No objective" not in said
