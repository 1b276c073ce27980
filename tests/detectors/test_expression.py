"""Expressions over columns: their values for whole columns equal those of one row at a time, and what is not allowed is refused with its place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import text
from core.block import Categories
from core.contract import Column, Contract, Kind, Task
from core.error import ConfigError
from detectors.user.expression import LONGEST, Rows, expression, key

CONTRACT = Contract(
    model="m",
    version=1,
    task=Task.BINARY,
    scored=True,
    classes=("0", "1"),
    features=(
        Column(name="amount", kind=Kind.NUMERIC),
        Column(name="hours-per-week", kind=Kind.NUMERIC),
        Column(name="note", kind=Kind.TEXT),
    ),
    tags=(Column(name="color", kind=Kind.CATEGORICAL, categories=("red", "blue")),),
)
NUMBERS = CONTRACT.__class__(model="m", version=1, task=Task.REGRESSION, features=CONTRACT.features)
_Row = Mapping[str, Any]


def columns(rows: list[_Row]) -> Rows:
    """Rows as an expression takes them; None is null."""
    found: dict[str, Any] = {name: Categories.of([text.of(row[name]) for row in rows]) for name in ("prediction", "label")}
    found |= {
        "score": np.array([row["score"] for row in rows], np.float64),
        key("color"): Categories.of([text.of(row["color"]) for row in rows]),
    }
    return found | {key(name): np.array([row[name] for row in rows], np.float64) for name in ("amount", "hours-per-week")}


_AMOUNTS = st.none() | st.sampled_from([0.0, 1.0, -2.5, 1e6, 3.0])
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "prediction": st.sampled_from([0, 1]),
            "label": st.sampled_from([0, 1]),
            "score": st.none() | st.floats(0, 1),
            "amount": _AMOUNTS,
            "hours-per-week": _AMOUNTS,
            "color": st.sampled_from([None, "red", "blue", "a=b"]),
        }
    ),
    min_size=1,
    max_size=6,
)

# An expression is drawn as its text together with what gives its value for one row, None where that is null.


def _binary(op: str, how: Any, left: Any, right: Any) -> Any:
    def of(row: _Row) -> Any:
        a, b = left[1](row), right[1](row)
        if a is None or b is None:
            return None
        found = how(float(a), float(b))
        return None if math.isnan(found) else found  # as a null, of which the least and the largest are null too

    return f"({left[0]} {op} {right[0]})", of


def _where(condition: Any, then: Any, other: Any) -> Any:
    def of(row: _Row) -> Any:
        held = condition[1](row)
        return None if held is None else then[1](row) if held else other[1](row)

    return f"where({condition[0]}, {then[0]}, {other[0]})", of


def _joined(op: str, left: Any, right: Any) -> Any:
    def of(row: _Row) -> Any:
        sides, decides = (left[1](row), right[1](row)), op == "or"
        return decides if any(one is not None and bool(one) == decides for one in sides) else None if None in sides else not decides

    return f"({left[0]} {op} {right[0]})", of


def _not(one: Any) -> Any:
    return f"(not {one[0]})", lambda row: None if (held := one[1](row)) is None else not held


def _same(name: str, value: Any, said: str, *, equal: bool) -> Any:
    return f"({name} {'==' if equal else '!='} {said})", lambda row: None if row[name] is None else (row[name] == value) is equal


_LEAVES = st.sampled_from(
    [
        ("amount", lambda row: row["amount"]),
        ('column("hours-per-week")', lambda row: row["hours-per-week"]),
        ("score", lambda row: row["score"]),
        ("2", lambda _: 2.0),
        ("0.5", lambda _: 0.5),
    ]
)
_TESTS = st.sampled_from(
    [
        _same("label", 1, "1", equal=True),
        _same("prediction", 0, '"0"', equal=False),
        _same("label", 1, "true", equal=True),
        _same("color", "red", '"red"', equal=True),
        _same("color", "a=b", "'a=b'", equal=False),
        ("isnull(color)", lambda row: row["color"] is None),
        ("isnull(amount)", lambda row: row["amount"] is None),
        ("(label == prediction)", lambda row: row["label"] == row["prediction"]),
    ]
)


def _power(a: float, b: float) -> float:
    """A power as IEEE 754 has it: infinite where it is too large, and no number where it is not real."""
    with np.errstate(all="ignore"):
        return float(np.power(a, b))


_ARITHMETIC = [("+", lambda a, b: a + b), ("-", lambda a, b: a - b), ("*", lambda a, b: a * b), ("**", _power)]
_COMPARED = [("<", lambda a, b: a < b), (">=", lambda a, b: a >= b), ("==", lambda a, b: a == b), ("!=", lambda a, b: a != b)]
_CALLS = [("min", min), ("max", max)]


def _number(draw: Any, depth: int) -> Any:
    """A number that is drawn with so many levels at most."""
    kind = draw(st.sampled_from(["leaf", "arithmetic", "call", "where"] if depth else ["leaf"]))
    if kind == "leaf":
        return draw(_LEAVES)
    first, second = _number(draw, depth - 1), _number(draw, depth - 1)
    if kind == "where":
        return _where(_truth(draw, depth - 1), first, second)
    if kind == "call":
        name, how = draw(st.sampled_from(_CALLS))
        return f"{name}({first[0]}, {second[0]})", _binary(",", how, first, second)[1]
    op, how = draw(st.sampled_from(_ARITHMETIC))
    return _binary(op, how, first, second)


def _truth(draw: Any, depth: int) -> Any:
    """A condition that is drawn so."""
    kind = draw(st.sampled_from(["leaf", "joined", "not", "compared"] if depth else ["leaf"]))
    if kind == "compared":
        op, how = draw(st.sampled_from(_COMPARED))
        return _binary(op, how, _number(draw, depth - 1), _number(draw, depth - 1))
    if kind == "joined":
        return _joined(draw(st.sampled_from(["and", "or"])), _truth(draw, depth - 1), _truth(draw, depth - 1))
    return draw(_TESTS) if kind == "leaf" else _not(_truth(draw, depth - 1))


@settings(max_examples=150)
@given(st.data(), _ROWS)
def test_the_value_of_columns_is_that_of_each_row(data: st.DataObject, rows: list[_Row]) -> None:
    """Nulls are followed as in logic of three values: a comparison with null is not known, and `or` is true if one side is."""
    written, of = _number(data.draw, 3)
    wanted = [math.nan if (one := of(row)) is None or not math.isfinite(one) else float(one) for row in rows]
    np.testing.assert_allclose(expression(written, CONTRACT).of(columns(rows), len(rows)), wanted, rtol=1e-12)


ROW = {"prediction": 0, "label": 1, "score": 0.25, "amount": 4.0, "hours-per-week": 40.0, "color": "red"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("where(label == 1 and prediction == 0, 100, 5)", 100),
        ("-amount ** 2 + 7 // 2 % 2", -15),
        ("0 < score < 0.5", 1),
        ("exp(log(amount)) / abs(-2)", 2),
        ("log(0)", None),
        ("min(amount, (0 - amount) ** 0.5)", None),
        ("exp(1000)", None),
        ("10 ** 9999999", None),
        ("amount / 0", None),
        ("amount\n + 1", 5),
        ("+1", 1),
        ("color == color", 1),
        ("not (color == 4)", 1),
        ("amount == '4'", 1),
        ("false", 0),
        ("log(0 - 1) ** 0", None),
        ("1 ** log(0 - 1)", None),
        ("0 < amount < 5 < 9", 1),
        ("'0' == prediction != label == 1", 1),
    ],
)
def test_what_an_expression_gives(written: str, value: float | None) -> None:
    """What is not finite is null; a number that is compared with a text is compared as a text."""
    (found,) = expression(written, CONTRACT).of(columns([ROW]), 1)
    assert (None if np.isnan(found) else found) == (value if value is None else pytest.approx(value))


def test_chains_in_chains_take_no_longer_than_other_levels() -> None:
    """The middle of each is evaluated once: twice would be 2^58 times in all."""
    written = "score"
    for _ in range(58):
        written = f"0<({written})<2"
    assert expression(written, CONTRACT).of(columns([ROW]), 1).tolist() == [1.0]


def test_an_invalid_value_of_no_rows_is_nothing() -> None:
    """There may be no rows."""
    assert len(expression("where(label == 1, 1, amount)", CONTRACT).of(columns([]), 0)) == 0


def test_the_columns_that_are_read_are_those_that_are_named() -> None:
    """Once each; outputs are always read."""
    assert expression('amount + amount * column("hours-per-week") + score', CONTRACT).columns == ("amount", "hours-per-week")


def test_numbers_of_a_regression_are_numbers() -> None:
    """Its predictions and labels can be reckoned with."""
    rows: Rows = {"prediction": np.array([1.0, 2.0]), "label": np.array([3.0, 0.5])}
    assert expression("abs(prediction - label)", NUMBERS).of(rows, 2).tolist() == [2.0, 1.5]


@pytest.mark.parametrize(
    ("written", "place", "said"),
    [
        ("lable == 1", 1, "did you mean `label`"),
        ("1 + amonut", 5, "did you mean `amount`"),
        ("label == 2", 10, "classes: 0, 1"),
        ("label < 1", 1, "`<` compares numbers, and one side is a class"),
        ("1 + label", 5, "a number is expected, and this is a class"),
        ("where(amount, 1, 2)", 7, "a condition is expected, and this is a number"),
        ("where(label == 1, 1)", 1, "`where` takes 3 arguments, and there are 2"),
        ("min(1)", 1, "takes 2 to 20"),
        ("abs(x=1)", 1, "without names"),
        ("max(*amount)", 1, "without names"),
        ("__import__('os')", 1, "there is no function `__import__`"),
        ("amount.real", 1, "`attribute` is not allowed"),
        ("1 + [x for x in amount]", 5, "`listcomp` is not allowed"),
        ("(lambda: 1)()", 1, "functions by name"),
        ("1 if amount else 2", 1, "`if else` is not allowed"),
        ("amount in (1, 2)", 1, "`in` is not allowed"),
        ("amount[0]", 1, "`subscript` is not allowed"),
        ("(amount := 1)", 2, "`:=` is not allowed"),
        ("f'{amount}'", 1, "is not allowed"),
        ("'é' == color + 1", 8, "a number is expected, and this is a text"),
        ("None", 1, "isnull"),
        ("b'x'", 1, "`bytes` is not allowed"),
        ("1j", 1, "`complex` is not allowed"),
        ("1e999", 1, "too large"),
        ("9" * 400, 1, "too large"),
        ("1 # + 2", 3, "a comment is not allowed"),
        ("amount; 1", 7, "invalid syntax"),
        ("note == 'a'", 1, "a text column"),
        ("column(amount)", 1, "one name in quotes"),
        ("column('hours')", 1, "columns: amount, hours-per-week"),
        ("'a'", 1, "of which there is no mean"),
        ("color == (amount > 1)", 1, "a condition is compared with a text"),
        ("not amount", 5, "a condition is expected"),
        ("-" * 100 + "1", 62, "more than 60 levels"),
        ("@amount", 1, "invalid syntax"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_place(written: str, place: int, said: str) -> None:
    """The column of the text, from 1, and what is allowed."""
    with pytest.raises(ConfigError) as error:
        expression(written, CONTRACT)
    assert str(error.value).startswith(f"column {place}, ")
    assert said in str(error.value)


@pytest.mark.parametrize(
    "written", ["", "  ", "x" * (LONGEST + 1), "(" * 1900, "a\x00", "\ud800", "1 +", "'", r"color == '\ud800'", r"column('\udfff') + 1"]
)
def test_what_cannot_be_read_is_refused(written: str) -> None:
    """Nothing else is raised, whatever is written."""
    with pytest.raises(ConfigError):
        expression(written, CONTRACT)


def test_a_score_is_there_for_a_binary_model_that_sends_one() -> None:
    """Else it is refused, and not null."""
    with pytest.raises(ConfigError, match="the model has no `score`"):
        expression("score", NUMBERS)
