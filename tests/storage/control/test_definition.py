"""Monitors and destinations: applying creates or changes, never deletes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from core.baseline.rows import Role, Version
from core.contract import Contract, Task
from core.destination import Destination
from core.error import ConfigError
from core.moment import DAY
from core.monitor import Budget, ModelBudget, Monitor, Share
from storage.control.store import ControlStore

A = Monitor(name="a", model="late", measure="drift.psi", params={"x": 1}, warn={"above": 0.1}, persist=(2, 3))
B = Monitor(name="b", model="late", measure="performance.f1")
CONTRACT = Contract(model="late", version=1, task=Task.BINARY, features=())
OTHER = Monitor(name="a", model="other", measure="performance.mae")
ONCALL = Destination(
    name="oncall", settings={"url": "https://u:hidden@example.org/?k=hidden", "secret": "whsec_aGlkZGVuaGlkZGVuaGlkZGVu"}, models=("late",)
)


def test_created_changed_unchanged(store: ControlStore) -> None:
    """The key is (model, name); a change counts the revision up; what is left out stays."""
    assert store.apply_monitors([A, OTHER]) == [("late", "a", "created"), ("other", "a", "created")]
    assert store.apply_monitors([A, B]) == [("late", "a", "unchanged"), ("late", "b", "created")]
    changed = msgspec.structs.replace(A, warn=0.2, revision=7)
    assert store.apply_monitors([changed]) == [("late", "a", "changed")]
    assert store.monitors("late") == [msgspec.structs.replace(changed, revision=2), B]
    assert store.monitors() == [*store.monitors("late"), OTHER]
    assert [store.monitor_revision("late", "a", revision) for revision in (1, 3)] == [A, None]


def test_a_dry_run_says_the_same_and_does_nothing(store: ControlStore) -> None:
    """Nothing is written, the audit included."""
    assert store.apply_monitors([A], dry_run=True) == [("late", "a", "created")]
    assert store.apply_destinations([ONCALL], dry_run=True) == [("", "oncall", "created")]
    assert (store.monitors(), store.destinations(), store.audit_entries()) == ([], [], ([], None))


def test_one_name_twice_is_refused_and_nothing_is_applied(store: ControlStore) -> None:
    """A file that says two things is not half applied."""
    with pytest.raises(ConfigError, match="`late/a` is defined twice"):
        store.apply_monitors([A, B, A])
    assert store.monitors() == []


def test_destinations_are_created_changed_and_left_alone(store: ControlStore) -> None:
    """As monitors are."""
    assert store.apply_destinations([ONCALL]) == [("", "oncall", "created")]
    assert store.apply_destinations([ONCALL]) == [("", "oncall", "unchanged")]
    moved = msgspec.structs.replace(ONCALL, settings=ONCALL.settings | {"url": "https://example.net/"})
    assert store.apply_destinations([moved]) == [("", "oncall", "changed")]
    assert store.destinations() == [moved]


def test_every_change_is_audited_without_secrets(store: ControlStore) -> None:
    """Who, what, when; no secret, password or query."""
    store.apply_monitors([A], actor="ada")
    store.apply_destinations([ONCALL])
    entries, _ = store.audit_entries()
    assert [(entry.at, entry.actor, entry.action, entry.subject) for entry in entries] == [
        (1_000, "local", "destination.created", "oncall"),
        (1_000, "ada", "monitor.created", "late/a"),
    ]
    assert "hidden" not in str(entries)
    assert ONCALL.settings["secret"] not in str(entries)


def test_words_and_a_pause_change_the_definition_and_not_what_is_evaluated(store: ControlStore) -> None:
    """The revision counts on, the one that readings carry stays; a change of what is evaluated has its own again. All of them are kept."""
    steps = [
        A,
        msgspec.structs.replace(A, owner="weather", runbook="https://wiki.example.org"),
        msgspec.structs.replace(A, enabled=False),
        msgspec.structs.replace(A, warn=0.2, enabled=False),
        msgspec.structs.replace(A, warn=0.2),
    ]
    for monitor in steps:
        assert store.apply_monitors([monitor])[0][2] in {"created", "changed"}
        assert store.apply_monitors([monitor])[0][2] == "unchanged"
    kept = [store.monitor_revision("late", "a", revision) for revision in range(1, 6)]
    assert [(one.revision, one.evaluated_revision) for one in kept if one] == [(1, 1), (2, 1), (3, 1), (4, 4), (5, 4)]
    assert store.monitors() == kept[4:]


def test_whoever_works_by_definitions_sees_that_one_has_changed(store: ControlStore) -> None:
    """By one number, which any change moves, and nothing else."""
    store.save_contract(CONTRACT, content="c", reference=None)
    changes: list[Callable[[], object]] = [
        lambda: store.apply_monitors([A]),
        lambda: store.apply_monitors([msgspec.structs.replace(A, enabled=False)]),
        lambda: store.apply_destinations([ONCALL]),
        lambda: store.describe_contract("late", msgspec.structs.replace(CONTRACT, owner="weather")),
        lambda: store.save_contract(CONTRACT, content="other", reference=None),
    ]
    seen = [store.change_count()]
    for change in changes:
        change()
        seen.append(store.change_count())
        change()
        assert store.change_count() == seen[-1]
    assert len(set(seen)) == len(seen)


def test_words_about_a_model_leave_its_contract_version(store: ControlStore) -> None:
    """They stand in the newest one, and are audited."""
    store.save_contract(CONTRACT, content="c", reference=b"r")
    store.describe_contract("late", msgspec.structs.replace(CONTRACT, owner="weather"), actor="ada")
    found = store.contract("late")
    assert found is not None
    assert (found.version, found.owner, store.reference("late", 1)) == (1, "weather", b"r")
    (entry, *_), _ = store.audit_entries()
    assert (entry.actor, entry.action, entry.before, entry.after) == (
        "ada",
        "contract.describe",
        {"owner": None, "description": None, "runbook": None},
        {"owner": "weather", "description": None, "runbook": None},
    )


RATE = ModelBudget("few", "late", Budget(1, 30 * DAY))


def joins(monitor: Monitor) -> bool:
    """As if only monitors of drift without thresholds could."""
    return monitor.measure.startswith("drift") and monitor.warn is None and monitor.enabled


def test_a_budget_of_a_model_is_shared_out(store: ControlStore) -> None:
    """Whenever a monitor joins or leaves, those that share get a new revision that is evaluated afresh; the others stay as they are."""
    first, second = (msgspec.structs.replace(A, name=name, warn=None) for name in ("first", "second"))
    assert store.apply_monitors([A, first], budgets=[RATE], joins=joins) == [
        ("late", "a", "created"), ("late", "first", "created"), ("late", "few", "created"),
    ]  # fmt: skip

    def shares() -> dict[str, tuple[int, Share | None]]:
        return {one.name: (one.evaluated_revision, one.share) for one in store.monitors("late")}

    def share(windows: int, monitors: int) -> Share:
        return Share(windows, 30 * DAY * monitors, "few", monitors)

    assert (store.budgets(), shares()) == ([RATE], {"a": (1, None), "first": (2, share(1, 1))})
    store.apply_monitors([second, OTHER], joins=joins)
    assert shares() == {"a": (1, None), "first": (3, share(1, 2)), "second": (2, share(1, 2))}
    assert store.apply_monitors([first, second], budgets=[RATE], joins=joins, dry_run=True) == [
        ("late", "first", "unchanged"), ("late", "second", "unchanged"), ("late", "few", "unchanged"),
    ]  # fmt: skip
    store.apply_monitors([msgspec.structs.replace(first, owner="ada"), msgspec.structs.replace(second, enabled=False)], joins=joins)
    assert shares() == {"a": (1, None), "first": (5, share(1, 1)), "second": (2, share(1, 2))}
    more = msgspec.structs.replace(RATE, rate=Budget(2, 30 * DAY))
    assert store.apply_monitors([], budgets=[more], joins=joins) == [("late", "few", "changed")]
    assert shares()["first"] == (6, share(2, 1))
    for other in (msgspec.structs.replace(RATE, name="more"), msgspec.structs.replace(RATE, model="other")):
        with pytest.raises(ConfigError, match="the budget `few` of `late` is there already"):
            store.apply_monitors([], budgets=[other], joins=joins)
    with store.retiring("ada") as change:
        assert change.budget("few") == more
        assert change.budget("few") is None
        change.share_out("late", joins)
    assert (store.budgets(), shares()["first"]) == ([], (7, None))
    actions = [entry.action for entry in store.audit_entries(limit=100)[0] if entry.subject == "few"]
    assert actions == ["budget.deleted", "budget.changed", "budget.created"]


def test_challengers_of_one_side_share_an_alpha(store: ControlStore) -> None:
    """Whenever one joins or leaves, the others are evaluated afresh; comparisons of another side or measure do not count, and the same file again changes nothing."""
    fields: dict[str, Any] = {
        "measure": "compare.difference",
        "warn": None,
        "baseline": Role("champion"),
        "params": {"of": "performance.accuracy"},
    }
    one, two, three = (msgspec.structs.replace(A, name=name, other=Version(name), **fields) for name in ("one", "two", "three"))
    apart = msgspec.structs.replace(one, name="apart", params={"of": "performance.f1"})

    def counted() -> dict[str, tuple[int, int]]:
        return {monitor.name: (monitor.challengers, monitor.revision) for monitor in store.monitors("late")}

    store.apply_monitors([one, apart], joins=joins)
    assert counted() == {"one": (1, 1), "apart": (1, 1)}
    store.apply_monitors([two, three], joins=joins)
    assert counted() == {"one": (3, 2), "two": (3, 2), "three": (3, 2), "apart": (1, 1)}
    assert {result for _, _, result in store.apply_monitors([one, two, three, apart], joins=joins)} == {"unchanged"}
    store.apply_monitors([msgspec.structs.replace(two, enabled=False)], joins=joins)
    assert {name: many for name, (many, _) in counted().items()} == {"one": 2, "two": 3, "three": 2, "apart": 1}
