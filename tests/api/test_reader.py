"""The reader's rows of models: what each says, and how often the stores are asked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pyarrow as pa
import pytest

from core.clock import ManualClock
from storage.facts.truth import Truth
from tests.storage.facts.test_facts import CONTRACT, HOUR, labels, pane_rows, predictions
from tests.storage.facts.test_progress import batch
from watchkeeper.reader import Reader
from watchkeeper.settings import Settings
from watchkeeper.stores import Stores


def test_the_rows_of_all_models_cost_one_question_about_batches_and_one_about_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many models there are; each row is that of the model alone, and one without events says so."""
    stores = Stores(Settings(data=tmp_path), clock := ManualClock(1))
    try:
        stores.migrate()
        contracts = [msgspec.structs.replace(CONTRACT, model=name) for name in ("empty", "m", "n")]
        for contract in contracts:
            stores.control.save_contract(contract, content=contract.model, reference=None)
        for place, contract in enumerate(contracts[1:], 1):
            stores.writer.predictions([(contract, predictions(["a", "b"][:place]))], 0, None)
            stores.writer.labels({contract.model: labels(["a", "unknown"], "1")}, 0, None)
            stores.writer.panes([(contract, pane_rows(0, place))], None)
            stores.writer.batches([batch(10, place, model=contract.model, at=place * HOUR)])
            Truth(stores.engine).join(contract.model, {0: (1, 1)}, {0: (1, 1)}, 1)
        reader = Reader(cast("Any", SimpleNamespace(stores=stores, clock=clock)))
        asked: list[str] = []
        ask = stores.engine.query

        def query(sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
            asked.append(sql)
            return ask(sql, parameters)

        monkeypatch.setattr(stores.engine, "query", query)
        rows = reader.models()
        assert [len([sql for sql in asked if f"FROM {table}" in sql]) for table in ("batches", "labels", "outcomes")] == [1, 1, 1]
        none = {"outside": {"predictions": 0, "labels": 0}}
        assert [row | none for row in rows] == [reader.model(contract) for contract in contracts]
        names = ("model", "first_ts", "predictions", "labels", "labelled")
        assert [[row[name] for name in names] for row in rows] == [["empty", None, 0, 0, 0], ["m", HOUR, 2, 2, 1], ["n", 2 * HOUR, 3, 2, 1]]
    finally:
        stores.close()
