"""The reference in the fact store: its panes by slot and a sample of its rows, in both engines, read like the facts of any model."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import moment
from core.block import Categories
from core.clock import SystemClock
from core.contract import Contract, Task
from core.name import Named, fault
from core.principal import LOCAL
from core.span import Spans
from detectors.evidence import Confusion, Counts, Moments
from detectors.summary.edition import EDITION
from monitors.evaluation.evaluate import Evaluate
from monitors.evidence.extent import Extent
from monitors.evidence.history import History
from monitors.evidence.kind import KINDS
from monitors.evidence.reads import Scope
from monitors.model import Model
from monitors.reference import derive
from monitors.reference import facts as reference_facts
from monitors.reference.derive import ReferenceSummary
from monitors.reference.option import Options
from storage.facts.retention import retain
from tests.services.fixture import ClickHouseAt
from watchkeeper.advice import advice
from watchkeeper.change import reference
from watchkeeper.change.reference import ReferenceFile
from watchkeeper.command import do
from watchkeeper.scheduling.definition_cache import DefinitionCache
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores

ROWS, DAYS = 3_000, 5
START = 19_800 * moment.DAY
OPTIONS = {"task": "binary", "segments": "c"}


def file(rows: int = ROWS) -> pa.Table:
    """Five days of rows; some lack a time, a prediction or a label."""
    random = np.random.default_rng(3)
    ts = START + random.integers(0, DAYS * moment.DAY, rows)
    return pa.table(
        {
            "ts": pa.array(ts, pa.timestamp("us", tz="UTC"), mask=random.random(rows) < 0.01),
            "x": pa.array(random.normal(size=rows), mask=random.random(rows) < 0.05),
            "c": random.choice(["a", "b", "rare"], rows, p=[0.6, 0.3, 0.1]),
            "score": random.random(rows),
            "prediction": pa.array(random.integers(0, 2, rows), mask=random.random(rows) < 0.02),
            "label": pa.array(random.integers(0, 2, rows), mask=random.random(rows) < 0.3),
        }
    )


@pytest.fixture(params=["embedded", "server"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Facts in this process, and on a server."""
    facts = {}
    if request.param == "server":
        server: ClickHouseAt = request.getfixturevalue("clickhouse")
        database = request.getfixturevalue("clickhouse_database")
        facts = {"url": server.url, "user": server.user, "password": server.password or None, "database": database}
    stores = Stores(Settings(data=tmp_path, clickhouse=facts), SystemClock())  # type: ignore[arg-type]
    stores.migrate()
    yield stores
    stores.close()


def give(stores: Stores, model: str, table: pa.Table) -> tuple[str, Model]:
    """Give a reference. Returns the result, and the model."""
    parquet = BytesIO()
    pq.write_table(table, parquet)
    answer = do(stores, LOCAL, "reference", ReferenceFile(model=model, parquet=parquet.getvalue(), options=OPTIONS))
    contract = stores.control.contract(model)
    assert contract is not None
    held = stores.control.reference(model, contract.version)
    assert held is not None
    return answer["result"], Model(contract, ReferenceSummary.from_bytes(held))


def read(stores: Stores, model: Model, kind: type[Any], column: str, spans: Spans, segments: tuple[str, ...]) -> Any:
    """The evidence of spans of the reference, by the reader for the stream."""
    scope = Scope(Model(model.contract.of_reference, None), segments, ("", "c"), (column,) if column else ())
    (found,) = KINDS[kind].read(Evaluate(stores.panes, stores.raw, stores.stream, None).reads(scope), Extent.of(spans), column, [[spans]])  # type: ignore[arg-type]
    return found


def test_panes_by_slot_add_up_to_the_reference(stores: Stores) -> None:
    """Over all time they equal the stored summaries, over a day the rows of that day."""
    table = file()
    _, model = give(stores, "slots", table)
    ever = Spans.of([(reference_facts.UNTIMED, reference_facts.UNTIMED + moment.DAY), (START, START + DAYS * moment.DAY)])
    reference, segments = model.reference, ("all", "c=a", "c=rare")
    assert reference is not None
    for column in ("x", "c", "@prediction", "@score", "@label"):
        counts = read(stores, model, Counts, column, ever, segments).counts.sum(0)
        assert counts.tolist() == [reference.counts(column)[segment].tolist() for segment in segments], column
    days = Spans.of([(START + day * moment.DAY, START + (day + 1) * moment.DAY) for day in range(DAYS)])
    ts = table["ts"].cast(pa.int64()).fill_null(0).to_numpy()
    nulls = read(stores, model, Counts, "x", days, ("all",)).counts[:, 0, model.contract.column("x").null]
    assert nulls.tolist() == [
        int(table["x"].filter(pa.array((ts >= low) & (ts < high))).null_count) for low, high in zip(days.start, days.end, strict=True)
    ]
    assert (
        read(stores, model, Confusion, "", ever, ("all",)).n.sum()
        == pa.compute.and_(table["label"].is_valid(), table["prediction"].is_valid()).to_numpy().sum()
    )


