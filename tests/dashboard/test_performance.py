"""The page Performance: its picture over time, the confusion matrix, and what it says where there is nothing."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Task
from core.error import Retryable
from core.monitor import Monitor
from core.trial import Trial
from dashboard.pages.confusion import REST, Matrix
from dashboard.pages.performance import measures_of
from dashboard.ports import LabelledRows, SegmentErrors
from dashboard.route import page
from dashboard.view_model import view
from tests.dashboard.test_page import Asked, figures, text
from tests.dashboard.test_texts import changed
from tests.dashboard.twin import Twin

PAGE = "/ui/models/departs-late/performance"


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


async def drawn(reader: Any, search: str = "", address: str = PAGE) -> str:
    """A page as text."""
    return text(await page(reader, address, search))


async def test_the_matrix_is_of_the_selected_window_segment_and_version(twin: Twin) -> None:
    """One question for it, of the window that the chart shows."""
    asked = list[tuple[Any, ...]]()

    class Labelled(Twin):
        def labelled(self, *given: Any) -> LabelledRows:
            asked.append(given)
            return LabelledRows(30, {("1", "1"): 10, ("0", "1"): 12, ("0", "0"): 8}, {})

    reader = changed(twin)
    reader.__class__ = Labelled
    said = await drawn(reader, "?window=2013-07-08T00:00:00Z&segment=carrier%3DUA")
    assert asked == [("departs-late", "carrier=UA", None, 1_373_241_600_000_000, 1_373_328_000_000_000)]
    assert "18 of 30 labelled rows (60.0 %) were predicted right; most often class 1 was taken for class 0: 12 of its 22 rows." in said


async def test_an_estimate_stands_beside_what_labels_give(twin: Twin) -> None:
    """In the same windows, with its interval, in the picture and as a number; it is computed where no monitor takes it."""
    asked = list[Trial]()

    class Evaluating(Twin):
        def evaluate(self, trial: Trial) -> pa.Table:
            asked.append(trial)
            table = self._readings["departs-late", "accuracy"].filter(
                pc.equal(self._readings["departs-late", "accuracy"]["segment"], "all")
            )
            for name, value in {"value": 0.8, "lower": 0.77, "upper": 0.83}.items():
                table = table.set_column(table.schema.get_field_index(name), name, pa.array([value] * len(table)))
            return table

    reader = changed(twin)
    reader.__class__ = Evaluating
    drawn_page = await page(reader, PAGE, "")
    said = text(drawn_page)
    lines = [trace.get("name") for figure in figures(json.loads(said)) for trace in figure["data"]]
    assert [trial.monitor["measure"] for trial in asked] == ["performance.estimated_accuracy"]
    assert "Estimated accuracy" in lines
    assert "95 %: 0.77 to 0.83; the same window" in said


async def test_what_labels_give_is_there_without_its_estimate(twin: Twin) -> None:
    """An estimate cannot be computed while the reference is being stored."""

    def fail(_trial: Trial) -> pa.Table:
        raise Retryable("the reference is being stored")

    said = await drawn(changed(twin, evaluate=fail), "?measure=performance.accuracy&monitor=accuracy")
    assert "Cannot be computed" not in said
    assert "the same window" not in said
    assert figures(json.loads(said))


async def test_an_estimate_is_of_the_same_measure(twin: Twin) -> None:
    """Not of one at another threshold."""
    monitors = [msgspec.structs.replace(one, params={"threshold": 0.3}) for one in twin.monitors("departs-late")]
    said = await drawn(changed(twin, _monitors={"departs-late": monitors}), "?measure=performance.accuracy")
    assert "Estimated accuracy," not in said
    assert '"name": "Estimated accuracy"' not in said


async def test_watched_measures_come_first_and_estimates_after_what_labels_give(twin: Twin) -> None:
    """The first is shown."""
    found = await view(twin, "departs-late")
    assert found is not None
    names = measures_of(found)
    assert names[:3] == ["performance.accuracy", "performance.f1", "performance.roc_auc"]
    assert names[-3:] == ["performance.estimated_accuracy", "performance.estimated_f1", "performance.estimated_roc_auc"]
    assert "performance.mae" not in names


async def test_rows_without_a_label_are_hatched(twin: Twin) -> None:
    """Below the line, behind the labelled ones."""
    (bars, labelled) = [
        trace for figure in figures(json.loads(await drawn(twin))) for trace in figure["data"] if trace.get("yaxis") == "y2"
    ]
    assert bars["marker"]["pattern"]["shape"] == "/"
    assert "pattern" not in labelled["marker"]
    assert all(n <= all_of for n, all_of in zip(labelled["y"], bars["y"], strict=True))


async def test_each_thing_that_is_missing_is_said_with_what_to_do(twin: Twin) -> None:
    """No label, no event, a measure that cannot be computed, no such model."""

    class Unlabelled(Twin):
        def labelled(self, *_: Any) -> LabelledRows:
            return LabelledRows(0, {}, {})

    reader = changed(twin)
    reader.__class__ = Unlabelled
    assert "choose an earlier window" in await drawn(reader)
    assert "watchkeeper replay" in await drawn(twin, address="/ui/models/%3Cscript%3Ealert(1)%3C%2Fscript%3E/performance")
    none = changed(twin, computes=False)
    assert "Cannot be computed" in await drawn(none, "?measure=performance.brier")
    assert "There is no model nothing" in await drawn(twin, address="/ui/models/nothing/performance")


async def test_a_part_that_fails_leaves_the_others() -> None:
    """The picture over time is there without the matrix."""
    broken = Twin()
    broken.failing.add("labelled")
    said = await drawn(broken)
    assert "could not be drawn" in said
    assert '"id": "measure"' in said


async def test_errors_of_a_regression_by_segment(twin: Twin) -> None:
    """Where they are largest and where on one side; by the dimension that is chosen; without a label it says what to do."""
    address = "/ui/models/arrival-delay/performance"
    said = await drawn(twin, "?by=origin&window=2013-07-08T00:00:00Z", address)
    assert "Errors are largest for LGA, 19 on average; EWR is predicted too high by 9 on average, the furthest to one side." in said
    assert "Errors by carrier" in await drawn(twin, "?by=carrier", address)

    class Unlabelled(Twin):
        def errors(self, *_: Any) -> list[SegmentErrors]:
            return []

    reader = changed(twin)
    reader.__class__ = Unlabelled
    assert "No prediction of this window has a label yet" in await drawn(reader, "", address)


async def test_the_page_asks_only_for_what_it_draws(twin: Twin) -> None:
    """A year: the readings of one segment and of one grouping, one estimate, one window of labelled rows."""
    asked = Asked(twin)
    await page(asked, PAGE, "?range=365d&by=carrier")
    assert asked.rows <= 365 * (1 + 16) + 40
    assert (asked.calls["readings"], asked.calls["evaluate"], asked.calls["labelled"]) == (2, 1, 1)
    assert asked.calls.total() <= 13


NAMES = st.sampled_from([f"c{place}" for place in range(14)])


@given(st.dictionaries(st.tuples(NAMES, NAMES), st.integers(1, 9), max_size=60), st.integers(0, 14))
def test_a_matrix_holds_every_row_whatever_is_pooled(cells: dict[tuple[str, str], int], known: int) -> None:
    """The largest classes stand alone, the contract's in its order; nothing is lost, and the diagonal is what is known to be right."""
    classes = tuple(f"c{place}" for place in range(known))
    matrix = Matrix.of(cells, classes, most=5)
    assert len(matrix.classes) <= 6
    assert sum(map(sum, matrix.counts)) == sum(cells.values())
    alone = [name for name in matrix.classes if name != REST]
    assert matrix.right == sum(n for (said, true), n in cells.items() if said == true and said in alone)
    for (said, true), n in cells.items():
        if said in alone and true in alone:
            assert matrix.counts[alone.index(true)][alone.index(said)] == n
    assert [name for name in alone if name in classes] == [name for name in classes if name in alone]
    rows = {name: sum(n for pair, n in cells.items() if name in pair) for name in {*classes, *(one for pair in cells for one in pair)}}
    assert min((rows[name] for name in alone), default=0) >= max((rows[name] for name in rows if name not in alone), default=0)


