"""The rule for names."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.error import ConfigError
from core.name import LONGEST, LONGEST_COLUMN, LONGEST_VERSION, Named, check

PLAIN = (Named.MODEL, Named.MONITOR, Named.DESTINATION)


@pytest.mark.parametrize("kind", [*PLAIN, Named.COLUMN, Named.DIMENSION])
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


@pytest.mark.parametrize("kind", [Named.VERSION, Named.ROLE])
def test_versions_and_roles_are_bounded_in_bytes(kind: Named) -> None:
    """As events have it; `all` means every one of them, and what cannot be printed is no name."""
    for name in ("1", "2024-01-01/a", "..", "é" * (LONGEST_VERSION // 2)):
        assert name == check(kind, name)
    for name in ("", " 1", "1\n", "a\0b", "\ud800", "all", "é" * (LONGEST_VERSION // 2) + "x"):
        with pytest.raises(ConfigError, match=r"256 bytes of printable characters") as caught:
            check(kind, name)
        assert str(caught.value).encode()


def test_a_name_that_is_there_stays() -> None:
    """The rule is for what is new."""
    assert check(Named.DIMENSION, "all", ["all", "x"]) == "all"
    with pytest.raises(ConfigError):
        check(Named.DIMENSION, "all", ["x"])


def test_the_documentation_says_the_bounds() -> None:
    """docs/monitors.md and the rule agree."""
    text = (Path(__file__).parents[2] / "docs" / "monitors.md").read_text()
    assert f"1 to {LONGEST} printable" in text
    assert f"1 to {LONGEST_COLUMN} characters" in text
    assert f"1 to {LONGEST_VERSION} bytes" in text
