"""GET /v1/ranking: the readings of one window, ranked by evidence."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pyarrow as pa
import pytest

from core import moment
from tests.api.twin import READING, Twin

RUN = "/v1/ranking?model=taxi-fare&monitor=fare-drift"
START = READING["window_start"]


def reading(column: str, segment: str, p: float | None, value: float = 0.3, verdict: str = "ok") -> dict[str, Any]:
    return READING | {
        "column": column,
        "segment": segment,
        "value": value,
        "verdict": verdict,
        "evidence": json.dumps({} if p is None else {"p": p}),
    }


@pytest.fixture(autouse=True)
def run(twin: Twin) -> None:
    """Five readings of one window: of three that are tested one is rare; one has too few rows, and one no p-value."""
    rows = [
        reading("tip", "all", 0.5),
        reading("fare", "all", 0.01),
        reading("fare", "borough=Queens", 0.001, verdict="insufficient"),
        reading("salary", "borough=Queens", 0.5, value=0.4),
        reading("note", "all", None),
    ]
    twin.table = pa.Table.from_pylist(rows)


async def test_the_smallest_q_is_first_and_too_few_rows_are_last(http: httpx.AsyncClient, twin: Twin) -> None:
    """The number of tests is that of readings with rows enough; of equal evidence the larger effect is first."""
    found: dict[str, Any] = (await http.get(f"{RUN}&window=2022-07-01T00:00:00Z")).json()
    assert [(one["column"], one["q"]) for one in found["items"]] == [
        ("fare", 0.03),
        ("salary", 0.5),
        ("tip", 0.5),
        ("note", None),
        ("fare", None),
    ]
    assert (found["tests"], found["procedure"], found["window_start"]) == (3, "benjamini-hochberg", "2022-07-01T00:00:00Z")
    asked = twin.queries[-1]
    assert (asked.start, asked.end, asked.segment) == (moment.parse("2022-07-01T00:00:00Z"), asked.start and asked.start + 1, None)


async def test_without_a_window_it_is_the_newest(http: httpx.AsyncClient, twin: Twin) -> None:
    """A `segment` leaves q as it is; Yekutieli's procedure is the stricter one."""
    found = (await http.get(f"{RUN}&segment=borough&limit=1")).json()
    assert twin.queries[-1].start == START
    assert [(one["column"], one["segment"], one["q"]) for one in found["items"]] == [("salary", "borough=Queens", 0.5)]
    strict = (await http.get(f"{RUN}&procedure=benjamini-yekutieli")).json()
    assert strict["items"][0]["q"] == pytest.approx(0.01 * 3 * (1 + 1 / 2 + 1 / 3))


@pytest.mark.parametrize(
    ("asked", "status"),
    [("/v1/ranking", 404), (f"{RUN}x", 404), (f"{RUN}&procedure=bonferroni", 400), (f"{RUN}&window=soon", 400), (f"{RUN}&limit=0", 400)],
)
async def test_what_cannot_be_ranked_is_told(asked: str, status: int, http: httpx.AsyncClient) -> None:
    """With a remedy."""
    answer = await http.get(asked)
    assert (answer.status_code, bool(answer.json()["remedy"])) == (status, True)
