"""Removes everything that the fact store keeps of a model."""

from __future__ import annotations

import time
from collections.abc import Sequence

from core.error import Retryable
from storage.facts.engine import Engine
from storage.facts.view import called, quoted

# These tables say how far the log was read and which rows could not be used. Batches are kept under a name that no model can have
# (`core.name`), so that a model that is made again begins without a watermark.
KEPT = ("batches", "dead_letters", "waiting")
_BATCHES_OF = "{model}/purged/reference"
_NAMED = "model IN {models:Array(String)}"
_PASSES, _PAUSE = 20, 1.0  # writes that were under way when the model was deleted end soon


def purge(engine: Engine, model: str, references: Sequence[str] = ()) -> None:
    """Remove the model's rows from every table that has a column `model`, those under the names of its references, and its view.

    It can be called again; then nothing is left to remove.

    Raises Retryable if rows still come.
    """
    tables, names = _tables(engine), [model, *references]
    for _ in range(_PASSES):
        full = [table for table in tables if _holds(engine, table, *names)]
        for table in full:
            engine.command(f"ALTER TABLE {table} DELETE WHERE {_NAMED} SETTINGS mutations_sync = 1", {"models": names})
        if not full and not _renamed(engine, model):
            engine.define(f"DROP VIEW IF EXISTS {quoted(called(model))}")
            if _holds(engine, "waiting", model):  # events that come from now on wait for another model of this name
                engine.command(f"ALTER TABLE waiting DELETE WHERE {_NAMED} SETTINGS mutations_sync = 1", {"models": [model]})
            return
        time.sleep(_PAUSE)
    raise Retryable(f"rows of the deleted model `{model}` still come; its facts are removed when no more come", after=5.0)


def _renamed(engine: Engine, model: str) -> bool:
    """Rename the batches of a model to a name that no model has; whether there were any.

    After an interruption both statements are run again, on the same rows.
    """
    if not _holds(engine, "batches", model):
        return False
    parameters = {"model": model, "other": _BATCHES_OF.format(model=model), "models": [model]}
    engine.command(
        "INSERT INTO batches SELECT * REPLACE ({other:String} AS model) FROM batches AS b WHERE b.model = {model:String}", parameters
    )
    engine.command(f"ALTER TABLE batches DELETE WHERE {_NAMED} SETTINGS mutations_sync = 1", parameters)
    return True


def _tables(engine: Engine) -> list[str]:
    sql = (
        "SELECT DISTINCT c.table AS name FROM system.columns AS c INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table"
        " WHERE c.database = currentDatabase() AND c.name = 'model' AND t.engine LIKE '%MergeTree' ORDER BY name"
    )
    return [name for name in engine.query(sql)["name"].to_pylist() if name not in KEPT]


def _holds(engine: Engine, table: str, *models: str) -> bool:
    rows: int = engine.query(f"SELECT 1 AS one FROM {table} WHERE {_NAMED} LIMIT 1", {"models": list(models)}).num_rows
    return rows > 0
