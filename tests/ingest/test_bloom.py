"""The filter never says that a known id is new, and rarely that a new one may be known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.bloom import Bloom, hashes


@given(st.lists(st.text(max_size=12), max_size=200), st.integers(1, 50))
def test_every_added_id_may_be_there(ids: list[str], capacity: int) -> None:
    """Whatever the ids and however the layers fall, what was added is found."""
    bloom = Bloom(capacity=capacity * 8)
    for start in range(0, len(ids), 7):
        bloom.add(hashes("m", ids[start : start + 7]))
    assert bloom.may_have(hashes("m", ids)).all()


def test_new_ids_are_rarely_taken_for_known() -> None:
    """Of 100,000 new ids fewer than 3 in 100 have to be looked up, over several layers."""
    bloom = Bloom(capacity=1 << 12)
    bloom.add(hashes("m", [f"known-{i}" for i in range(100_000)]))
    share = bloom.may_have(hashes("m", [f"new-{i}" for i in range(100_000)])).mean()
    assert share < 0.05


def test_models_are_told_apart() -> None:
    """The same ids of another model are new."""
    bloom = Bloom()
    bloom.add(hashes("a", [str(i) for i in range(1_000)]))
    assert bloom.may_have(hashes("b", [str(i) for i in range(1_000)])).mean() < 0.05