async def test_a_model_of_many_classes_shows_the_largest(twin: Twin) -> None:
    """And says how many are pooled."""

    class Many(Twin):
        def labelled(self, *_: Any) -> LabelledRows:
            cells = {(f"k{place}", f"k{place + step}"): 100 - place for place in range(50) for step in (0, 1)}
            return LabelledRows(sum(cells.values()), cells, {})

    reader = changed(twin)
    reader.__class__ = Many
    contract = msgspec.structs.replace(twin._contracts["departs-late"], task=Task.MULTICLASS, classes=tuple(f"k{n}" for n in range(50)))
    watched = [Monitor(name="accuracy", model="departs-late", measure="performance.accuracy")]
    said = await drawn(changed(reader, _contracts={"departs-late": contract}, _monitors={"departs-late": watched}))
    assert "8 classes with most rows; 43 more are pooled, right or wrong." in said
    assert said.count('"className": "shade') == 81


async def test_errors_stand_against_predictions(twin: Twin) -> None:
    """By tenth of the predictions, with the side to which they err; too many rows are not read, and the card says so."""
    address = "/ui/models/arrival-delay/performance"
    said = await drawn(twin, "?segment=carrier%3DUA", address)
    assert "Errors by prediction" in said
    assert "90 to 99" in said
    assert "too high by 5 on average" in said

    class Large(Twin):
        def residuals(self, *_: Any) -> None:
            """Too many."""

    large = changed(twin)
    large.__class__ = Large
    assert "more than 200,000 labelled rows" in await drawn(large, "", address)


async def test_user_measures_of_monitors_are_measures_of_the_page(twin: Twin) -> None:
    """A monitor's expression stands beside the measures that all models have."""
    cost = Monitor(name="cost", model="departs-late", measure="user.cost", params={"expression": "where(label == 1, 1, 0)"})
    reader = changed(twin, _monitors={"departs-late": [*twin.monitors("departs-late"), cost]})
    shown = await view(reader, "departs-late")
    assert shown is not None
    assert "user.cost" in measures_of(shown)
    assert "cost" in await drawn(reader, "?measure=user.cost&monitor=cost")
