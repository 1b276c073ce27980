"""Attributions by permutations, of a model that runs here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.error import ConfigError
from watchkeeper.explanation import SUFFIX, attributions, explained, labels, load, sample


def score(rows: list[dict[str, Any]]) -> list[float]:
    """A model that takes x three times as much as c, and z not at all."""
    return [3 * row["x"] + (1.0 if row["c"] == "b" else 0.0) for row in rows]


def events(many: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(2)
    return [
        {
            "prediction_id": str(place), "model": "m", "ts": "2026-07-01T00:00:00Z", "version": "1", "role": "champion", "label": 1 if place % 2 else None,
            "features": {"x": float(rng.normal()), "c": "ab"[place % 2], "z": None}, "prediction": 1, "score": 0.5,
        }
        for place in range(many)
    ]  # fmt: skip


def test_attributions_are_what_a_feature_moves() -> None:
    """Of a model that adds features up: the value's own term less its mean over the rows, whatever the others are."""
    rows = [one["features"] for one in events(400)]
    found = attributions(score, rows, repeats=200)
    x, c = np.array([row["x"] for row in rows]), np.array([row["c"] == "b" for row in rows])
    assert np.abs(found[:, 0] - 3 * (x - x.mean())).max() < 1.5
    assert np.abs(found.mean(axis=0)).max() < 0.05
    assert np.abs(found[:, 1] - (c - c.mean())).max() < 0.2
    assert not found[:, 2].any()
    assert (attributions(score, rows, repeats=2) == attributions(score, rows, repeats=2)).all()


def test_events_are_sent_again_under_ids_of_their_own() -> None:
    """With their labels; the same sample is drawn again, and events that were sent so are not drawn."""
    held = sample(events(100), 10)
    assert [one["prediction_id"] for one in sample(reversed(events(100)), 10)] == [one["prediction_id"] for one in held]
    again = list(explained(held, np.ones((10, 3)), ("x", "c", "z"), "explained"))
    assert again[0]["prediction_id"] == held[0]["prediction_id"] + SUFFIX
    assert (again[0]["version"], again[0]["attributions"]) == ("explained", {"x": 1.0, "c": 1.0, "z": 1.0})
    assert {one["prediction_id"] for one in labels(held)} == {one["prediction_id"] + SUFFIX for one in held if one["label"] is not None}
    assert sample(again, 10) == []


@pytest.mark.parametrize("wrong", [lambda rows: rows, lambda _rows: [1.0], lambda rows: [np.nan] * len(rows)])
def test_a_function_that_returns_something_else_is_told(wrong: Any) -> None:
    """What it must return."""
    with pytest.raises(ConfigError, match="for 20 rows"):
        attributions(wrong, [one["features"] for one in events(20)])


@pytest.mark.parametrize("named", ["nowhere.at.all:f", "json:nothing", "json", "json:__name__"])
def test_a_function_that_is_not_there_is_told(named: str) -> None:
    """With how to name one."""
    with pytest.raises(ConfigError, match="--with"):
        load(named)
