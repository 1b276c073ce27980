"""What is exported is what was sent, with the labels that hold, in both engines and in portions of any size."""

from __future__ import annotations

import csv as csvs
import hashlib
import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from core import moment
from core.block import Labels
from core.clock import ManualClock
from core.error import ConfigError, Missing
from core.event_query import EventQuery
from core.retrain import Retrain, RetrainState, Trigger
from core.signed_address import Refused
from tests.acceptance.test_production import _send as send
from tests.acceptance.test_reference_facts import START, file, give, stores
from watchkeeper.export_file import csv, parquet
from watchkeeper.reader import exported
from watchkeeper.reader.reader import Reader
from watchkeeper.stores import Stores
from watchkeeper.training_address import window_of
from watchkeeper.training_manifest import export_url, manifest

__all__ = ["stores"]
NOW = START + 400 * moment.DAY


@pytest.fixture
def sent(stores: Stores) -> pa.Table:
    """The rows that were sent, in order of time and id."""
    table = file()
    table = table.filter(table["ts"].is_valid())
    give(stores, "m", table)
    send(stores, table)
    ids = pa.array([f"e{row}" for row in range(table.num_rows)])
    return table.append_column("prediction_id", ids).sort_by([("ts", "ascending"), ("prediction_id", "ascending")])


def reader(stores: Stores) -> Reader:
    return Reader(cast("Any", SimpleNamespace(stores=stores, clock=ManualClock(NOW))))


def export(stores: Stores, most: int | None = None, *, beside: bool = False, **asked: Any) -> Iterator[pa.Table]:
    query = EventQuery(model="m", **({"order": "oldest"} | asked))
    return reader(stores).export(query, most, beside=beside)


def checksum(table: pa.Table) -> str:
    """A checksum of all cells, which shows the type of each."""
    return hashlib.sha256(json.dumps([[repr(cell) for cell in column.to_pylist()] for column in table.columns]).encode()).hexdigest()


def as_exported(stores: Stores, sent: pa.Table) -> pa.Table:
    """The rows that were sent, as an export gives them: classes and categories are texts, and a label comes an hour after its event."""
    contract = stores.control.contract("m")
    assert contract is not None
    kinds = {column.name: column.numeric for column in contract.columns}
    labelled = sent["label"].is_valid()
    late = pc.if_else(labelled, pc.add(sent["ts"].cast(pa.int64()), moment.HOUR), None)
    found = {
        "prediction_id": sent["prediction_id"],
        "ts": sent["ts"].cast(pa.timestamp("us", "UTC")),
        "prediction": sent["prediction"].cast(pa.string()),
        "label": sent["label"].cast(pa.string()),
        "label_ts": late.cast(pa.timestamp("us", "UTC")),
    }
    if contract.scored:
        found["score"] = sent["score"]
    for name, numeric in kinds.items():
        found[name] = sent[name].cast(pa.float64()) if numeric else sent[name].cast(pa.string())
    return pa.table(found)


