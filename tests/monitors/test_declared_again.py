"""Whether a contract is declared as it was."""

from __future__ import annotations

import msgspec

from core.contract import Contract, Dimension, Task
from monitors.definition.declared import same
from tests.detectors import blocks


def without_ranges(contract: Contract) -> Contract:
    """As an earlier version kept it."""
    return msgspec.structs.replace(contract, features=tuple(msgspec.structs.replace(one, range=None) for one in contract.features))


def test_a_range_counts_where_ranges_were_kept() -> None:
    """A contract from before has none, and is what is declared again with one; one with another range is another."""
    given = blocks.contract(Task.REGRESSION)
    assert same(msgspec.structs.replace(given, version=7), given)
    assert same(without_ranges(given), given)
    assert not same(given, without_ranges(given))
    assert not same(without_ranges(given), msgspec.structs.replace(given, pane=1))


def test_values_that_were_taken_up_do_not_count() -> None:
    """The file that declared the contract has not changed by them, so it can be applied again."""
    given = msgspec.structs.replace(blocks.contract(Task.REGRESSION), dimensions=(Dimension(name="c", values=("a",)),))
    held = msgspec.structs.replace(given, version=2, referred=1, dimensions=(Dimension(name="c", values=("a",), new=("x",)),))
    assert same(held, given)
    assert same(held, msgspec.structs.replace(held, owner="ops"))  # an entry with nothing but words
    assert not same(held, msgspec.structs.replace(given, dimensions=(Dimension(name="c", values=("a", "x")),)))
