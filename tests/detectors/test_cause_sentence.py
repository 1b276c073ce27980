"""The sentence of a change's causes."""

from __future__ import annotations

import pytest

from core.cause import BinCause, ColumnCause, SplitCause
from detectors.catalogue import MEASURES
from detectors.cause.sentence import sentence


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (SplitCause(), ""),
        (SplitCause(-0.01, 0.09, 0.0), " By cause: 90 % such rows are predicted worse (concept); 10 % the other way, fewer rows are of the hard kinds (covariate)."),
        (SplitCause(0.05, -0.05, 0.1), " By cause: 50 % rows that the baseline hardly has; 25 % the other way, such rows are predicted better (concept); 25 % more rows are of the hard kinds (covariate)."),
    ],
)  # fmt: skip
def test_the_parts_of_a_change_are_said_in_words(parts: SplitCause, said: str) -> None:
    """The largest first, and which of them made it better; parts below a twentieth are left out."""
    assert sentence(MEASURES["performance.accuracy"], 0.7, 0.8, 0.1, (), (), parts) == f"Accuracy is 0.7, in the baseline 0.8.{said}"


def test_a_column_that_stands_out_is_said_with_its_value() -> None:
    """In the words that its list of events has."""
    column = ColumnCause("temp", 0.5, 1.0, 0.0, 0.0, (BinCause("[48.02000000000001,inf)", 0.43, 0.11, 0.3),))
    found = sentence(MEASURES["drift.psi"], 1.2, None, 1.2, (), (column,), SplitCause())
    assert found.endswith("Of the columns temp stands out most: it is above 48.02 in 43 % of rows, in the baseline in 11 %.")
