"""How an `evaluate` process knows that nothing comes any more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from watchkeeper.cluster import evaluate


def test_while_ticks_come_the_brokers_are_asked_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has come is known by then; after the last tick and the silence they are asked each time, and decide."""
    clock, asked, called = SimpleNamespace(now=1_000.0), list[float](), list[str]()
    monkeypatch.setattr(evaluate, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def silent(_seconds: float) -> bool:
        asked.append(clock.now)
        return True

    part: Any = object.__new__(evaluate.EvaluatePart)
    part._silence, part._away, part._ticked, part._looked = 5.0, None, float("-inf"), float("-inf")
    part._ends, part._scheduler = SimpleNamespace(silent=silent), SimpleNamespace(call=called.append)
    assert [part._silent(), part._silent(), len(asked)] == [True, True, 2]
    clock.now += 0.5
    part._called("m")
    assert [part._silent(), called, len(asked)] == [False, ["m"], 2]
    clock.now += 0.5
    assert [part._silent(), part._silent(), len(asked)] == [True, False, 3]
    clock.now += 4.5
    assert [part._silent(), part._silent(), len(asked)] == [True, True, 5]
