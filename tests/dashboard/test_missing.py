"""Whatever a reading has in place of a value is drawn as that: hatched, with its word or its reason, and never as a zero or as OK."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from core.reading import Verdict
from dashboard.route import page
from dashboard.texts import VERDICTS
from tests.dashboard.test_page import figures, text
from tests.dashboard.twin import Twin

MODEL = "departs-late"
NEWEST = f"/ui/models/{MODEL}/performance"
MISSING = [Verdict.NODATA, Verdict.INSUFFICIENT, Verdict.IMMATURE, Verdict.NOT_ESTIMABLE, Verdict.ASSUMPTIONS_BROKEN]


def without(verdict: str, reason: str | None) -> Twin:
    """A reader whose accuracy has this in place of its value, in every window of all traffic."""
    twin = Twin()
    table = twin._readings[MODEL, "accuracy"]
    mine = pc.equal(table["segment"], "all")
    given: dict[str, pa.Scalar] = {
        "value": pa.scalar(None, pa.float64()),
        "lower": pa.scalar(None, pa.float64()),
        "upper": pa.scalar(None, pa.float64()),
        "verdict": pa.scalar(verdict),
        "reason": pa.scalar(reason, pa.string()),
    }
    for name, scalar in given.items():
        held = table[name].cast(scalar.type)
        table = table.set_column(table.schema.get_field_index(name), name, pc.if_else(mine, scalar, held))
    twin._readings[MODEL, "accuracy"] = table
    return twin


@pytest.mark.parametrize("verdict", MISSING)
@pytest.mark.parametrize("reason", [None, "because of this"])
async def test_each_is_hatched_and_said(verdict: str, reason: str | None) -> None:
    """In the chart of the measure: no point, and where one points at it its reason, without one its word."""
    drawn = json.loads(text(await page(without(verdict, reason), NEWEST, "?measure=performance.accuracy&monitor=accuracy&range=30d")))
    over = next(one for one in figures(drawn) if any(trace.get("name") == "No value" for trace in one["data"]))
    traces = {trace.get("name"): trace for trace in over["data"]}
    said = reason or VERDICTS[verdict][1].lower()
    assert {words for _, words in traces["No value"]["customdata"]} == {said}
    assert len(traces["No value"]["x"]) == 30
    assert not any(value is not None for value in traces.get("Accuracy", {"y": []})["y"])


@pytest.mark.parametrize("verdict", MISSING)
async def test_each_has_an_icon_and_a_word_of_its_own(verdict: str) -> None:
    """On the page of the model; of two kinds of missing none has the words of another."""
    shown = text(await page(without(verdict, None), f"/ui/models/{MODEL}", "?measure=performance.accuracy&monitor=accuracy"))
    assert VERDICTS[verdict][1] in shown
    assert len({words for _, words in VERDICTS.values()}) == len(VERDICTS)