def test_an_export_equals_what_was_sent(stores: Stores, sent: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """By checksum of all cells, through a Parquet file of several portions; a CSV file has the same events, times with all digits, and null as an empty cell."""
    monkeypatch.setattr(exported, "_ROWS", 997)
    written = b"".join(parquet(export(stores)))
    read = pq.read_table(io.BytesIO(written))
    wanted = as_exported(stores, sent)
    assert read.column_names == wanted.column_names
    assert checksum(read) == checksum(wanted)
    assert read.num_rows == sent.num_rows
    assert sum(table.num_rows for table in export(stores, 1_500)) == 1_500
    heading, first, *rest = (text := b"".join(csv(export(stores))).decode()).splitlines()
    assert heading == '"prediction_id","ts","prediction","label","label_ts","score","x","c"'
    assert next(csvs.reader([first]))[:2] == [sent["prediction_id"][0].as_py(), moment.text(sent["ts"].cast(pa.int64())[0].as_py())]
    assert len(rest) == sent.num_rows - 1
    assert len([row for row in csvs.DictReader(io.StringIO(text)) if not row["x"]]) == sent["x"].null_count


def corrected(stores: Stores, ids: list[str], text: str, *, deleted: bool, logged: int) -> None:
    """A later label, or retraction, of these events, which the owner has joined."""
    n = len(ids)
    zeros, at = np.zeros(n, np.int64), np.full(n, NOW)
    labels = Labels(
        id=np.array(ids, object), ts=at, text=np.full(n, text, object), number=np.full(n, float(text or "nan")), weight=np.full(n, 2.0),
        deleted=np.full(n, deleted), prediction_ts=zeros, position=np.full(n, logged), row=np.arange(n), logged=np.full(n, logged),
    )  # fmt: skip
    stores.writer.labels({"m": labels}, 0, None)
    stores.outcomes.join("m", {}, {0: (logged, logged)}, 2)


def test_labels_hold_as_the_list_of_events_tells_them(stores: Stores, sent: pa.Table) -> None:
    """A corrected label is exported as it is now, a retracted one is null, and both as they were before where that is asked for; filters and order are those of the list."""
    first = sent["prediction_id"].to_pylist()[:3]
    corrected(stores, first[:2], "1", deleted=False, logged=START + moment.DAY)
    corrected(stores, first[1:], "", deleted=True, logged=START + 2 * moment.DAY)
    now = pa.concat_tables(export(stores, beside=True))
    assert (now["label"].to_pylist()[:3], now["@weight"].to_pylist()[:3]) == (["1", None, None], [2.0, None, None])
    assert set(now["@version"].to_pylist()) == {"1"}
    then = pa.concat_tables(export(stores, as_of=START + 1))
    assert checksum(then) == checksum(as_exported(stores, sent))
    for asked in (
        {"label": "wrong", "order": "worst"},
        {"segment": "c=rare", "order": "newest"},
        {"label": "unknown", "start": START + moment.DAY},
    ):
        rows = pa.concat_tables(export(stores, **asked))
        listed, _ = reader(stores).events(EventQuery(model="m", limit=10_000, **({"order": "oldest"} | asked)))
        assert rows["prediction_id"].to_pylist() == [one["prediction_id"] for one in listed]
        assert rows["label"].to_pylist() == [one["label"] for one in listed]
    assert 0 < len(listed) < sent.num_rows
    with pytest.raises(ConfigError, match="no segment"):
        next(export(stores, segment="d=x"))


def test_events_of_an_earlier_contract_have_the_columns_of_the_newest(stores: Stores, sent: pa.Table) -> None:
    """A column that is new is null, and the order of the events stays. Without events there is an empty table with the columns."""
    give(stores, "m", file().append_column("new", pa.array(np.arange(file().num_rows) / 7)))
    rows = pa.concat_tables(export(stores))
    assert checksum(rows.drop(["new"])) == checksum(
        as_exported(stores, sent.append_column("new", pa.nulls(sent.num_rows, pa.float64()))).drop(["new"])
    )
    assert rows["new"].null_count == sent.num_rows
    (none,) = export(stores, end=START - moment.DAY)
    assert (none.num_rows, none.schema) == (0, rows.schema)


def test_a_manifest_counts_what_its_address_exports(stores: Stores, sent: pa.Table) -> None:
    """Rows and labels are those of the export and of the SQL query; events and labels that the log takes later are not in the export."""
    start, end = START + moment.DAY, START + 3 * moment.DAY
    found = manifest(stores, "m", start, end, segments=("c=a",))
    asked_for = Retrain(
        id="r", model="m", hook="h", state=RetrainState.DISPATCHED, trigger=Trigger.HAND, reason="", created=end, deadline=end + 1
    )
    assert export_url(stores, "http://127.0.0.1:8650", asked_for) is None
    address = export_url(stores, "http://127.0.0.1:8650", msgspec.structs.replace(asked_for, manifest=found))
    assert address is not None
    given = dict(parse_qsl(address.partition("?")[2]))
    window = window_of(given, stores.control.signing_key(), end)
    with pytest.raises(Refused, match="expired"):
        window_of(given, stores.control.signing_key(), end + 1)
    assert (window.start, window.end, window.as_of) == (start, end, end)
    asked: dict[str, Any] = {"start": window.start, "end": window.end, "as_of": window.as_of}
    rows = pa.concat_tables(export(stores, **asked))
    times = sent["ts"].cast(pa.int64()).to_numpy()
    inside = (times >= start) & (times < end)
    assert (
        (found.rows, found.labelled)
        == (rows.num_rows, rows.num_rows - rows["label"].null_count)
        == (inside.sum(), (inside & sent["label"].is_valid().to_numpy()).sum())
    )
    queried = stores.engine.query(found.sql).sort_by([("ts", "ascending"), ("prediction_id", "ascending")])
    for name in ("prediction_id", "label", "x", "c"):
        assert queried[name].to_pylist() == rows[name].to_pylist()
    document = found.document()
    assert (document["from"], document["to"], document["contract"], document["version"]) == (moment.text(start), moment.text(end), 1, "1")
    assert document["label_coverage"] == pytest.approx(0.7, abs=0.05)
    corrected(stores, rows["prediction_id"].to_pylist()[:1], "1", deleted=False, logged=end + 1)
    assert checksum(pa.concat_tables(export(stores, **asked))) == checksum(rows)
    assert manifest(stores, "m", None, end).start == times[0]
    with pytest.raises(Missing, match="no model"):
        manifest(stores, "nobody", None, end)
