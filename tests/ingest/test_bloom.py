"""The filter never says that a known id is new, and rarely that a new id may be known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.bloom import Bloom, hashes


@given(st.lists(st.text(max_size=12), max_size=200), st.integers(1, 50))
def test_every_added_id_may_be_there(ids: list[str], capacity: int) -> None:
    """Whatever the ids and however the layers fall, what was added is found."""
    bloom = Bloom(capacity=capacity * 8)
    for start in range(0, len(ids), 7):
        bloom.add(hashes("m", ids[start : start + 7]), start)
    assert bloom.may_have(hashes("m", ids)).all()


def test_new_ids_are_rarely_taken_for_known() -> None:
    """Of 100,000 new ids fewer than 3 in 100 have to be looked up, over several layers."""
    bloom = Bloom(capacity=1 << 12)
    bloom.add(hashes("m", [f"known-{i}" for i in range(100_000)]), 0)
    share = bloom.may_have(hashes("m", [f"new-{i}" for i in range(100_000)])).mean()
    assert share < 0.05


def test_models_are_told_apart() -> None:
    """The same ids of another model are new."""
    bloom = Bloom()
    bloom.add(hashes("a", [str(i) for i in range(1_000)]), 0)
    assert bloom.may_have(hashes("b", [str(i) for i in range(1_000)])).mean() < 0.05


@given(st.lists(st.integers(1, 30), max_size=30), st.integers(8, 64))
def test_what_is_not_forgotten_is_found_and_layers_stay_few(sizes: list[int], most: int) -> None:
    """Hashes from the forgotten position on are found, and the layers take little more room than these need."""
    bloom = Bloom(most=most)
    for position, size in enumerate(sizes):
        bloom.add(hashes("m", [f"{position}-{i}" for i in range(size)]), position)
        bloom.forget(position - 4)
        held = [f"{of}-{i}" for of in range(max(0, position - 4), position + 1) for i in range(sizes[of])]
        assert bloom.may_have(hashes("m", held)).all()
        assert sum(layer.bits.nbytes for layer in bloom._layers) <= 3 * (len(held) + 2 * most)


def test_what_was_forgotten_is_new_again() -> None:
    """Ids of a position below the forgotten one are not taken for known."""
    bloom = Bloom(most=1 << 10)
    old = hashes("m", [f"old-{i}" for i in range(1 << 10)])
    bloom.add(old, 1)
    bloom.add(hashes("m", ["new"]), 2)
    assert bloom.may_have(old).all()
    bloom.forget(2)
    assert bloom.may_have(old).mean() < 0.05
