"""The reader's rows of models: what each holds, and how many queries they take."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pyarrow as pa
import pytest

from core.clock import ManualClock
from core.contract import LABEL, Contract
from core.document_name import OWNER
from core.error import ConfigError, Retryable
from core.event_query import EventQuery, Range, Texts
from core.monitor import Monitor
from core.reading import Query
from core.segment import Segments
from core.window.tumbling import Tumbling
from dashboard import late
from dashboard.pages import fleet, inbox
from dashboard.route import page
from dashboard.site import LATE
from detectors.summary.inputs import InputSummary
from detectors.summary.performance import PerformanceSummary
from monitors.reference.derive import ReferenceSummary
from storage.facts.outcome_store import OutcomeStore
from storage.facts.readings import Current
from tests.storage.facts.test_facts import CONTRACT, HOUR, labels, pane_rows, predictions
from tests.storage.facts.test_progress import batch
from watchkeeper.reader.kept import LONGEST, Kept
from watchkeeper.reader.reader import Reader
from watchkeeper.services import Pages
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    """Models `empty`, `m` with one prediction id and `n` with two, and a monitor of each."""
    stores = Stores(Settings(data=tmp_path), ManualClock(1))
    try:
        stores.migrate()
        for place, name in enumerate(("empty", "m", "n")):
            add(stores, name, place)
        yield stores
    finally:
        stores.close()


def add(stores: Stores, name: str, place: int) -> None:
    """Save a model; with predictions and labels, unless its place is 0."""
    contract = msgspec.structs.replace(CONTRACT, model=name)
    stores.control.save_contract(contract, content=name, reference=None)
    stores.control.apply_monitors([Monitor(name="nulls", model=name, measure="quality.null_rate", window=Tumbling(HOUR))])
    if place:
        stores.writer.predictions([(contract, predictions(["a", "b"][:place]))], 0, None)
        stores.writer.labels({name: labels(["a", "unknown"], "1")}, 0, None)
        stores.writer.panes([(contract, pane_rows(0, place))], None)
        stores.writer.batches([batch(10, place, model=name, at=place * HOUR)])
        OutcomeStore(stores.engine).join(name, {0: (1, 1)}, {0: (1, 1)}, 1)
        label(stores, name, 1, 1)


def label(stores: Stores, name: str, rows: int, generation: int) -> None:
    """Write the performance pane of the first slot with so many labelled rows, as the owner does in a later generation."""
    held = {"slot": 0, "version": "1", "role": "champion", "segment": "all", "n": rows, "label_bin": [0], "label_count": [rows]}
    schema = PerformanceSummary.zero().to_columns().schema
    blank: dict[str, Any] = {field.name: [] if pa.types.is_list(field.type) else 0 for field in schema}
    table = pa.Table.from_pylist([blank | held | {"label_sum": [0.0]}], schema)
    stores.writer.performance_panes(msgspec.structs.replace(CONTRACT, model=name), table, generation)


def test_the_row_of_a_model_among_all_is_that_of_the_model_alone(stores: Stores) -> None:
    """One without events says so."""
    reader = Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=ManualClock(1))))
    rows, none = reader.models(), {"outside": {"predictions": 0, "labels": 0}}
    assert [row | none for row in rows] == [reader.model(contract) for contract in stores.control.contracts()]
    names = ("model", "first_ts", "predictions", "labels", "labelled")
    assert [[row[name] for name in names] for row in rows] == [["empty", None, 0, 0, 0], ["m", HOUR, 2, 2, 1], ["n", 2 * HOUR, 3, 2, 1]]


def test_what_facts_say_of_a_model_is_read_again_only_once_something_came(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far its events are is asked each time, all else again after a batch, after a step of its owner, and a minute later; of other models what was known stays."""
    reader, now = Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=ManualClock(1)))), [0.0]
    monkeypatch.setattr(reader._counted, "_clock", lambda: now[0])
    monkeypatch.setattr(reader._standing, "_clock", lambda: now[0])
    pages, asked, ask = Pages(reader), list[str](), stores.engine.query

    def query(sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        asked.append(sql)
        return ask(sql, parameters)

    monkeypatch.setattr(stores.engine, "query", query)

    def seen() -> tuple[Any, ...]:
        found, among = pages.model("m"), next(row for row in pages.models() if row.model == "m")
        assert found is not None
        assert (found.predictions, found.labels) == (among.predictions, among.labels)
        return found.predictions, found.labels, found.last_ts, list(found.segments), list(found.served)

    first = seen()
    assert first == (2, 1, HOUR, ["all"], [("1", "champion")])
    asked.clear()
    assert seen() == first
    assert len(asked) == 2
    label(stores, "m", 2, 2)
    stores.control.save_cursor(OWNER + "m", {"generation": 2})
    assert seen() == (2, 2, *first[2:])
    stores.writer.panes([(msgspec.structs.replace(CONTRACT, model="m"), pane_rows(HOUR, 4))], None)
    stores.writer.batches([batch(11, 4, model="m", at=2 * HOUR)])
    assert seen() == (7, 2, 2 * HOUR, *first[3:])
    label(stores, "m", 3, 3)
    assert seen()[1] == 2
    now[0] = LONGEST
    assert seen()[1] == 3


def test_what_is_too_old_to_be_given_is_forgotten() -> None:
    """So that what is kept does not grow with all models that were ever looked at."""
    now = [0.0]
    kept = Kept[int](10.0, lambda: now[0])
    for at, model in enumerate("abca"):
        now[0] = 4.0 * at
        kept.put(model, "stamp", at)
    assert [kept.get(model, "stamp") for model in "abc"] == [3, 1, 2]
    assert kept.get("a", "other") is None
    now[0] = 16.0
    kept.put("d", "stamp", 4)
    assert list(kept._held) == ["c", "a", "d"]


def test_a_store_that_is_away_is_not_waited_for_in_turn(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks while a look is under way is told of its failure; who asks later looks again, as who asks for another model does."""
    asked, waits, others = list[str](), Event(), list[Thread]()
    told = list[str]()

    def tag() -> str:
        waits.set()
        return ""

    reader = Reader(cast("Any", SimpleNamespace(stores=stores, tag=tag, clock=ManualClock(1))))
    m, n = (msgspec.structs.replace(CONTRACT, model=name) for name in "mn")

    def look() -> None:
        with pytest.raises(Retryable, match="away") as raised:
            reader._of(m)
        told.append(str(raised.value))

    def segments(contract: Contract) -> list[str]:
        asked.append(contract.model)
        if contract.model == "m" and len(asked) == 1:
            others.extend((Thread(target=reader._of, args=(n,), daemon=True), Thread(target=look, daemon=True)))
            others[0].start()
            others[0].join(5)
            waits.clear()
            others[1].start()
            assert waits.wait(10)  # the other one has begun
            raise Retryable("away")
        return ["all"]

    monkeypatch.setattr(stores.panes, "segments", segments)
    look()
    others[1].join(10)
    assert (asked, told) == (["m", "n"], ["away", "away"])
    assert reader._of(m).segments == ["all"]


def test_what_panes_hold_is_asked_again_once_something_came(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for each page: one short query tells whether something came."""
    tags, asked, ask = iter(range(9)), list[str](), stores.engine.query
    reader = Reader(cast("Any", SimpleNamespace(stores=stores, tag=lambda: str(next(tags)), clock=ManualClock(1))))
    contract = msgspec.structs.replace(CONTRACT, model="m")

    def query(sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        asked.append(sql)
        return ask(sql, parameters)

    def look() -> tuple[int, int]:
        asked.clear()
        return int(reader._of(contract).rows.sum()), len(asked)

    monkeypatch.setattr(stores.engine, "query", query)
    first, queries = look()
    assert queries == 3
    assert look() == (first, 1)
    stores.writer.panes([(contract, pane_rows(HOUR, 4))], None)
    stores.writer.batches([batch(21, 4, model="m", at=2 * HOUR)])
    assert look() == (first + 5, 3)
    assert look() == (first + 5, 1)


def test_versions_for_the_marks_of_charts_are_read_once(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page of a model asks for them, and each may be large. A version that is saved is seen."""
    reader, asked, read = (
        Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=ManualClock(1)))),
        list[str](),
        stores.control.contract_history,
    )

    def history(model: str, most: int) -> list[tuple[Contract, int, bool, str]]:
        asked.append(model)
        return read(model, most)

    monkeypatch.setattr(stores.control, "contract_history", history)
    for place, content in enumerate(("other", "third")):
        stores.control.save_contract(msgspec.structs.replace(CONTRACT, model="m"), content=content, reference=None)
        for _ in range(3):
            assert [one.version for one in reader.contract_versions("m", references=False)] == [*range(place + 2, 0, -1)]
    assert asked == ["m", "m"]
    assert reader.contract_versions("none", references=False) == []


def test_versions_that_only_took_up_values_share_a_reference(stores: Stores) -> None:
    """It may be large, and a version comes with each new value."""
    reader = Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=ManualClock(1))))
    given = ReferenceSummary(InputSummary.zero(), PerformanceSummary.zero(), {}, {}).to_bytes()
    first = stores.control.save_contract(msgspec.structs.replace(CONTRACT, model="m"), content="r", reference=given)
    later = msgspec.structs.replace(first, version=first.version + 1, referred=first.version)
    assert reader._reference(first) is reader._reference(later)
    assert reader._reference(first) is not None


def test_the_pulse_is_that_of_all_rows_together(stores: Stores) -> None:
    """Open episodes, and the newest event."""
    reader = Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=ManualClock(1))))
    rows = reader.models()
    newest = max(row["last_ts"] for row in rows if row["last_ts"] is not None)
    assert reader.header_facts() == (sum(row["open_episodes"] for row in rows), newest)


def test_the_flow_is_what_came_lately_and_what_could_not_be_used(stores: Stores) -> None:
    """By the log's time; dead letters by topic, model, field and reason, with the place of the newest."""
    reader = Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=ManualClock(3 * HOUR))))
    letter: dict[str, str | int] = {"topic": "labels", "partition": 0, "model": "m", "field": "label", "reason": "no label"}
    stores.writer.dead_letters(
        [
            {**letter, "position": 4, "row": 1, "logged": HOUR},
            {**letter, "position": 9, "row": 0, "logged": 2 * HOUR},
            {**letter, "position": 9, "row": 1, "logged": 2 * HOUR, "field": "ts", "reason": "no time"},
        ]
    )
    rows, refused = reader.flow(10)
    assert rows == {"predictions": 2}  # of the model whose batch the log took at two hours
    assert [(one.field, one.letters, one.newest, one.position, one.row) for one in refused] == [
        ("label", 2, 2 * HOUR, 9, 0),
        ("ts", 1, 2 * HOUR, 9, 1),
    ]
    assert len(reader.flow(1)[1]) == 1


def test_a_monitor_that_is_not_stored_is_tried_by_its_form(stores: Stores) -> None:
    """By the back-test and the rules of delivery that stored monitors have; what the grammar refuses is said, and nothing is written."""
    pages = cast("Any", Pages(Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=ManualClock(3 * HOUR))))))
    before, column = pages.monitors("m"), CONTRACT.features[0].name

    def tried(query: str) -> str:
        return str(asyncio.run(late.draw(pages, LATE, json.dumps(["trial", f"?model=m&monitor=tried&measure=quality.null_rate{query}"]))))

    shown = tried(f"&columns={column}&warn=0.1")
    assert "What it would have raised" in shown
    assert "An episode of severity ticket goes " in shown
    assert "/v1/apply" in shown
    assert "nowhere" in tried("&columns=nowhere").partition("It cannot be tried")[2]
    assert "a b" not in tried("&columns=a%C2%85b")  # to YAML the character between them is the end of a line
    assert pages.monitors("m") == before


