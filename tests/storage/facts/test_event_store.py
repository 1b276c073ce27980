"""Single events by what they hold, on each engine."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from core.block import Categories
from core.contract import Column, Contract, Kind, Task
from core.error import ConfigError
from core.event_query import EventCounts, EventQuery, Outside, Range, Texts
from core.moment import EARLIEST, LATEST
from storage.facts import event_list
from storage.facts.engine import Engine
from storage.facts.event_store import EventStore
from storage.facts.outcome_store import OutcomeStore
from storage.facts.page_cursor import encode
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, HOUR, labels, predictions

# The next version has another order of columns, and one more.
SECOND = msgspec.structs.replace(
    CONTRACT, version=2, features=(Column(name="z", kind=Kind.CATEGORICAL, categories=("k",)), *CONTRACT.features[::-1])
)
NUMBERS = msgspec.structs.replace(
    CONTRACT, task=Task.REGRESSION, outputs=(Column(name="@prediction", kind=Kind.NUMERIC, edges=(1.0,)),), classes=(), scored=False
)
LOGGED = 1_700_000_000_000_000


@pytest.fixture
def store(engine: Engine) -> EventStore:
    """Five events a to e of the first contract, f of the second; labels of all but c, one of them retracted, one corrected; b came again in another partition."""
    write, outcomes = Writer(engine), OutcomeStore(engine)
    write.predictions([(CONTRACT, predictions(list("abcde")))], 0, None)
    changed: dict[str, Any] = {
        "numbers": (np.array([7.0]), np.array([9.0])),
        "texts": (Categories.of(["k"]), Categories.of(["b"])),
        "prediction": Categories.of(["1.0"]),
    }
    write.predictions([(SECOND, replace(predictions(["f"], start=5, position=2), **changed))], 0, None)
    write.predictions([(CONTRACT, predictions(["b"], start=1, position=9))], 1, None)
    for ids, text, ts, position, deleted in (
        ("abd", "1", 10, 1, False),
        ("a", "0", 20, 2, False),
        ("d", "", 30, 3, True),
        ("ef", "1", 10, 4, False),
    ):
        write.labels({"m": labels(list(ids), text, ts=ts, position=position, deleted=deleted)}, 0, None)
        outcomes.join("m", {0: (1, 2), 1: (9, 9)}, {0: (position, position)}, position)
    outcomes.find_contested("m", {0: (1, 2), 1: (9, 9)}, 4)
    return EventStore(engine)


def ids(store: EventStore, **asked: Any) -> str:
    """The ids that answer, in order."""
    table, after = store.page([CONTRACT, SECOND], EventQuery(model="m", **asked))
    assert after is None
    return "".join(table["prediction_id"].to_pylist())


CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "fedcba"),
    ({"order": "oldest"}, "abcdef"),
    ({"start": HOUR, "end": 3 * HOUR + 5}, "cb"),
    ({"version": "1", "role": "champion"}, "fedcba"),
    ({"version": "2"}, ""),
    ({"role": "shadow"}, ""),
    ({"segment": "c=a"}, "a"),
    ({"segment": "c=b"}, "fe"),
    ({"segment": "c=null"}, "b"),
    ({"segment": "c=invalid"}, "c"),
    ({"segment": "c=other"}, "d"),
    ({"column": "x", "values": "null"}, "a"),
    ({"column": "x", "values": "invalid"}, "b"),
    ({"column": "x", "values": Range(1.0, 9.5)}, "fed"),
    ({"column": "x", "values": Range(high=1.0)}, "c"),
    ({"column": "x", "values": Outside(0.5, 2.0)}, "fc"),
    ({"column": "c", "values": Outside(0.5, 2.0)}, ""),
    ({"column": "z", "values": Texts(("k",))}, "f"),
    ({"column": "z", "values": "null"}, "edcba"),
    ({"column": "c", "values": Texts(("a", "b"), others=True)}, "d"),
    ({"column": "@prediction", "values": Texts(("1",))}, "fdb"),
    ({"column": "@score", "values": Range(0.45, 0.75)}, "dc"),
    ({"label": "known"}, "feba"),
    ({"label": "unknown"}, "dc"),
    ({"label": "wrong"}, "e"),
    ({"order": "worst"}, "efba"),
    ({"order": "worst", "label": "wrong"}, "e"),
    ({"order": "worst", "label": "unknown"}, ""),
    ({"order": "worst", "segment": "c=b"}, "ef"),
    ({"as_of": LOGGED + 1}, "edcba"),
    ({"as_of": LOGGED + 1, "label": "known"}, "dba"),
    ({"as_of": LOGGED + 1, "label": "wrong"}, "a"),
]


@pytest.mark.parametrize("first", [20_000, 1, 3])
def test_events_by_what_they_hold(store: EventStore, monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    """Under whichever contract they were taken; an event that does not count is not shown, and a class is compared as what it means. Also where those that fit are not among the first ones."""
    monkeypatch.setattr(event_list, "_FIRST", first)
    monkeypatch.setattr(event_list, "_AGAIN", first - 101)
    for asked, found in CASES:
        assert ids(store, **asked) == found, asked


def test_outcomes_of_an_earlier_version_give_the_same_lists(store: EventStore, engine: Engine) -> None:
    """Without what was predicted, and after a rebuild has filled that in; then no list reads all labels."""
    engine.command("ALTER TABLE outcomes UPDATE class = '', loss = nan, filled = 0 WHERE model = 'm' SETTINGS mutations_sync = 1")
    by_label = [(asked, found) for asked, found in CASES if asked.keys() & {"label", "order"}]
    assert [ids(store, **asked) for asked, _ in by_label] == [found for _, found in by_label]
    outcomes = OutcomeStore(engine)
    outcomes.fill("m", outcomes.slots("m", HOUR), HOUR)
    assert [ids(store, **asked) for asked, _ in by_label] == [found for _, found in by_label]
    engine.command("TRUNCATE TABLE labels")
    assert ids(store, order="worst") == "efba"
    assert ids(store, label="wrong") == "e"


def test_lists_are_the_same_in_many_parts(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few events are joined at a time, or are among the worst that are looked at first."""
    for name in ("_WORST", "_FURTHER", "_FIRST", "_NEXT", "_MOST"):
        monkeypatch.setattr(event_list, name, 1)
    for asked, found in CASES:
        if asked.keys() & {"label", "order"}:
            assert ids(store, **asked) == found, asked
    assert ids(store, order="worst", segment="c=null") == "b"
    assert ids(store, order="worst", column="x", values="null", label="known") == "a"
    assert store.list.counts([CONTRACT, SECOND], EventQuery(model="m", label="known"), 2 * HOUR).by_slot == {0: 2, 4 * HOUR: 2}


