"""What was defined at an earlier time, whatever was changed and deleted since."""

from __future__ import annotations

import msgspec

from core.clock import ManualClock
from core.contract import Contract, Task
from core.monitor import Monitor
from storage.control.store import ControlStore

CONTRACT = Contract(model="late", version=1, task=Task.BINARY, features=())
A, B = (Monitor(name=name, model="late", measure="drift.psi") for name in "ab")


def told(store: ControlStore, at: int) -> list[tuple[str, int, bool]]:
    """Each monitor of a time, its revision, and whether it was deleted."""
    return [(one.monitor.name, one.monitor.revision, one.deleted) for one in store.monitors_at(at)]


def test_definitions_of_any_time(url: str) -> None:
    """A monitor has the revision of then, and is deleted between its deletion and its next definition; a contract has the version of then."""
    clock = ManualClock(10)
    store = ControlStore(url, clock)
    try:
        store.migrate()
        store.save_contract(CONTRACT, content="c", reference=None)
        store.apply_monitors([A])
        clock.advance(10)  # 20
        store.apply_monitors([msgspec.structs.replace(A, warn=0.2), B])
        store.save_contract(CONTRACT, content="d", reference=None)
        clock.advance(10)  # 30
        with store.retiring() as change:
            change.monitor("late", "a")
        clock.advance(10)  # 40
        store.apply_monitors([A])
        clock.advance(10)  # 50
        assert [told(store, at) for at in (9, 10, 29, 30, 40)] == [
            [],
            [("a", 1, False)],
            [("a", 2, False), ("b", 1, False)],
            [("a", 2, True), ("b", 1, False)],
            [("a", 3, False), ("b", 1, False)],
        ]
        with store.retiring() as change:
            change.model("late")
        assert told(store, 50) == [("a", 3, True), ("b", 1, True)]
        assert [store.contracts_at(at, "late") for at in (9, 19, 49, 50)] == [
            {},
            {"late": (1, False)},
            {"late": (2, False)},
            {"late": (2, True)},
        ]
        assert (store.monitors_at(50, "other"), store.contracts_at(50, "other")) == ([], {})
    finally:
        store.close()
