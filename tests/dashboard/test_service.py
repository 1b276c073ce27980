"""The page Service: what it shows of a model, and what it says of signals that the contract does not have."""

from __future__ import annotations

from typing import Any

import msgspec
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
