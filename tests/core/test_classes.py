"""Which class a value means, whatever spelling it comes in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import text
from core.block import Categories
from core.classes import Classes, gathered, with_others

BINARY = Classes(("0", "1"), binary=True)
TRUE = ["1", "1.0", "1.00", "01", "+1", "1e0", "true", "True", "TRUE", True, 1, 1.0]


@pytest.mark.parametrize("value", TRUE)
def test_a_binary_models_one_has_many_spellings(value: Any) -> None:
    """Numbers that are 1 and the word true, typed or as texts."""
    assert BINARY.find(text.class_of(value, binary=True)) == "1"


@pytest.mark.parametrize("value", [0.73, "0.73", "yes", "2", "1_0", " 1", "١", "", "nan", "inf", "t", "1e99999999999999999999", "9" * 4000])  # noqa: RUF001
def test_what_is_no_class_is_none(value: Any) -> None:
    """Also what Python reads as a number and people do not."""
    one = text.class_of(value, binary=True)
    assert BINARY.find(one) is None
    assert BINARY.outside(Categories.of(["1", one, "null", "invalid"])).tolist() == [1]


def test_the_exact_text_goes_first_and_what_could_be_two_is_none() -> None:
    """1.1 and 1.10 are two classes of a multiclass model where both are there; true is no number there."""
    versions = Classes(("1.1", "1.10", "2", "true"), binary=False)
    found = {one: versions.find(one) for one in ("1.1", "1.10", "1.100", "2.0", "True", "1")}
    assert found == {"1.1": "1.1", "1.10": "1.10", "1.100": None, "2.0": "2", "True": "true", "1": None}
    assert Classes(("1.1", "2"), binary=False).find("1.10") == "1.1"
    assert [Classes(("False", "True"), binary=True).find(one) for one in ("1", "True", "0.0")] == ["True", "True", "False"]


def test_a_column_is_put_into_the_classes() -> None:
    """Spellings of one class become one text; outside the classes numbers and boolean words have their plain form, which is the same for all."""
    values = Categories.of(["1.0", "0", "1", "True", "2.0", "2", "yes", "null", "invalid"])
    found = BINARY.column(values)
    assert [found.texts[code] for code in found.codes] == ["1", "0", "1", "1", "2", "2", "yes", "null", "invalid"]
    plain = Categories.of(["1", "null"])
    assert BINARY.column(plain) is plain


def test_classes_of_a_file() -> None:
    """A binary model's texts of one meaning are one class; a multiclass model's are as many as there are texts, which typed values join."""
    assert gathered([(["True", "False"], True), (["1"], False), (["0.0"], True)], binary=True) == ("0", "1")
    assert gathered([(["1.1", "1.10", "null"], True)], binary=False) == ("1.1", "1.10")
    assert gathered([(["0", "1", "2"], False), (["0.0", "1.0"], True)], binary=False) == ("0", "1", "2")
    assert gathered([(["1.1"], False), (["1.1", "1.10"], True)], binary=False) == ("1.1", "1.10")
    assert with_others(("0", "1", "2"), ("0.0", "1.0", "2.0")) == ("0", "1", "2")
    assert with_others(("1.1",), ("1.1", "1.10")) == ("1.1", "1.10")
    assert with_others(("true", "x"), ("True", "y")) == ("true", "x", "y")


def test_columns_of_probabilities_are_found_by_class() -> None:
    """The exact text goes first, then the first column that means the class; what means none is left out."""
    names = ["proba_True", "proba_1", "x", "proba_0.0", "proba_false", "proba_2"]
    assert BINARY.columns(names, "proba_") == {"1": "proba_1", "0": "proba_0.0"}
    assert Classes(("a%2Cb",), binary=False).columns(["p_a,b"], "p_") == {"a%2Cb": "p_a,b"}


@given(st.lists(st.text(max_size=6) | st.sampled_from([str(one) for one in TRUE]), max_size=6), st.booleans(), st.text(max_size=6))
def test_a_class_means_itself_and_its_spellings_mean_it(names: list[str], binary: bool, value: str) -> None:
    """Whatever the classes are called; and naming twice is naming once."""
    known = Classes(dict.fromkeys(map(text.quote, names)), binary=binary)
    assert [known.find(one) for one in known.names] == list(known.names)
    assert all(known.find(other) == one for one in known.names for other in known.spellings(one))
    assert known.name(known.name(text.quote(value))) == known.name(text.quote(value))
