"""Rows from which the associations of features are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from core.block import Categories, Outcomes
from core.contract import Column, Kind
from core.span import Spans
from monitors.evidence import influence
from tests.monitors import outcomes

_ROWS = 200


def test_many_features_are_read_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that not all of them are in memory with all rows; what is told is the same, and a text has no association."""
    rng = np.random.default_rng(2)
    label = rng.normal(size=_ROWS)
    store = outcomes.numbers(np.zeros(_ROWS), label)
    columns: dict[str, Any] = {f"x{place}": label * place + rng.normal(size=_ROWS) for place in range(5)}
    columns["c"] = Categories.of(["ab"[int(one > 0)] for one in label])
    kinds = {"c": Kind.CATEGORICAL, "note": Kind.TEXT}
    features = (*columns, "note")
    contract = msgspec.structs.replace(
        store.contract, features=tuple(Column(name=name, kind=kinds.get(name, Kind.NUMERIC)) for name in features)
    )
    asked = list[tuple[str, ...]]()

    def read(_slots: Any, *, columns: Sequence[str]) -> Iterator[Outcomes]:
        asked.append(tuple(columns))
        yield replace(store.rows, columns={name: held[name] for name in columns})

    held = columns
    scope = SimpleNamespace(model=SimpleNamespace(contract=contract), segments=("all",))
    reads: Any = SimpleNamespace(scope=scope, outcomes=read, slots_of=lambda _: None)
    side = [Spans.of([(-1, 1)])]
    rows, whole = influence._associated(reads, side, features, _ROWS)
    monkeypatch.setattr(influence, "_CELLS", 2 * _ROWS + 1)
    again, parts = influence._associated(reads, side, features, _ROWS)
    assert asked == [features[:6], features[:2], features[2:4], features[4:6]]
    assert rows.tolist() == again.tolist() == [[_ROWS]]
    np.testing.assert_array_equal(parts, whole)
    assert whole[0, 0, :5] == pytest.approx([abs(np.corrcoef(columns[f"x{place}"], label)[0, 1]) for place in range(5)])
    assert (whole[0, 0, 5] > 0.5, whole[0, 0, 6]) == (True, 0)