def test_the_stores_are_asked_as_often_for_many_models_as_for_few(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of models, the pages of the fleet, of the inbox, of one model, of search, of baselines and of the form of a monitor, and a page of readings."""
    backend = SimpleNamespace(stores=stores, tag=str, clock=ManualClock(1), status=lambda _age: {"problems": [], "quiet": True})
    reader = Reader(cast("Any", backend))
    pages = cast("Any", Pages(reader))
    works: dict[str, Callable[[], object]] = {
        "models": reader.models,
        "fleet": lambda: asyncio.run(fleet.draw(pages)),
        "inbox": lambda: asyncio.run(inbox.draw(pages)),
        "model": lambda: asyncio.run(page(pages, "/models/m", "")),
        "search": lambda: asyncio.run(page(pages, "/ui/search", "?q=m")),
        "baselines": lambda: asyncio.run(page(pages, "/ui/baselines", "")),
        "form": lambda: asyncio.run(page(pages, "/ui/monitor", "?model=m")),
        "readings": lambda: reader.page(Query()),
        "pulse": reader.header_facts,
    }
    monkeypatch.setattr(stores.control, "_refresh", 3_600.0)  # seconds: a contract that is read again after five would count, too
    asked: list[str] = []  # threads append to it
    ask, read = stores.engine.query, stores.control.read

    def query(sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        asked.append("facts")
        return ask(sql, parameters)

    def reading() -> Any:
        asked.append("control")
        return read()

    monkeypatch.setattr(stores.engine, "query", query)
    monkeypatch.setattr(stores.control, "read", reading)

    def counts() -> dict[str, Counter[str]]:
        found = {}
        for name, work in works.items():
            asked.clear()
            work()
            found[name] = Counter(asked)
        return found

    counts()  # what is remembered of a model is remembered
    few = counts()
    for place in range(7):
        add(stores, f"x{place}", place % 3)
    counts()  # what was defined is read once
    assert counts() == few
    assert all(few.values())


def test_readings_as_of_a_time_are_of_the_definitions_of_then(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new contract holds from when everything had been evaluated under it; a deleted monitor is shown before its deletion, and to who names it."""
    clock = cast("ManualClock", stores.control._clock)
    clock.advance(9)  # 10
    stores.control.save_contract(msgspec.structs.replace(CONTRACT, model="m"), content="other", reference=None)
    stores.control.save_cursor(OWNER + "m", {"contract": 2, "contracts": {"1": 5, "2": 20}})
    clock.advance(20)  # 30
    with stores.control.retiring() as change:
        change.monitor("m", "nulls")
    asked: list[Current] = []
    monkeypatch.setattr(stores.readings, "read", lambda _, current: asked.append(current))
    reader = Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=clock)))
    for at in (0, 19, 29, 30):
        reader.page(Query(model="m", as_of=at))
    reader.page(Query(model="m", monitor="nulls", as_of=30))
    assert asked == [{}, {("m", "nulls"): (1, 1)}, {("m", "nulls"): (1, 2)}, {}, {("m", "nulls"): (1, 2)}]
    assert {model for model, _ in reader._definitions_at(Query(), 30)} == {"empty", "n"}


