"""Cursors and ownership: there is one owner at a time, and a former owner cannot write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from core.episode import EpisodeRecord, Rule
from core.error import Fenced
from storage.control.store import ControlStore

RULE = Rule(model="late", monitor="drift", column="temp", segment="all")


def test_a_cursor_is_the_last_document_of_its_owner(store: ControlStore) -> None:
    """Each owner has its own."""
    assert store.cursor("ingest/0") is None
    store.save_cursor("ingest/0", {"position": 2**60})
    store.save_cursor("owner/late", {"a": [1, None]})
    store.save_cursor("ingest/0", {"position": 2**60 + 1})
    assert (store.cursor("ingest/0"), store.cursor("owner/late")) == ({"position": 2**60 + 1}, {"a": [1, None]})


def test_each_taker_counts_the_epoch_up_and_finds_what_was_saved(store: ControlStore) -> None:
    """Taking is no saving: the document stays, without the epoch in it, and there is none before the first."""
    assert [store.take("owner:late"), store.take("owner:late"), store.take("owner:other")] == [1, 2, 1]
    assert store.cursor("owner:late") is None
    store.save_cursor("owner:late", {"at": 7}, 2)
    assert store.take("owner:late") == 3
    assert store.cursor("owner:late") == {"at": 7}


def test_saving_without_an_epoch_takes_nothing_from_the_owner(store: ControlStore) -> None:
    """The epoch is as it was."""
    epoch = store.take("owner:late")
    store.save_cursor("owner:late", {"at": 1})
    store.holds("owner:late", epoch)
    assert store.cursor("owner:late") == {"at": 1}


def test_who_was_overtaken_saves_nothing_more(store: ControlStore) -> None:
    """Neither cursor nor alerts; the new owner's stay."""
    old = store.take("owner:late")
    store.save_cursor("owner:late", {"at": 1}, old)
    new = store.take("owner:late")
    with pytest.raises(Fenced, match="owner:late"):
        store.save_cursor("owner:late", {"at": 2}, old)
    with pytest.raises(Fenced, match="epoch 1"):
        store.holds("owner:late", old)
    with pytest.raises(Fenced), store.recording(("owner:late", old)) as ledger:
        ledger.write(EpisodeRecord(rules=[RULE]))
    with store.recording(("owner:late", new)) as ledger:
        assert ledger.rules("late", "drift") == []
        ledger.write(EpisodeRecord(rules=[RULE]))
    assert store.cursor("owner:late") == {"at": 1}


def test_nobody_owns_what_was_never_taken(store: ControlStore) -> None:
    """A made-up epoch, 0 included, is fenced."""
    for epoch in (0, 1):
        with pytest.raises(Fenced):
            store.holds("owner:late", epoch)
        with pytest.raises(Fenced):
            store.save_cursor("owner:late", {}, epoch)


def test_taking_over_waits_for_what_the_owner_has_begun(store: ControlStore) -> None:
    """What is written under the old epoch is there before the new one begins; then nothing more is."""
    old = store.take("owner:late")
    with ThreadPoolExecutor(1) as pool:
        with store.recording(("owner:late", old)) as ledger:
            taking = pool.submit(store.take, "owner:late")
            assert wait([taking], timeout=0.3).not_done
            ledger.write(EpisodeRecord(rules=[RULE]))
        new = taking.result(300)
    with store.recording(("owner:late", new)) as ledger:
        assert ledger.rules("late", "drift") == [RULE]


def test_epochs_taken_at_the_same_time_are_all_different(store: ControlStore) -> None:
    """Twenty takers, twenty epochs, one owner."""
    with ThreadPoolExecutor(5) as pool:
        epochs = sorted(pool.map(lambda _: store.take("owner:late"), range(20)))
    assert epochs == list(range(1, 21))
    store.holds("owner:late", 20)


def test_documents_are_found_by_the_beginning_of_their_names(store: ControlStore) -> None:
    """No name that merely looks like it, none that is only owned, and none that was forgotten."""
    for name in ("process:a", "process:b", "processes", "process_x"):
        store.save_cursor(name, {"name": name})
    store.take("process:owned")
    assert store.cursors("process:") == {name: {"name": name} for name in ("process:a", "process:b")}
    store.forget("process:a")
    store.forget("process:never")
    assert list(store.cursors("process:")) == ["process:b"]
    assert list(store.cursors("process_")) == ["process_x"]
