"""User measures, from what people write to readings of labelled rows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from scipy import stats

from core import moment
from core.baseline.previous import Previous
from core.block import Categories
from core.contract import Column, Kind
from core.error import ConfigError
from core.monitor import Monitor
from core.monitor_document import document
from core.span import Spans
from detectors import labelled_rows
from detectors.catalogue import MEASURES, known, spec
from detectors.user.expression import expression
from monitors.evaluation.evaluate import Evaluate
from monitors.evidence import labelled_rows as reader
from monitors.evidence.extent import Extent
from monitors.evidence.reads import Scope
from monitors.model import Model
from tests.monitors.outcomes import Store, binary, numbers, readings, value
from tests.monitors.test_grammar import read

COST = "where(label == 1 and prediction == 0, 100, amount)"


def store(rows: int = 40) -> Store:
    """Rows of two hours with an amount, of which every fifth is null."""
    rng = np.random.default_rng(3)
    predicted, labels = ([str(one) for one in rng.integers(0, 2, rows)] for _ in "ab")
    made = binary(predicted, labels, hour=np.arange(rows) % 2)
    amount = np.where(np.arange(rows) % 5 == 0, np.nan, rng.normal(10, 3, rows))
    contract = msgspec.structs.replace(made.contract, features=(Column(name="amount", kind=Kind.NUMERIC),))
    return Store(contract, replace(made.rows, columns={"amount": amount}))


def amounts(rows: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What the expression gives, row by row."""
    label, prediction = ([one.texts[code] for code in one.codes] for one in (rows.label, rows.prediction))
    each = zip(label, prediction, rows.columns["amount"], strict=True)
    return np.array([100.0 if (true, said) == ("1", "0") else amount for true, said, amount in each])


def test_a_reading_is_the_mean_over_rows_that_have_a_value() -> None:
    """With Student's interval; rows without a value are counted, and n is that of all labelled rows."""
    made = store()
    for hour, reading in enumerate(readings(made, "user.cost", {"expression": COST}, hours=2)):
        wanted = amounts(made.rows)[hour::2]
        held = wanted[~np.isnan(wanted)]
        assert reading.value == pytest.approx(held.mean(), rel=1e-12)
        bounds = stats.t.interval(0.95, len(held) - 1, held.mean(), stats.sem(held))
        assert (reading.lower, reading.upper) == pytest.approx(bounds, rel=1e-9)
        assert (reading.n_target, reading.params["better"]) == (20, "less")
        assert (reading.evidence["measured"], reading.evidence["left_out"]) == (len(held), 20 - len(held))


def test_a_baseline_of_the_stream_is_read_in_the_same_way() -> None:
    """The window before."""
    made = store()
    first, second = readings(made, "user.cost", {"expression": COST}, 2, Previous(1))
    assert first.baseline_value is None
    assert second.baseline_value == pytest.approx(np.nanmean(amounts(made.rows)[::2]), rel=1e-12)
    assert second.evidence["p"] == pytest.approx(
        stats.ttest_ind(*(one[~np.isnan(one)] for one in (amounts(made.rows)[1::2], amounts(made.rows)[::2])), equal_var=False).pvalue,
        rel=0.1,
    )


def test_a_window_without_any_value_says_so() -> None:
    """There are labelled rows, and the expression is null in all of them."""
    assert np.isnan(value(numbers(np.zeros(3), np.ones(3)), "user.gain", {"expression": "log(prediction) + 0"}))
    (reading,) = readings(numbers(np.zeros(3), np.ones(3)), "user.gain", {"expression": "log(prediction) + 0"})
    assert reading.reason == "the expression is null or not finite in all labelled rows"
    assert (reading.n_target, reading.verdict) == (3, "not_estimable")


def test_a_regression_counts_the_rows_that_panes_count() -> None:
    """Those whose prediction and label are numbers."""
    made = numbers(np.array([1.0, 2.0, 5.0]), np.array([0.0, np.nan, 1.0]))
    (reading,) = readings(made, "user.gain", {"expression": "abs(prediction - label)", "better": "more"})
    assert (reading.value, reading.n_target) == (2.5, 2)


