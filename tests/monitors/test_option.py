"""Options from their texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.error import ConfigError
from monitors.reference.option import Options, split
from watchkeeper.client import _listed


@given(st.lists(st.text(min_size=1), min_size=1))
def test_every_list_of_names_can_be_written(names: list[str]) -> None:
    """What the client makes of a list is read as that list, whatever the names hold."""
    assert split(",".join(map(_listed, names))) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b", ("a", "b")),
        (" a , b ,", ("a", "b")),
        ('"a,b",c', ("a,b", "c")),
        ('a"b', ('a"b',)),
        ("", ()),
        ("a,a", ("a",)),
        ('" a"', (" a",)),
    ],
)
def test_lists_of_names(text: str, names: tuple[str, ...]) -> None:
    """Commas between, spaces around left out, quotes as in CSV, each name once."""
    assert Options.of({"task": "binary", "exclude": text}).exclude == names


@pytest.mark.parametrize("text", ['"a', '"a"b,c', 'a,"'])
def test_a_quote_that_is_open_is_refused(text: str) -> None:
    """With the option and its text."""
    with pytest.raises(ConfigError, match="option `exclude` cannot be"):
        Options.of({"task": "binary", "exclude": text})
