"""Monitors share their reads: each query is run once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from core import moment
from core.baseline.previous import Previous
from core.clock import ManualClock, SystemClock
from core.monitor import Monitor
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend, monitors
from tests.ownership.scene import label, predict, settle

COLUMN = [("quality.null_rate", None), ("drift.psi", Previous()), ("drift.js", Previous())]
ROWS = [("drift.wasserstein", Previous()), ("drift.ks", Previous())]
SCORES = [("performance.roc_auc", None), ("performance.roc_auc", Previous())]
MODEL = [("performance.accuracy", None), ("performance.f1", Previous())]


def asked(backend: Backend, model: str, watched: Sequence[Monitor], monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of queries while a history is evaluated, and while a late event is."""
    backend.add(model)
    backend.clock = ManualClock(SystemClock().now())
    backend.monitors[model] = list(watched)
    query, questions = backend.engine.query, list[str]()

    def counted(sql: str, *given: Any) -> Any:
        questions.append(sql)
        return query(sql, *given)

    with monkeypatch.context() as patch:
        patch.setattr(backend.engine, "query", counted)
        patch.setattr(backend.owner(model)._audit, "_clock", float)  # looks take no time, so that all take as many steps
        for day in range(4):
            predict(backend, model, 1, 5, f"{day}", day=day)
            label(backend, model, f"{day}", partition=1)
        settle(backend, model)
        predict(backend, model, 1, 9, "late", day=1)
        settle(backend, model)
    return len(questions)


@pytest.mark.parametrize(
    ("measures", "alone"),
    [(COLUMN, COLUMN[:2]), (ROWS, ROWS), (MODEL, MODEL), ([*SCORES, *MODEL], SCORES)],
    ids=["columns", "rows", "model", "scores"],
)
def test_forty_monitors_ask_the_facts_no_more_than_one_for_each_baseline(
    backend: Backend, model: str, measures: list[tuple[str, Any]], alone: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Monitors with the same columns, windows, segments and baselines share their queries, whatever their measures are; each has its readings.

    `alone` are measures of one for each baseline; those of scores also read rows, as do those whose bins are too coarse.
    """
    shared = msgspec.structs.replace(monitors(model)[0], columns=("x",) if measures in (COLUMN, ROWS) else ())
    made = [
        msgspec.structs.replace(shared, name=f"w{place}", measure=measure, baseline=baseline)
        for place in range(40)
        for measure, baseline in [measures[place % len(measures)]]
    ]
    few = [next(one for one in made if (one.measure, one.baseline) == pair) for pair in alone]
    least = asked(backend, f"{model}-few", [msgspec.structs.replace(one, model=f"{model}-few") for one in few], monkeypatch)
    together = asked(backend, f"{model}-all", [msgspec.structs.replace(one, model=f"{model}-all") for one in made], monkeypatch)
    assert together <= least
    held = Readings(backend.engine).newest(f"{model}-all", {one.name: 1 for one in made}, (0, moment.LATEST))
    assert {name: table.num_rows for name, table in held.items()} == {one.name: 4 * 2 for one in made}
