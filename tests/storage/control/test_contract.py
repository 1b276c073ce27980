"""Contracts: versions, content, cache."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from core.clock import ManualClock
from core.contract import LABEL, PREDICTION, Column, Contract, Dimension, Kind, Task
from core.error import Fenced, Retryable
from storage.control.store import ControlStore

CONTRACT = Contract(
    model="late",
    version=0,
    task=Task.BINARY,
    features=(
        Column(name="temp", kind=Kind.NUMERIC, edges=(0.1, 1e300), tails=(0.0, 5e-324)),
        Column(name="carrier", kind=Kind.CATEGORICAL, categories=("UA", "%6Eull"), others=("ü",)),
    ),
    outputs=(Column(name=PREDICTION, kind=Kind.CATEGORICAL), Column(name=LABEL, kind=Kind.CATEGORICAL)),
    dimensions=(Dimension(name="carrier", values=("UA",), protected=True),),
    crosses=(("carrier", "origin"),),
    classes=("0", "1"),
)


def save(store: ControlStore, content: str, reference: bytes | None = b"r") -> Contract:
    return store.save_contract(CONTRACT, content=content, reference=reference)


def test_a_contract_comes_back_as_it_was_saved(store: ControlStore) -> None:
    """Every field, every float."""
    assert store.contract("late") is None
    saved = save(store, "a")
    assert saved == msgspec.structs.replace(CONTRACT, version=1)
    assert store.contract("late") == store.contract_version("late", 1) == saved
    assert store.contracts() == [saved]
    assert store.reference("late", 1) == b"r"


def test_the_declaration_that_was_applied_last_is_known(store: ControlStore) -> None:
    """Whatever references came after it."""
    assert store.declared("late") is None
    save(store, "a", b"r")
    assert store.declared("late") is None
    declared = [save(store, content, None) for content in ("b", "c")]
    save(store, "d", b"r")
    assert store.declared("late") == declared[-1]


def test_the_same_content_changes_nothing_and_other_content_is_a_new_version(store: ControlStore) -> None:
    """The version counts contents; older versions stay, each with its reference."""
    versions = [save(store, content, content.encode()).version for content in ("a", "a", "b", "b", "a")]
    assert versions == [1, 1, 2, 2, 3]
    newest = store.contract("late")
    assert newest is not None
    assert newest.version == 3
    assert [store.reference("late", version) for version in (1, 2, 3, 4)] == [b"a", b"b", b"a", None]
    assert store.contract_version("late", 4) is None
    assert [entry.after["version"] for entry in store.audit_entries()[0] if entry.after] == [3, 2, 1]


def test_content_that_an_earlier_version_hashed_is_the_same(store: ControlStore) -> None:
    """The contract stays; a third hash is of other content."""
    save(store, "earlier")
    found = [store.save_contract(CONTRACT, content=now, earlier="earlier", reference=b"r").version for now in ("now", "earlier")]
    assert found == [1, 1]
    assert store.save_contract(CONTRACT, content="now", earlier="other", reference=b"r").version == 2


def test_a_reference_that_is_summarised_again_keeps_its_version(store: ControlStore) -> None:
    """The edition and the bytes are others, and the change is counted. It is refused for a version that is not the newest."""
    first = save(store, "a")
    changes = store.change_count()
    again = msgspec.structs.replace(first, summary=7, facts=True)
    assert store.summarise_contract(again, reference=b"again") == again == store.contract("late")
    assert (store.reference("late", 1), store.change_count()) == (b"again", changes + 1)
    assert store.audit_entries()[0][0].after == {"version": 1, "summary": 7}
    assert save(store, "a") == again
    save(store, "b", None)
    assert store.referenced() == {("late", 1)}
    with pytest.raises(Retryable, match="changed meanwhile"):
        store.summarise_contract(again, reference=b"late")


def test_other_classes_of_the_same_content_are_a_new_version(store: ControlStore) -> None:
    """As after an upgrade that reads a file's classes in another way."""
    for classes, version in ((("0", "0.0", "1"), 1), (("0", "1"), 2), (("0", "1"), 2)):
        assert store.save_contract(msgspec.structs.replace(CONTRACT, classes=classes), content="a", reference=None).version == version


def test_the_newest_contract_is_remembered_and_a_save_is_seen_at_once(store: ControlStore) -> None:
    """Asking again costs no query; saving forgets."""
    save(store, "a")
    first = store.contract("late")
    assert store.contract("late") is first
    save(store, "b")
    second = store.contract("late")
    assert second is not None
    assert second.version == 2


def test_a_save_by_another_process_is_seen_after_the_refresh(url: str, store: ControlStore) -> None:
    """With `refresh=0` at once."""
    other = ControlStore(url, ManualClock(), refresh=0)
    save(store, "a")
    assert [contract.version for contract in [other.contract("late")] if contract] == [1]
    save(store, "b")
    assert [contract.version for contract in [other.contract("late")] if contract] == [2]
    other.close()


def test_saves_at_the_same_time_get_different_versions(store: ControlStore) -> None:
    """Ten threads, ten contents, ten versions."""
    with ThreadPoolExecutor(5) as pool:
        saved = list(pool.map(lambda number: save(store, str(number)).version, range(10)))
    assert sorted(saved) == list(range(1, 11))


def test_new_values_make_a_version_with_the_same_reference(store: ControlStore) -> None:
    """Its content and its reference are those of the version before, so the same file changes nothing; the audit says what was taken up."""
    first = save(store, "a", b"r")
    epoch = store.take("owner:late")
    fence = ("owner:late", epoch)
    (dimension,) = first.dimensions
    wanted = msgspec.structs.replace(first, dimensions=(msgspec.structs.replace(dimension, new=("VX",)),))
    second = store.take_up(wanted, fence, actor="watchkeeper")
    assert second is not None
    assert (second.version, second.based_on, second.of_reference.model) == (2, 1, first.of_reference.model)
    assert second == msgspec.structs.replace(wanted, version=2, referred=1) == store.contract("late")
    assert store.reference("late", 2) == b"r"
    assert save(store, "a", b"r") == second
    assert store.take_up(wanted, fence, actor="watchkeeper") is None
    third = store.take_up(msgspec.structs.replace(second, dimensions=first.dimensions), fence, actor="watchkeeper")
    assert third is not None
    assert (third.version, third.based_on) == (3, 1)
    entry = store.audit_entries()[0][-2]
    assert (entry.actor, entry.action, (entry.after or {})["new"]) == ("watchkeeper", "contract.save", {"carrier": ["VX"]})
    history = store.contract_history("late", 2)
    assert [(one.version, referenced, actor) for one, _, referenced, actor in history] == [
        (2, True, "watchkeeper"),
        (3, True, "watchkeeper"),
    ]
    store.take("owner:late")
    with pytest.raises(Fenced):
        store.take_up(third, fence, actor="watchkeeper")
