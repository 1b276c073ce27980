"""The readers of input from outside, in this process: event bodies, definitions, Parquet files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.destination.document import destination_from
from core.error import ConfigError
from monitors.definition.grammar import parse
from tests.acceptance import test_parquet
from tests.acceptance.test_parquet import Stand, stand
from tests.fuzz.hammer import everything, hammer
from tests.ingest.decode import test_law
from tests.monitors.contracts import CONTRACTS

__all__ = ["stand"]

pytestmark = [pytest.mark.fuzz, pytest.mark.slow, pytest.mark.timeout(7200)]

_FOLDER = Path(__file__).parents[1] / "monitors" / "definitions"
_TEXTS = sorted(path.read_text(encoding="utf-8") for path in _FOLDER.glob("*/*.yaml") if path.stat().st_size < 4_000)
_PIECES = [
    "- ",
    ": ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!binary ",
    "~",
    "0x1F",
    ".nan",
    "1e999",
    "'",
    '"',
    "\\ud800",
    "\x00",
    "<<: ",
    "%",
    "é",
    "|\n",
    "?",
]


def test_event_bodies() -> None:
    """Every law of decoding: each row of any body is counted once, and only PayloadError is raised."""
    hammer(*(check for name, check in sorted(vars(test_law).items()) if name.startswith("test_") and hasattr(check, "hypothesis")))


@st.composite
def definitions(draw: st.DrawFn) -> str:
    """A file of definitions with pieces of itself and of YAML's grammar taken out, doubled and put in."""
    text = draw(st.sampled_from(_TEXTS))
    for _ in range(draw(st.integers(0, 6))):
        low, high = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        piece = draw(st.sampled_from(_PIECES) | st.text(max_size=3) | st.just(text[low:high]))
        text = text[:low] + piece + text[draw(st.sampled_from([low, high, min(high, low + 2)])) :]
    return text


@everything
@given(definitions())
def check_definitions(text: str) -> None:
    """They are read, or refused in words that can be sent, with a remedy where there is a place for one."""
    message = "read"
    try:
        for document in parse(text, contract=CONTRACTS.get).destinations:
            destination_from(dict(document))
    except ConfigError as error:
        message = error.message and f"{error.message} {error.remedy}"
    assert message.encode()


def test_definitions() -> None:
    """Nothing but ConfigError comes out of a file of definitions."""
    hammer(check_definitions)


def test_parquet_files(stand: Stand, tmp_path: Path) -> None:
    """A column of any type in any place is taken right, or refused with column, type and remedy."""
    hammer(test_parquet.test_a_column_of_any_type_in_any_place_is_taken_right_or_refused, stand=stand, tmp_path=tmp_path)