def test_a_window_of_too_many_rows_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not read; it says how many are."""
    monkeypatch.setattr(reader, "MOST", 19)
    assert labelled_rows.MOST == 500_000
    (reading, _) = readings(store(), "user.cost", {"expression": COST}, hours=2)
    assert reading.value is None
    assert "more than 500,000 labelled rows" in (reading.reason or "")


def test_raw_events_that_are_gone_are_told() -> None:
    """Panes count more rows than there are."""

    class Gone(Store):
        def outcomes(self, *args: Any, **more: Any) -> Any:
            return super().outcomes(*args, **more).take(np.arange(2))

    made = store()
    (reading, _) = readings(Gone(made.contract, made.rows), "user.cost", {"expression": COST}, hours=2)
    assert (reading.value, reading.reason) == (None, "raw events of the window are not there any more")


def test_the_order_of_rows_changes_no_sum() -> None:
    """A JOIN gives them in any: the values are the same to the last digit."""
    made, order = store(400), np.random.default_rng(5).permutation(400)
    one, other = (
        readings(Store(made.contract, rows), "user.cost", {"expression": COST}, hours=2) for rows in (made.rows, made.rows.take(order))
    )
    assert [(found.value, found.lower) for found in one] == [(found.value, found.lower) for found in other]


def test_rows_of_windows_that_overlap_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their sums are made of those of cells; at most about so many rows are held at a time."""
    monkeypatch.setattr(reader, "MOST", 40)
    made, slots = store(), list[int]()

    class Counted(Store):
        def outcomes(self, *args: Any, **more: Any) -> Any:
            slots.extend(args[2].tolist())
            return super().outcomes(*args, **more)

    counted = Counted(made.contract, made.rows)
    scope = Scope(Model(made.contract, None), ("all",), ("",), ())
    reads = Evaluate(*(cast("Any", counted),) * 2, cast("Any", None), lambda _model, _version: made.contract).reads(scope)
    spans = Spans.of([(0, moment.HOUR), (0, 2 * moment.HOUR), (moment.HOUR, 2 * moment.HOUR)])
    (found,) = reader.read(reads, Extent.of(spans), "", [[spans]])
    sums = found.sums(expression(COST, made.contract))
    for place, wanted in enumerate((amounts(made.rows)[::2], amounts(made.rows), amounts(made.rows)[1::2])):
        kept = wanted[~np.isnan(wanted)]
        got = [float(one[place, 0]) for one in sums]
        assert got == pytest.approx([len(wanted), len(kept), kept.sum(), ((kept - kept.mean()) ** 2).sum()], rel=1e-12)
    assert sorted(slots) == [0, moment.HOUR]


def test_sums_without_a_part_are_those_of_the_others() -> None:
    """Counts, sums and squares about the mean."""
    values, part = np.random.default_rng(1).normal(1e6, 1, 50), np.arange(20)

    def sums(some: Any) -> labelled_rows.RowSums:
        return labelled_rows.RowSums(*(np.array([one]) for one in (len(some), len(some), some.sum(), ((some - some.mean()) ** 2).sum())))

    rest = sums(values).without(sums(values[part]))
    assert rest.centred[0] == pytest.approx(((values[20:] - values[20:].mean()) ** 2).sum(), rel=1e-6)
    assert (rest.rows[0], rest.amounts[0], rest.total[0]) == pytest.approx((30, 30, values[20:].sum()))


def test_an_expression_is_a_field_and_kept_as_a_param() -> None:
    """What the API answers can be applied again."""
    (found,) = read('{monitor: a, model: delay, measure: user.cost, expression: "where(label == 1, 2, 3)", warn: {above: 4}}').monitors
    assert found.params == {"expression": "where(label == 1, 2, 3)", "better": "less"}
    given = document(found)
    assert given["expression"] == "where(label == 1, 2, 3)"
    again = read(
        f'{{monitor: a, model: delay, measure: user.cost, params: {given["params"]}, expression: "{given["expression"]}"}}'.replace(
            "'", '"'
        )
    )
    assert again.monitors[0].params == found.params


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("measure: user.cost", "`expression`: the expression is missing (write for example"),
        ("measure: user.cost, expression: 'label = 1'", "`expression`: column 7, at `= 1`: invalid syntax"),
        ("measure: user.cost, expression: 'lable == 1'", "`expression`: column 1, at `lable == 1`: there is no column `lable`"),
        ("measure: user.cost, expression: [1]", "is no expression"),
        ("measure: user.cost, expression: '1', params: {expression: '2'}", "`params.expression` says something else"),
        ("measure: user.cost, expression: '1', params: {better: most}", "`params.better`"),
        ("measure: user.cost, expression: '1', params: {threshold: 1}", "takes no `params.threshold`"),
        ("measure: user.cost, expression: '1', columns: [hour]", "is computed for the whole model"),
        ("measure: user.cost, expression: '1', warn: 3", "without a baseline needs a side"),
        ("measure: performance.f1, expression: '1'", "only a user measure takes an expression"),
        ("measure: 'user.', expression: '1'", "is no name of a user measure"),
        ("measure: 'user.*', expression: '1'", "is no name of a user measure"),
        ("measure: 'user.a b', expression: '1'", "is no name of a user measure"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(written: str, told: str) -> None:
    """As any other field, with line and monitor."""
    with pytest.raises(ConfigError, match=re.escape(told)):
        read(f"{{monitor: a, model: delay, {written}}}")


def test_a_user_measure_is_known_by_any_name() -> None:
    """In the catalogue and to pages and alerts; its good direction comes from its params."""
    assert spec("user.cost").about == known("user.cost").about == MEASURES["user.cost"]  # type: ignore[union-attr]
    about = MEASURES["user.net-gain"]
    assert (about.title, about.family, about.better, about.directed({"better": "more"}).better) == ("net-gain", "user", -1, 1)
    assert known("user.no name") is None
    assert Monitor(name="a", model="m", measure="user.cost").measure not in MEASURES


def test_classes_count_as_what_they_mean() -> None:
    """A label that was written `1.0` is the class 1."""
    made = binary(["0", "1"], ["1", "1"])
    rows = replace(made.rows, label=Categories.of(["1.0", "true"]))
    assert value(Store(made.contract, rows), "user.hits", {"expression": "label == 1"}) == 1
