"""What would be better, said of versions of a model that send different features."""

from __future__ import annotations

from watchkeeper.advice import versions_apart


def test_versions_that_send_different_features_are_told_apart() -> None:
    """Each with what it never sends and another does; what none sends is no difference."""
    assert versions_apart("m", {}) == []
    assert versions_apart("m", {"1": frozenset("a"), "2": frozenset("a")}) == []
    (said,) = versions_apart("m", {"1": frozenset("a"), "2": frozenset("abc"), "3": frozenset("ad")})
    assert said.startswith("versions of m send different features: version 2 sends no value of b, c; version 3 sends no value of d.")
    (long,) = versions_apart("m", {"1": frozenset(), "2": frozenset("abcdefgh")})
    assert "of a, b, c, d, e, f and 2 more" in long