def test_a_corrected_label_gives_its_event_another_place(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of labels that do not hold any more stay among the outcomes until parts are merged. The worst of them are no longer the worst, and take no place on a page."""
    for name in ("_WORST", "_FURTHER"):
        monkeypatch.setattr(event_list, name, 2)
    write, outcomes = Writer(engine), OutcomeStore(engine)
    write.predictions([(CONTRACT, predictions(list("abcdef")))], 0, None)
    for position, given in ((1, {"abe": "1", "cdf": "0"}), (2, {"e": "0", "f": "1"})):
        for names, text in given.items():
            write.labels({"m": labels(list(names), text, ts=position, position=position)}, 0, None)
        outcomes.join("m", {0: (1, 1)}, {0: (position, position)}, position)
    found, asked = "", EventQuery(model="m", order="worst", limit=2)
    for _ in range(3):
        table, after = EventStore(engine).page([CONTRACT], asked)
        found += "".join(table["prediction_id"].to_pylist())
        asked = msgspec.structs.replace(asked, after=after)
    assert (found, after) == ("dafecb", None)


@pytest.fixture
def numbers(engine: Engine) -> EventStore:
    """Events a to e of a regression, predicted as 1.0, 1.1, ... and all 1.0: the errors grow."""
    write, outcomes = Writer(engine), OutcomeStore(engine)
    write.predictions([(NUMBERS, replace(predictions(list("abcde")), prediction=1.0 + np.arange(5) / 10))], 0, None)
    write.labels({"m": labels(list("abcde"), "1")}, 0, None)
    outcomes.join("m", {0: (1, 1)}, {0: (1, 1)}, 1)
    return EventStore(engine)


def test_the_largest_errors_are_found_among_few_or_many(numbers: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many of the largest are looked at as should hold the page; where too few of these fit, all that fit."""
    for worst, further in ((1, 1), (1, 3), (1, 100), (100, 100)):
        monkeypatch.setattr(event_list, "_WORST", worst)
        monkeypatch.setattr(event_list, "_FURTHER", further)
        for limit in (1, 2, 100):
            for more, wanted in {"": "edcba", "c=a": "a", "c=null": "b"}.items():
                asked, found = EventQuery(model="m", order="worst", segment=more or "all", limit=limit), ""
                while True:
                    table, after = numbers.page([NUMBERS], asked)
                    found += "".join(table["prediction_id"].to_pylist())
                    if after is None:
                        break
                    asked = msgspec.structs.replace(asked, after=after)
                assert found == wanted, (worst, further, limit, more)


def test_few_events_are_joined_with_their_labels_at_a_time(numbers: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that fit may be all of 50 million. So only those with labels are joined that are looked at, or those of a stretch of time; without a label no event has a loss."""
    seen, filtered = list[tuple[bool, Any]](), event_list.EventList._filtered

    def watched(self: event_list.EventList, *given: Any, **more: Any) -> Any:
        found = filtered(self, *given, **more)
        looked_at = len(given) > 4 and given[4] is not None
        seen.append((looked_at, "(ts, prediction_id) IN" in found.sql if looked_at else given[2:4]))
        return found

    monkeypatch.setattr(event_list.EventList, "_filtered", watched)
    asked = EventQuery(model="m", order="worst", version="1", segment="c=a")
    assert numbers.page([NUMBERS], asked)[0]["prediction_id"].to_pylist() == ["a"]
    assert seen == [(True, True)]
    for name in ("_WORST", "_FURTHER", "_FIRST", "_NEXT", "_MOST"):
        monkeypatch.setattr(event_list, name, 1)
    seen.clear()
    assert numbers.page([NUMBERS], asked)[0]["prediction_id"].to_pylist() == ["a"]
    stretches = [span for looked_at, span in seen if not looked_at]
    assert len(stretches) == 3
    assert (EARLIEST, LATEST) not in stretches
    seen.clear()
    assert numbers.page([NUMBERS], msgspec.structs.replace(asked, label="unknown"))[0].num_rows == 0
    assert seen == []


def test_the_neighbours_of_one_of_the_worst_are_found_among_few(numbers: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not among all events of the model, although fewer than are looked at first are worse."""
    reaches, filtered = list[Any](), event_list.EventList._filtered

    def seen(self: event_list.EventList, *given: Any, **more: Any) -> Any:
        reaches.append(given[4])
        return filtered(self, *given, **more)

    monkeypatch.setattr(event_list.EventList, "_filtered", seen)
    assert numbers.list.beside([NUMBERS], EventQuery(model="m", order="worst"), [abs(1.4 - 1.0), 4 * HOUR + 5, "e"]) == (None, "d")
    assert [(one.whole, len(one.bounds)) for one in reaches] == [(True, 1), (True, 1)]


def test_outcomes_of_events_that_were_removed_are_never_filled(store: EventStore, engine: Engine) -> None:
    """An upgrade finds some where raw events are kept for a while. Lists of the events that are left read outcomes all the same."""
    engine.command("ALTER TABLE outcomes UPDATE class = '', filled = 0 WHERE prediction_id = 'a' SETTINGS mutations_sync = 1")
    engine.command("ALTER TABLE predictions DELETE WHERE prediction_id = 'a' SETTINGS mutations_sync = 1")
    engine.command("TRUNCATE TABLE labels")
    assert ids(store, order="worst") == "efb"


def test_pages_hold_every_event_once(store: EventStore) -> None:
    """In each order, whatever the size of a page."""
    for order in ("newest", "oldest", "worst"):
        whole = ids(store, order=order)
        asked, found = EventQuery(model="m", order=order, limit=2), ""
        while True:
            table, after = store.page([CONTRACT, SECOND], asked)
            found += "".join(table["prediction_id"].to_pylist())
            if after is None:
                break
            asked = msgspec.structs.replace(asked, after=after)
        assert found == whole
    for cursor in ("nothing", encode([2**63, "a"]), encode([1.5, 1, "a"]), base64.urlsafe_b64encode(b"[" * 9_000).decode()):
        with pytest.raises(ConfigError, match="cursor"):
            store.page([CONTRACT], EventQuery(model="m", after=cursor))


def test_each_event_has_its_neighbours_in_the_list(store: EventStore) -> None:
    """In each order and under a filter, those that the list shows before and after it."""
    contracts = [CONTRACT, SECOND]
    for asked in (EventQuery(model="m"), EventQuery(model="m", order="oldest"), EventQuery(model="m", label="known", order="worst")):
        page, _ = store.list.places(contracts, asked)
        names = [None, *(one["prediction_id"] for one in page), None]
        keys = ("loss", "at", "prediction_id") if asked.order == "worst" else ("at", "prediction_id")
        found = [store.list.beside(contracts, asked, [one[key] for key in keys]) for one in page]
        assert found == list(zip(names[:-2], names[2:], strict=True))


def test_events_are_counted_over_time_as_they_are_listed(store: EventStore) -> None:
    """By slot, each id once, also under a filter by label."""
    assert store.list.counts([CONTRACT, SECOND], EventQuery(model="m"), 2 * HOUR).by_slot == {0: 2, 2 * HOUR: 2, 4 * HOUR: 2}
    assert store.list.counts([CONTRACT, SECOND], EventQuery(model="m", label="wrong", order="worst"), 2 * HOUR).by_slot == {4 * HOUR: 1}
    assert store.list.counts([CONTRACT, SECOND], EventQuery(model="m", start=HOUR, end=2 * HOUR), HOUR).by_slot == {HOUR: 1}


def test_of_many_events_some_are_counted(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all of a period may be looked at, the estimate is the count, with and without labels; where one may, and these few do not come evenly, it is one by its id, and stands for all."""
    asked = [
        EventQuery(model="m"),
        EventQuery(model="m", label="known"),
        EventQuery(model="m", label="wrong"),
        EventQuery(model="m", label="known", as_of=LOGGED + 1),
    ]
    exact = [store.list.counts([CONTRACT, SECOND], one, 2 * HOUR) for one in asked]
    monkeypatch.setattr(event_list, "EXACT", 3)
    assert [store.list.counts([CONTRACT, SECOND], one, 2 * HOUR) for one in asked] == [
        EventCounts(one.by_slot, estimated=True) for one in exact
    ]
    monkeypatch.setattr(event_list, "DRAWN", 1)  # of seven rows those whose hash is a multiple of seven: a's
    found = [store.list.counts([CONTRACT, SECOND], one, 2 * HOUR).by_slot for one in asked]
    assert found == [{0: 7}, {0: 7}, {}, {0: 7}]


def test_numbers_reach_the_query_exactly(engine: Engine) -> None:
    """A cursor that holds a loss would else repeat or leave out an event."""
    draw = np.random.default_rng(1)
    numbers = [*draw.lognormal(0, 5, 300), 5e-324, 1.7976931348623157e308, 0.1, 1e23]
    sql = "SELECT " + ", ".join(f"reinterpretAsUInt64({{a{at}:Float64}}) AS b{at}" for at in range(len(numbers)))
    found = engine.query(sql, {f"a{at}": float(number) for at, number in enumerate(numbers)}).to_pylist()[0]
    assert list(found.values()) == [int(np.float64(number).view(np.uint64)) for number in numbers]


def test_a_segment_that_is_not_there_is_refused(store: EventStore) -> None:
    """With the dimensions that there are."""
    with pytest.raises(ConfigError, match="is no segment of `m`") as refused:
        ids(store, segment="y=1")
    assert refused.value.remedy == "use all, or c=VALUE"
    with pytest.raises(ConfigError, match="is no segment of `m`"):  # also of a list that is always empty
        ids(store, segment="y=1", order="worst", label="unknown")


def test_one_event_and_all_its_labels(store: EventStore) -> None:
    """The one that holds comes last; of an id that came twice the event that counts."""
    assert store.one("m", "b").to_pylist()[0]["partition"] == 0
    assert store.one("m", "x").num_rows == 0
    told = store.labels("m", ["a", "c", "d"])
    assert {key: [(one["text"], one["deleted"]) for one in those] for key, those in told.items()} == {
        "a": [("1", 0), ("0", 0)],
        "d": [("1", 0), ("", 1)],
    }
    assert [one["text"] for one in store.labels("m", ["a"], LOGGED + 1)["a"]] == ["1"]


def test_shares_of_the_reference(engine: Engine) -> None:
    """Of finite numbers only, ties included."""
    Writer(engine).predictions([(CONTRACT.of_reference, predictions(list("abcde")))], 0, None)
    assert EventStore(engine).shares_below(CONTRACT, [1.0, 0.0]) == [2 / 3, 1 / 5]
    other: Contract = msgspec.structs.replace(CONTRACT, version=3)
    assert np.isnan(EventStore(engine).shares_below(other, [1.0, 0.0])).all()
