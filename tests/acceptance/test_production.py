"""A period of a model's own events becomes its reference, in both engines."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from core import moment
from core.block import Categories, Labels
from core.contract import Roles
from core.error import ConfigError, Missing
from core.principal import LOCAL
from monitors.reference import arrow
from monitors.reference.layout import layout
from monitors.reference.option import Options
from monitors.reference.rows import predictions_of
from tests.acceptance.test_reference_facts import DAYS, OPTIONS, START, file, give, stores
from watchkeeper.change import production
from watchkeeper.change.production import ProductionReference
from watchkeeper.command import do
from watchkeeper.stores import Stores

__all__ = ["stores"]


def _send(stores: Stores, table: pa.Table) -> None:
    """Write the rows of the file as events of the contract that it gave, in two batches, with their labels."""
    contract = stores.control.contract("m")
    assert contract is not None
    n = table.num_rows
    block = predictions_of(arrow.read_table(table, layout(table, Options.of(OPTIONS)).uses), contract)
    ids, log = np.array([f"e{row}" for row in range(n)], object), np.full(n, START)
    same = Categories.of(["1"] * n)
    block = replace(block, id=ids, version=same, role=same, position=np.arange(n), logged=log)
    for rows in (np.arange(n // 2), np.arange(n // 2, n)):
        stores.writer.predictions([(contract, block.take(rows))], 0, None)
    known = np.flatnonzero(table["label"].is_valid().to_numpy())
    texts = np.array([str(one) for one in table["label"].to_pylist()], object)[known]
    many = len(known)
    zeros = np.zeros(many, np.int64)
    labels = Labels(
        id=ids[known], ts=block.ts[known] + moment.HOUR, text=texts, number=texts.astype(float), weight=np.ones(many), deleted=np.zeros(many, bool),
        prediction_ts=zeros, position=np.arange(many), row=zeros, logged=log[:many],
    )  # fmt: skip
    stores.writer.labels({"m": labels}, 0, None)
    stores.outcomes.join("m", {0: (0, n)}, {0: (0, many)}, 1)


def test_events_give_the_contract_that_a_file_with_the_same_rows_gave(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same period again changes nothing; another one is another reference. Without events, or with too many, nothing is changed."""
    with pytest.raises(Missing, match="no model"):
        do(stores, LOCAL, "reference from production", ProductionReference(model="m"))
    table = file()
    table = table.filter(table["ts"].is_valid())
    _, first = give(stores, "m", table)
    with pytest.raises(ConfigError, match="has no events"):
        do(stores, LOCAL, "reference from production", ProductionReference(model="m"))
    _send(stores, table)
    results = [do(stores, LOCAL, "reference from production", ProductionReference(model="m")) for _ in range(2)]
    assert [(one["result"], one["version"], one["rows"]) for one in results] == [
        ("changed", 2, table.num_rows),
        ("unchanged", 2, table.num_rows),
    ]
    second = stores.control.contract("m")
    assert second is not None
    ours, theirs = (msgspec.to_builtins(msgspec.structs.replace(one, version=1, roles=Roles())) for one in (second, first.contract))
    for one in (ours, theirs):
        del one["multivariate"]["degrees"], one["multivariate"]["bandwidth"]  # of a sample, which depends on the order of rows
    assert {name: ours[name] for name in ours if ours[name] != theirs[name]} == {}
    middle = START + DAYS * moment.DAY // 2 + 1
    part = do(stores, LOCAL, "reference from production", ProductionReference(model="m", start=middle))
    expected = int((table["ts"].cast(pa.int64()).to_numpy() >= middle).sum())
    assert (part["result"], part["version"], part["rows"]) == ("changed", 3, expected)
    monkeypatch.setattr(production, "MOST", 10)
    with pytest.raises(ConfigError, match="10 are the most"):
        do(stores, LOCAL, "reference from production", ProductionReference(model="m"))
    saved = [entry.after for entry in stores.control.audit_entries()[0] if entry.action == "contract.save"]
    assert len(saved) == part["version"]
