"""Deleted things disappear for every process; their history stays, and a name that is defined again goes on from it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress

import msgspec
import pytest

from core.contract import Contract, Task
from core.destination import Destination
from core.episode import Delivery, DeliveryState, EpisodeRecord
from core.error import Fenced, Retryable
from core.monitor import Monitor
from storage.control.retire import RetirementTransaction
from storage.control.store import ControlStore

CONTRACT = Contract(model="late", version=1, task=Task.BINARY, features=())
A, B = (Monitor(name=name, model="late", measure="drift.psi") for name in "ab")
OTHER = Monitor(name="a", model="other", measure="drift.psi")
ONCALL = Destination(name="oncall", settings={"url": "https://example.org"})


@pytest.fixture(autouse=True)
def defined(store: ControlStore) -> None:
    """Two models, monitors, a destination."""
    for model in ("late", "other"):
        store.save_contract(msgspec.structs.replace(CONTRACT, model=model), content="c", reference=b"r")
    store.apply_monitors([A, B, OTHER])
    store.apply_destinations([ONCALL])


def last(store: ControlStore) -> tuple[str, str, str]:
    """Who did what to what, last."""
    (entry, *_), _ = store.audit_entries()
    assert entry.after is None
    return entry.actor, entry.action, entry.subject


def test_a_deleted_monitor_counts_its_revisions_on(store: ControlStore) -> None:
    """It is gone with its own name alone; each of its definitions stays, and the next one has readings of its own."""
    with store.retiring("ada") as change:
        assert change.monitor("late", "a") == A
        assert change.monitor("late", "a") is None
    assert (store.monitors(), last(store)) == ([B, OTHER], ("ada", "monitor.deleted", "late/a"))
    assert (store.last_monitor("late", "a"), store.monitor_revision("late", "a", 1)) == (A, A)
    assert [(one.name, one.revision, one.contract) for one in store.retired_monitors("late")] == [("a", 1, 1)]
    assert store.apply_monitors([A])[0][2] == "created"
    found = store.monitors("late")[0]
    assert (found.revision, found.evaluated_revision) == (2, 2)
    with store.recording() as ledger:
        assert ledger.retired("late", "a", "b") == {"a": 1}


def test_a_deleted_model_takes_its_monitors_along(store: ControlStore) -> None:
    """Its contract versions stay; made again, with the same content too, it has the next one."""
    epoch = store.take("owner:late")
    store.save_cursor("owner:late", {"contract": 1}, epoch)
    store.save_cursor("report:late", {})
    with store.retiring("ada") as change:
        change.fence("owner:late")
        found = change.model("late")
        assert found is not None
        assert [monitor.name for monitor in found[1]] == ["a", "b"]
        change.forget("report:late")
    assert (store.contract("late"), [one.model for one in store.contracts()], store.declared("late")) == (None, ["other"], None)
    assert (store.monitors(), last(store)) == ([OTHER], ("ada", "model.deleted", "late"))
    assert (store.contract_version("late", 1), store.retired_version("late"), store.cursor("report:late")) == (CONTRACT, 1, None)
    with pytest.raises(Fenced):
        store.holds("owner:late", epoch)
    assert store.cursor("owner:late") is None
    with store.retiring() as change:
        assert change.model("late") is None
    assert store.save_contract(CONTRACT, content="c", reference=None).version == 2
    assert [one.version for one in store.contract_versions("late")] == [1, 2]
    found_again = store.contract("late")
    assert found_again is not None
    assert found_again.version == 2


def test_another_process_sees_it(store: ControlStore, url: str) -> None:
    """By the number that tells of any change, and by the contract that it asks for at each batch."""
    with closing(ControlStore(url, refresh=0.0)) as other:
        assert other.contract("late") == CONTRACT
        seen = [other.change_count()]
        steps: list[Callable[[RetirementTransaction], object]] = [
            lambda change: change.monitor("late", "a"),
            lambda change: change.destination("oncall"),
            lambda change: change.model("late"),
        ]
        for step in steps:
            with store.retiring() as change:
                step(change)
            seen.append(other.change_count())
        assert (other.contract("late"), len(set(seen))) == (None, 4)


def test_a_kill_on_the_way_leaves_all_as_it_was(store: ControlStore) -> None:
    """It is one transaction, whatever ends in it."""
    before = (store.contracts(), store.monitors(), store.destinations(), store.audit_entries(), store.retired_monitors())
    with suppress(KeyboardInterrupt), store.retiring() as change:
        change.model("late")
        change.destination("oncall")
        raise KeyboardInterrupt
    assert (store.contracts(), store.monitors(), store.destinations(), store.audit_entries(), store.retired_monitors()) == before


def test_what_waits_for_a_deleted_destination_is_given_up(store: ControlStore) -> None:
    """One of the same name, made later, does not get it."""
    row = Delivery(id="m", destination="oncall", episode="e", type="episode.fired", body="{}", created=0, due=0)
    with store.recording() as ledger:
        ledger.write(EpisodeRecord(deliveries=[row]))
    with store.retiring("ada") as change:
        assert change.destination("oncall") == ONCALL
        assert change.destination("oncall") is None
    assert last(store) == ("ada", "destination.deleted", "oncall")
    store.apply_destinations([ONCALL])
    assert (store.due(1), store.delivery_counts()[DeliveryState.DEAD]) == ([], 1)


def test_a_model_is_not_made_again_while_its_facts_are_removed(store: ControlStore) -> None:
    """What remains to be removed is known until it is done, through a restart; then its references are gone as well."""
    with store.retiring() as change:
        assert not change.purge("nobody")
        change.model("late")
        assert change.purge("late")
    assert store.purges() == ["late"]
    with pytest.raises(Retryable, match="still being removed"):
        store.save_contract(CONTRACT, content="c", reference=None)
    store.purged("late")
    assert (store.purges(), store.reference("late", 1), store.reference("other", 1)) == ([], b"", b"r")
    assert store.save_contract(CONTRACT, content="c", reference=None).version == 2
