"""The page Fairness: what it says of a gap, of its groups, and of a model without protected attributes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from core.contract import Dimension
from core.monitor import Monitor
from core.trial import Trial
from dashboard.pages.fairness import _MEANS
from dashboard.route import page
from tests.dashboard.test_page import figures, text
from tests.dashboard.test_texts import changed
from tests.dashboard.twin import Twin

PAGE = "/ui/models/departs-late/fairness"
MEASURE = "fairness.demographic_parity_difference"
_GROUP = {"value": 0.31, "lower": 0.29, "upper": 0.33, "suppressed": False}
_EVIDENCE: dict[str, Any] = {
    "answer": "a gap",
    "pair": ["carrier=UA", "carrier=AA"],
    "evident": ["carrier=UA", "carrier=AA"],
    "four_fifths": {"ratio": 0.7, "met": False, "certain": True},
    "groups": [
        {"group": "carrier=AA", "n": 2000, **_GROUP},
        {"group": "carrier=OO", "n": 7, "value": None, "lower": None, "upper": None, "suppressed": True},
        {"group": "carrier=UA", "n": 3000, **_GROUP},
    ],
}


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


def fair(twin: Twin, *, protected: bool = True) -> Twin:
    """A model whose carriers are compared by a monitor."""
    contract, other = (
        twin._contracts["departs-late"],
        next(one for one in twin.monitors("departs-late") if one.measure.startswith("performance.")),
    )
    monitor = Monitor(
        name="fair", model="departs-late", measure=MEASURE, attributes=("carrier",) if protected else (), params={"min_group": 30}
    )
    table = twin._readings["departs-late", other.name]
    table = table.filter(pc.equal(table["segment"], "all"))
    for name, value in {"monitor": "fair", "measure": MEASURE, "column": "carrier", "evidence": json.dumps(_EVIDENCE)}.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array([value] * len(table)))
    dimensions = (Dimension(name="carrier", values=("UA", "AA", "OO"), protected=protected),)
    return changed(
        twin,
        _contracts={"departs-late": msgspec.structs.replace(contract, dimensions=dimensions)},
        _monitors={"departs-late": [monitor] if protected else []},
        _readings={("departs-late", "fair"): table},
    )


async def drawn(reader: Any, search: str = "") -> str:
    """A page as text."""
    return text(await page(reader, PAGE, search))


async def test_one_sentence_says_what_a_gap_means_and_a_table_has_its_groups(twin: Twin) -> None:
    """Which two make it, how sure it is, the four-fifths rule, and which group is suppressed."""
    said = await drawn(fair(twin))
    assert "between carrier=UA and carrier=AA. There is a gap: chance alone does not explain it." in said
    assert "The four-fifths rule is broken without doubt: the ratio is 0.7" in said
    assert "suppressed: too few rows, or 0/0" in said
    assert said.count("makes the gap") == 2
    assert "Groups with fewer than 30 rows are suppressed" in said


async def test_groups_are_drawn_over_time_with_their_rows(twin: Twin) -> None:
    """A line and its rows a group; a group that is suppressed has no line, and its rows all the same."""
    found = await page(fair(twin), PAGE, "")
    (chart,) = [one for one in figures(json.loads(text(found))) if any(trace.get("legendgroup") for trace in one["data"])]
    names = {trace["name"] for trace in chart["data"]}
    assert names == {"carrier=AA", "carrier=OO", "carrier=UA"}
    values = {trace["name"]: set(trace["y"]) for trace in chart["data"] if trace.get("yaxis") != "y2"}
    assert values == {"carrier=AA": {0.31}, "carrier=OO": {None}, "carrier=UA": {0.31}}
    rows = {trace["name"]: set(trace["y"]) for trace in chart["data"] if trace.get("yaxis") == "y2"}
    assert rows == {"carrier=AA": {2000}, "carrier=OO": {7}, "carrier=UA": {3000}}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("a gap", "There is a gap: chance alone does not explain it."),
        ("no gap found", "No gap that matters was found, and these rows would have shown one."),
        ("too few to say", "These rows are too few to say whether there is a gap."),
    ],
)
async def test_three_answers_are_three_sentences(twin: Twin, answer: str, said: str) -> None:
    """And only one of them is there."""
    reader = fair(twin)
    table = reader._readings["departs-late", "fair"]
    told = json.dumps({**_EVIDENCE, "answer": answer})
    reader._readings["departs-late", "fair"] = table.set_column(
        table.schema.get_field_index("evidence"), "evidence", pa.array([told] * len(table))
    )
    shown = await drawn(reader)
    assert said in shown
    assert [one in shown for one in _MEANS.values()].count(True) == 1


async def test_a_measure_that_no_monitor_takes_is_computed_for_the_attribute(twin: Twin) -> None:
    """As on the other pages: without thresholds, and nothing is stored."""
    asked = list[Trial]()

    class Evaluating(Twin):
        def evaluate(self, trial: Trial) -> pa.Table:
            asked.append(trial)
            return self._readings["departs-late", "fair"]

    reader = fair(twin)
    reader.__class__ = Evaluating
    said = await drawn(reader, "?measure=fairness.accuracy_parity&by=carrier")
    assert "computed now, not stored, no alarms" in said
    assert (asked[0].monitor["attributes"], asked[0].monitor.get("columns")) == (["carrier"], None)


async def test_a_model_without_protected_attributes_is_told_how_to_name_them(twin: Twin) -> None:
    """In place of an empty chart."""
    assert "No protected attribute" in await drawn(fair(twin, protected=False))
