"""GET /v1/models/{model}/compare."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from core import moment
from core.baseline.rows import Role, Version
from core.comparison import Comparison, ComparisonQuery
from tests.api.twin import Twin

START = moment.parse("2022-07-01T00:00:00Z")
ADDRESS = "/v1/models/taxi-fare/compare"
KNOWN = {"better": 0.01, "better_upper": 0.05, "needed": 9000}


def standing(monitor: str, segment: str = "all") -> Comparison:
    """What a comparison tells."""
    return Comparison(
        monitor=monitor, a=Version("1"), b=Role("shadow"), of="performance.mae", margin=0.5, segment=segment, window_start=START,
        window_end=START + moment.DAY, verdict="ready", reason=None, value=-0.2, lower=-0.3, upper=-0.1, baseline_value=2.0,
        n_target=900, n_baseline=800, evidence=KNOWN,
    )  # fmt: skip


async def test_comparisons_of_monitors_are_listed(http: httpx.AsyncClient, twin: Twin) -> None:
    """With their sides as they are written, and what is known so far; `monitor` and `segment` select."""
    twin.standings = [standing("x"), standing("x", "borough=Queens"), standing("y")]
    found: dict[str, Any] = (await http.get(ADDRESS)).json()
    assert [(one["monitor"], one["segment"]) for one in found["items"]] == [("x", "all"), ("x", "borough=Queens"), ("y", "all")]
    first = found["items"][0]
    assert (first["a"], first["b"], first["of"]) == ({"version": "1"}, {"role": "shadow"}, "performance.mae")
    assert {name: first[name] for name in KNOWN} == KNOWN
    assert (first["window_start"], first["days_left"]) == ("2022-07-01T00:00:00Z", None)
    chosen = (await http.get(ADDRESS, params={"monitor": "x", "segment": "all"})).json()
    assert len(chosen["items"]) == 1


async def test_any_two_sides_can_be_asked_for(http: httpx.AsyncClient, twin: Twin) -> None:
    """They are compared now; no monitor is named."""
    twin.standings = [standing("")]
    asked = {"a": "version:1", "b": "role:shadow", "of": "performance.mae", "margin": "0.5", "from": "2022-07-01T00:00:00Z"}
    answer = await http.get(ADDRESS, params=asked)
    assert (answer.status_code, answer.json()["items"][0]["monitor"]) == (200, None)
    assert twin.comparing == [
        ComparisonQuery(model="taxi-fare", a=Version("1"), b=Role("shadow"), of="performance.mae", margin=0.5, start=START)
    ]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"a": "version:1", "of": "performance.mae"}, 400),
        ({"a": "version:1", "b": "2", "of": "performance.mae"}, 400),
        ({"a": "version:1", "b": "version:2"}, 400),
        ({"a": "version:1", "b": "version:2", "of": "performance.mae", "margin": "few"}, 400),
        ({"of": "performance.mae"}, 400),
        ({"c": "version:1"}, 400),
    ],
)
async def test_what_is_wrong_is_told(http: httpx.AsyncClient, params: dict[str, str], status: int) -> None:
    """With a remedy; of an unknown model, too."""
    answer = await http.get(ADDRESS, params=params)
    assert (answer.status_code, bool(answer.json()["remedy"])) == (status, True)
    assert (await http.get("/v1/models/nobody/compare")).status_code == 404