def test_labels_of_a_regression_have_moments(stores: Stores) -> None:
    """Day by day those of the labels of the rows, also far from 0; and those of the reference in all."""
    random = np.random.default_rng(7)
    day, label = random.integers(0, DAYS, 900), random.normal(1e6, 3.0, 900)
    table = pa.table(
        {"ts": pa.array(START + day * moment.DAY, pa.timestamp("us")), "prediction": label + 1, "label": label, "c": ["a"] * 900}
    )
    parquet = BytesIO()
    pq.write_table(table, parquet)
    do(stores, LOCAL, "reference", ReferenceFile(model="labels", parquet=parquet.getvalue(), options={"task": "regression"}))
    contract = stores.control.contract("labels")
    assert contract is not None
    held = stores.control.reference("labels", 1)
    assert held is not None
    model = Model(contract, ReferenceSummary.from_bytes(held))
    spans = Spans.of([(START + one * moment.DAY, START + (one + 1) * moment.DAY) for one in range(DAYS)])
    found: Moments = read(stores, model, Moments, "@label", spans, ("all",))
    rows = [label[day == one] for one in range(DAYS)]
    assert found.known.all()
    assert found.mean[:, 0] == pytest.approx([one.mean() for one in rows], rel=1e-12)
    assert found.variance[:, 0] == pytest.approx([one.var(ddof=1) for one in rows], rel=1e-9)
    assert found.absolute[:, 0] == pytest.approx([np.abs(one).sum() for one in rows])
    every: Moments = KINDS[Moments].reference(Scope(model, ("all",), ("",), ("@label",)), "@label")
    assert every.mean.item() == pytest.approx(label.mean(), rel=1e-12)
    assert every.variance.item() == pytest.approx(label.var(ddof=1), rel=1e-9)


