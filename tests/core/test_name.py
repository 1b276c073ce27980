"""The rule for names."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.error import ConfigError
from core.name import LONGEST, LONGEST_COLUMN, Named, check

PLAIN = (Named.MODEL, Named.MONITOR, Named.DESTINATION)


@pytest.mark.parametrize("kind", Named)
def test_names_of_people_are_taken(kind: Named) -> None:
    """Spaces, umlauts, CJK, emoji, quotes, percent signs."""
    for name in ("taxi fare", "Größe", "出租车" * 13, "🚕", 'it\'s "odd" 100 %', "a.b", "<script>alert(1)</script>", "x" * LONGEST):
        assert name == check(kind, name)


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize(
    "name", ["", " ", " a", "a\0b", "..", ".", "a/contract", "a/reference", "a/../b", "a\nb", "\ud800", "x" * (LONGEST + 1), 7]
)
def test_names_that_no_address_survives_are_refused(kind: Named, name: object) -> None:
    """With a remedy, and with a message that can be written."""
    with pytest.raises(ConfigError) as caught:
        check(kind, name)
    assert caught.value.remedy
    assert str(caught.value).encode()


def test_columns_and_dimensions_have_rules_of_their_own() -> None:
    """A comma is for a column, and not for a dimension; `all` is the whole."""
    for name in ("a,b", "all", "a/b", "x" * LONGEST_COLUMN):
        assert name == check(Named.COLUMN, name)
    for kind, name in ((Named.COLUMN, "@score"), (Named.COLUMN, "a\0b"), (Named.DIMENSION, "a,b"), (Named.DIMENSION, "all")):
        with pytest.raises(ConfigError):
            check(kind, name)


def test_the_documentation_says_the_bounds() -> None:
    """docs/monitors.md and the rule agree."""
    text = (Path(__file__).parents[2] / "docs" / "monitors.md").read_text()
    assert f"1 to {LONGEST} printable" in text
    assert f"1 to {LONGEST_COLUMN} characters" in text
