"""A purge removes everything of a model, and nothing of another."""

from __future__ import annotations

import msgspec

from storage.facts.engine import Engine
from storage.facts.progress import Batches
from storage.facts.purge import _holds, _tables, purge
from storage.facts.raw import Raw
from storage.facts.view import called, show
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, predictions
from tests.storage.facts.test_progress import batch

ODD = msgspec.structs.replace(CONTRACT, model="it's `odd`\\")


def test_a_model_is_removed_from_every_table_that_has_its_name(engine: Engine) -> None:
    """Whatever its name; its view goes, too, and once more does nothing."""
    writer = Writer(engine)
    for contract in (CONTRACT, ODD):
        for each in (contract, contract.of_reference):
            writer.predictions([(each, predictions(["a", "b", "c"]))], 0, each.model)
        writer.rebuilt(contract, [0], 1)
        show(engine, [contract])
    for contract in (CONTRACT, ODD):
        writer.batches([batch(9, model=contract.model)])
    tables = _tables(engine)
    assert {"predictions", "labels", "outcomes", "contested", "panes", "performance_panes", "rebuilds", "readings"} <= set(tables)
    assert not {"batches", "dead_letters"} & set(tables)
    for _ in range(2):
        purge(engine, ODD.model, [ODD.of_reference.model])
        assert not [name for name in tables if _holds(engine, name, ODD.model, ODD.of_reference.model)]
        assert [name for name in tables if _holds(engine, name, CONTRACT.model)] == ["predictions", "rebuilds"]
        assert _holds(engine, "predictions", CONTRACT.of_reference.model)
    # What is left says how far the log was read, and nothing of the model.
    batches = Batches(engine)
    assert set(batches.progress(0, [ODD.model, CONTRACT.model])) == {CONTRACT.model}
    assert batches.outside(ODD.model) == {}
    assert batches.totals()["predictions"]["rows"] == 2
    assert Raw(engine).finished("predictions", 0, 9)
    views = engine.query("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'")["name"].to_pylist()
    assert views == [called(CONTRACT.model)]