def test_new_categories_are_those_of_events_under_every_contract(stores: Stores) -> None:
    """Panes count an event of an earlier contract, once they were made again, so its value is told, too."""
    reader, block = Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=ManualClock(1)))), predictions(list("vwxyz"))
    first = msgspec.structs.replace(CONTRACT, model="empty")
    newest = msgspec.structs.replace(first, version=2)
    stores.control.save_contract(newest, content="newest", reference=None)
    stores.writer.predictions([(first, block)], 0, None)
    stores.writer.panes([(newest, InputSummary.of(newest, Segments(newest), block).to_columns())], None)
    assert reader.new_categories("empty", 0, 9 * HOUR) == [("c", 1, [("%6Eull", 1)])]


def test_an_event_is_as_it_was_sent(stores: Stores) -> None:
    """Missing and invalid values are null, and the invalid ones are named; the label that holds is there, and the loss."""
    reader = Reader(cast("Any", SimpleNamespace(stores=stores, tag=str, clock=ManualClock(1))))
    stores.writer.predictions([(msgspec.structs.replace(CONTRACT, model="m"), predictions(list("wxyz"), start=9, position=7))], 0, None)
    stores.writer.labels({"m": labels(["y"], "1", position=8)}, 0, None)
    stores.outcomes.join("m", {0: (7, 7)}, {0: (8, 8)}, 1)
    events, after = reader.events(EventQuery(model="m", order="oldest", start=9 * HOUR))
    assert after is None
    told = [(one["prediction_id"], one["features"], one["invalid"], one["label"], one["loss"]) for one in events]
    assert told == [
        ("w", {"x": None, "c": "a", "y": 0.0}, [], None, None),
        ("x", {"x": None, "c": None, "y": 1 / 3}, ["x"], None, None),
        ("y", {"x": 0.0, "c": None, "y": 2 / 3}, ["c"], "1", 1.0),
        ("z", {"x": 1.0, "c": "null", "y": 1.0}, [], None, None),
    ]
    one = reader.event("m", "y")
    assert one is not None
    assert ([label["label"] for label in one["labels"]], one["percentiles"], one["origin"]["position"]) == (["1"], {}, 7)
    assert reader.event("m", "nothing") is None
    beside = [reader.beside(EventQuery(model="m", order=order, start=9 * HOUR), one) for order in ("oldest", "worst")]
    assert beside == [("x", "z"), (None, None)]
    assert reader.event_counts(EventQuery(model="m", start=9 * HOUR, label="known"), HOUR).by_slot == {11 * HOUR: 1}
    assert [reader.values("m", "x", name) for name in ("[0.25,0.5)", "[-inf,0.5)")] == [Range(0.25, 0.5), Range(None, 0.5)]
    assert [reader.values("m", column, name) for column, name in (("x", "[0,inf)"), ("c", "unseen"), ("y", "invalid"))] == [
        Range(0.0, None),
        Texts(("a", "b"), others=True),
        "invalid",
    ]
    for column, name in (("x", "2"), ("x", "[2,1)"), ("x", "[a,1)"), ("nothing", "null"), (LABEL, "1")):
        with pytest.raises(ConfigError):
            reader.values("m", column, name)
