"""A calibration on the first windows of a stream is made again once their events may have changed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.monitor import Monitor
from core.span import Spans
from core.window.tumbling import Tumbling
from monitors.evaluation import calibrations as made
from monitors.evaluation.evaluate import Evaluate
from monitors.model import Model


def test_it_is_made_once_for_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """And for each other first windows; that of another mark is never given, also if it was made later."""
    found: list[object] = []

    def recalibrate(*_: Any) -> object:
        found.append(object())
        return found[-1]

    monkeypatch.setattr(made, "recalibrate", recalibrate)
    monkeypatch.setattr(Evaluate, "_of_reference", lambda *_: SimpleNamespace(windows=0))
    evaluate = Evaluate(*(cast("Any", None),) * 4)
    monitor = Monitor(name="m", model="kiln", measure="drift.psi", window=Tumbling(10))
    model = Model(cast("Any", SimpleNamespace(evaluated_as=(1, 1))), None)
    early, later = Spans.of([(0, 10)]), Spans.of([(10, 20)])
    evaluate.known_under(monitor, "a", ())
    first = evaluate.calibration(monitor, model, early)
    assert evaluate.calibration(monitor, model, early) is first
    assert evaluate.calibration(monitor, model, later) is not first
    evaluate.known_under(monitor, "b", ())
    other = evaluate.calibration(monitor, model, later)
    assert len(found) == 3
    evaluate.known_under(monitor, "b", ())
    assert evaluate.calibration(monitor, model, later) is other
    evaluate.forget(monitor)
    assert evaluate.calibration(monitor, model, later) is not other