def test_a_sample_of_its_rows_is_read_as_events_are(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample has the right size, and is the same each time, with labels and times."""
    monkeypatch.setattr(reference_facts, "KEPT", 500)
    monkeypatch.setattr(reference_facts, "_ROWS", 700)
    table = file()
    _, model = give(stores, "rows", table)
    contract = model.contract.of_reference
    history, (slots, n) = History(stores.raw, lambda *_: contract), stores.panes.slots(contract)
    assert n.sum() == ROWS
    (events,) = history.predictions(contract, slots)
    (outcomes,) = history.outcomes(contract, slots)
    rows = events.position
    assert len(set(rows.tolist())) == len(rows) == 500
    order = np.argsort(rows)
    np.testing.assert_array_equal(events.numbers[0][order], table["x"].to_numpy()[rows[order]])
    expected = table.take(rows).filter(pa.compute.and_(table.take(rows)["label"].is_valid(), table.take(rows)["prediction"].is_valid()))
    assert len(outcomes) == expected.num_rows
    assert isinstance(outcomes.label, Categories)
    assert sum(outcomes.label.texts[code] == "1" for code in outcomes.label.codes) == pa.compute.sum(expected["label"]).as_py()
    give(stores, "again", table)
    again = stores.control.contract("again")
    assert again is not None
    for topic in ("predictions", "labels"):
        assert stores.raw.rows_at(topic, 0, 0, ROWS) == set()  # else ingest would take its first events for written
    (same,) = History(stores.raw, lambda *_: again.of_reference).predictions(again.of_reference, slots)
    assert set(same.position.tolist()) == set(rows.tolist())


def test_a_reference_of_before_gets_its_facts_when_it_is_given_again(stores: Stores) -> None:
    """Also with the same content; the contract stays. An interrupted command is done again, and its facts count once."""
    table = file(400)
    _, model = give(stores, "before", table)
    kept = model.contract.of_reference
    for name in ("panes", "performance_panes", "rebuilds", "predictions", "labels", "outcomes"):
        stores.engine.command(f"ALTER TABLE {name} DELETE WHERE model = {{m:String}} SETTINGS mutations_sync = 1", {"m": kept.model})
    assert len(stores.panes.slots(kept)[0]) == 0
    for last in (1, 3, 4):  # writes
        with pytest.raises(_BrokenOff):
            reference_facts.write_reference(
                _Broken(stores.writer, last), stores.outcomes, model.contract, table, Options.of(OPTIONS), SystemClock().now()
            )
        assert len(stores.panes.slots(kept)[0]) == 0
    assert give(stores, "before", table)[0] == "unchanged"
    assert stores.panes.slots(kept)[1].sum() == 400
    assert give(stores, "before", table)[0] == "unchanged"
    assert stores.panes.slots(kept)[1].sum() == 400


def test_a_reference_of_an_earlier_edition_is_summarised_again_under_its_contract(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """If its file is given again; the contract stays, and the rows are kept once. It may be interrupted: until all is written, the contract says that the sums are old."""
    table, where = file(400), "WHERE model = {m:String} SETTINGS mutations_sync = 1"
    with monkeypatch.context() as patch:
        for part in (derive, reference):
            patch.setattr(part, "EDITION", 0)
        _, before = give(stores, "edition", table)
    kept = before.contract.of_reference
    stores.engine.command(f"ALTER TABLE panes UPDATE measured = 0, absolute = 99 {where}", {"m": kept.model})
    stores.control.summarise_contract(before.contract, reference=b"from before")
    assert advice(DefinitionCache(stores.control).read().values()) == [ANY]
    with monkeypatch.context() as patch:
        patch.setattr(stores, "writer", _Broken(stores.writer, 2))
        with pytest.raises(_BrokenOff):
            give(stores, "edition", table)
    contract = stores.control.contract("edition")
    assert contract == before.contract
    for result in ("summarised again", "unchanged"):
        said, model = give(stores, "edition", table)
        assert (said, model.contract) == (result, msgspec.structs.replace(before.contract, summary=EDITION))
        assert model.reference is not None
        assert before.reference is not None
        assert model.reference.to_bytes() == before.reference.to_bytes()
        panes = stores.panes.inputs(kept, ("x",), ("n", "measured", "absolute"), ("",), moment.DAY, (moment.EARLIEST, moment.LATEST))
        assert sum(panes["n"].to_pylist()) == 400
        assert sum(panes["absolute"].to_pylist()) == pytest.approx(np.nansum(np.abs(table["x"].to_numpy())))
        sql = "SELECT count() AS rows FROM predictions WHERE model = {m:String}"
        assert stores.engine.query(sql, {"m": kept.model})["rows"].to_pylist() == [400]
    assert advice(DefinitionCache(stores.control).read().values()) == []


def test_retention_leaves_the_sample(stores: Stores) -> None:
    """Retention removes only events that were in a log."""
    _, model = give(stores, "kept", file(50))
    retain(stores.engine, 30 * moment.DAY)
    for table in ("predictions", "labels"):
        stores.engine.command(f"OPTIMIZE TABLE {table} FINAL")
        (rows,) = stores.engine.query(
            f"SELECT count() AS n FROM {table} WHERE model = {{m:String}}", {"m": model.contract.of_reference.model}
        )["n"].to_pylist()
        assert rows > 20


def test_nothing_lists_the_reference_as_a_model(stores: Stores) -> None:
    """Its facts do not count for any model."""
    _, model = give(stores, "alone", file(50))
    assert stores.panes.totals([model.contract]) == {}
    assert {contract.model for contract in stores.control.contracts()} >= {"alone"}
    assert not any("reference" in contract.model for contract in stores.control.contracts())
    assert stores.batches.progress(0) == {}


class _BrokenOff(Exception):
    """The process is gone."""


class _Broken:
    """A writer whose process dies after so many writes."""

    def __init__(self, whole: Any, last: int) -> None:
        self._whole, self._left = whole, last

    def __getattr__(self, name: str) -> Any:
        def write(*given: Any) -> None:
            self._left -= 1
            if self._left < 0:
                raise _BrokenOff
            getattr(self._whole, name)(*given)

        return write


def test_a_contract_of_a_reference_is_named_as_no_model_can_be() -> None:
    """The rule for names refuses such names."""
    contract = Contract(model="m", version=3, task=Task.BINARY, features=())
    assert fault(Named.MODEL, contract.of_reference.model) != ""
    assert msgspec.structs.replace(contract.of_reference, model="m") == contract
