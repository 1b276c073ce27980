"""A model has one owner; a former owner changes nothing, however late it writes."""

from __future__ import annotations

import itertools
import math
from contextlib import suppress

import msgspec
import numpy as np
import pytest

from core import moment
from core.clock import ManualClock, SystemClock
from core.error import Fenced
from core.generation import epoch_above, generation, owner_of
from core.segment import Segments
from detectors.summary.inputs import InputSummary
from monitors.lease import Lease
from monitors.ownership.audit import NO_SLOTS, Audit, fresh
from monitors.ownership.rebuild import Rebuild
from monitors.ports import Committed
from storage.facts.outcome_store import OutcomeStore
from storage.facts.panes import Panes
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from tests.acceptance.backend import Backend, Killed, monitors
from tests.ownership.scene import START, counts, label, predict, settle, watch_few


def test_a_replaced_owner_is_told_and_writes_nothing(backend: Backend, model: str) -> None:
    """Its next write raises Fenced, and what the next owner has written stays."""
    predict(backend, model, 1, 1)
    settle(backend, model)
    replaced = backend.owner(model)
    backend.replace(model)
    predict(backend, model, 1, 2, "b")
    settle(backend, model)
    held = backend.readings(model)
    predict(backend, model, 1, 3, "c")
    backend.ingest(1)
    committed = backend.committed(model)
    assert committed is not None
    with pytest.raises(Fenced, match="somebody else"):
        backend.step(replaced, model, committed, silent=True)
    assert backend.readings(model) == held


@pytest.mark.parametrize("write", range(1, 8))
def test_a_late_write_loses(backend: Backend, model: str, write: int) -> None:
    """If any write of an owner comes only after the next owner has finished, readings, panes and outcomes are as without it."""
    label(backend, model)
    predict(backend, model, 1, 2)
    predict(backend, model, 2, 1)
    settle(backend, model)
    replaced = backend.owner(model)
    backend.replace(model)
    # It saw an event and its outcome; its successor sees also that another event of the same id came before, at another time.
    predict(backend, model, 1, 4, "b", prediction=0)
    label(backend, model, "b")
    backend.ingest(1)
    committed = backend.committed(model)
    assert committed is not None
    replaced._audit._next_at = 0.0  # or the step might have a write less
    backend.fuse.arm(write, "late")
    with pytest.raises(Killed):
        backend.step(replaced, model, committed, silent=True)
    backend.fuse.arm(0, "before")
    predict(backend, model, 2, 3, "b", hour=2)
    settle(backend, model)
    held = backend.readings(model)
    backend.fuse.land()
    settle(backend, model)
    assert backend.readings(model) == held
    assert counts(backend, model) == counts(backend, model, "accuracy", "") == {(0, "all"): 2, (0, "c=a"): 2}
    assert backend.twice(model) == (0, 0)


@pytest.mark.parametrize("write", range(1, 6))
def test_a_step_that_fails_after_a_repair_is_made_up_for(backend: Backend, model: str, write: int) -> None:
    """A batch is twice in the panes and is evaluated so. The step that repairs it fails, and the same owner completes the repair."""
    watch_few(backend, model)
    predict(backend, model, 1, 1)
    settle(backend, model)
    predict(backend, model, 1, 2, "b", hour=1)
    backend.ingest(1_000_000)
    again = "INSERT INTO panes SETTINGS insert_deduplication_token = {model:String} SELECT * FROM panes WHERE model = {model:String} AND toUnixTimestamp64Micro(slot) > {first:Int64}"
    backend.engine.command(again, {"model": model, "first": START})
    audit = backend.owner(model)._audit
    audit._next_at = math.inf
    assert backend.evaluate(model, silent=True)
    assert counts(backend, model)[0, "all"] == 3
    audit._next_at = 0.0
    backend.fuse.arm(write, "before")
    with suppress(Killed):  # the last of them is beyond its end
        backend.evaluate(model, silent=True)
    backend.fuse.arm(0, "before")
    settle(backend, model)
    assert (counts(backend, model)[0, "all"], backend.twice(model)) == (2, (0, 0))


def test_the_last_window_closes_when_silence_comes_again(backend: Backend, model: str) -> None:
    """In a silence the watermark is the wall clock. Events that come after it end it, and in the next silence their window closes, too."""
    predict(backend, model, 1, 1)
    settle(backend, model)
    predict(backend, model, 1, 2, "b", day=3)
    backend.ingest(1_000_000)
    while backend.evaluate(model, silent=False):
        assert (3, "all") not in counts(backend, model)
    settle(backend, model)
    assert counts(backend, model)[3, "all"] == 1


def test_what_was_made_again_is_audited_before_it_is_judged(backend: Backend, model: str) -> None:
    """Ingest adds nothing to rebuilt panes. Before their window is evaluated they get the events that came since, also while audits pause."""
    for partition in (1, 2):
        predict(backend, model, partition, partition)
    settle(backend, model)
    assert backend.owner(model).counts.repaired == 1
    backend.owner(model)._audit._next_at = math.inf
    predict(backend, model, 1, 3, "b")
    backend.ingest(1_000_000)
    assert backend.evaluate(model, silent=True)
    assert counts(backend, model)[0, "all"] == 2


def test_slots_that_somebody_rebuilt_late_are_audited_again(backend: Backend, model: str) -> None:
    """If an earlier owner notes a slot as rebuilt whose panes it never wrote, the next step makes the panes again."""
    predict(backend, model, 1, 1)
    settle(backend, model)
    audited = backend.owner(model).counts.audited
    Writer(backend.engine).rebuilt(backend.contracts[model], [START], generation(0, 7))
    assert backend.twice(model) == (0, -1)
    settle(backend, model)
    assert (backend.twice(model), backend.owner(model).counts.audited) == ((0, 0), audited + 1)


def test_what_an_owner_has_rebuilt_is_not_strange_to_the_next(backend: Backend, model: str) -> None:
    """A new owner audits nothing if the owner before has ended in order."""
    for partition in (1, 2):
        predict(backend, model, partition, partition)
    settle(backend, model)
    assert backend.owner(model).counts.repaired == 1
    backend.kill()
    settle(backend, model)
    assert backend.owner(model).counts.audited == 0


def test_generations_rise_with_epochs_and_above_what_is_stored() -> None:
    """Also if the epochs come from a backup that is older than the facts; data of earlier versions are below all of them."""
    assert generation(1, 99) < generation(2, 0)
    assert epoch_above(generation(40, 5)) == 41
    assert owner_of(generation(7, 3)) == owner_of(generation(7, 0)) == owner_of(generation(6, 0)) + 1
    assert (epoch_above(0), epoch_above(generation(1, 0) - 1)) == (1, 1)
    assert generation(1, 0) > 1_800_000_000_000_000


def test_owners_after_a_restore_have_an_epoch_each(backend: Backend, model: str) -> None:
    """With epochs from a backup that is older than the facts, two owners that find the same facts get different epochs, both above the facts."""
    predict(backend, model, 1, 1)
    settle(backend, model)
    found = Lease(model, backend.control, OutcomeStore(backend.engine)).fence[1]
    for _ in range(3):
        Writer(backend.engine).rebuilt(backend.contracts[model], [START], generation(found + 40, 7))
        first, second = (Lease(model, backend.control, OutcomeStore(backend.engine)).fence[1] for _ in range(2))
        assert found + 40 < first < second
        found = second


def test_a_lease_that_a_killed_owner_takes_late_costs_a_step(backend: Backend, model: str) -> None:
    """The living owner is fenced by it, takes the model again, and evaluates what came meanwhile."""
    predict(backend, model, 1, 1)
    backend.ingest(1)
    backend.fuse.arm(1, "late")
    with pytest.raises(Killed):
        backend.evaluate(model, silent=True)
    backend.kill()
    settle(backend, model)
    backend.fuse.land()
    predict(backend, model, 1, 2, "b")
    settle(backend, model)
    assert (backend.control.epochs(f"owner:{model}"), backend.twice(model)) == ({f"owner:{model}": 3}, (0, 0))


def test_panes_that_a_crash_left_undeclared_are_below_the_next_epoch(backend: Backend, model: str) -> None:
    """With epochs from a backup: under the same generation the next owner's panes would be added to them."""
    predict(backend, model, 1, 1)
    settle(backend, model)
    contract, left = backend.contracts[model], Lease(model, backend.control, OutcomeStore(backend.engine)).fence[1] + 40
    block = Raw(backend.engine).predictions(contract, np.array([START]), contract.pane)
    table = InputSummary.of(contract, Segments(contract), block).to_columns()
    Writer(backend.engine).panes([(contract, table)], None, generation(left, 7))
    assert Lease(model, backend.control, OutcomeStore(backend.engine)).fence[1] > left


def test_a_monitor_that_fails_is_tried_again_after_longer_and_longer(backend: Backend, model: str) -> None:
    """The other monitors are evaluated; the pause is reported and doubles up to a minute; a new revision is tried at once."""
    backend.clock = clock = ManualClock(SystemClock().now())
    broken = msgspec.structs.replace(monitors(model)[0], name="broken", measure="drift.of_the_tide")
    backend.monitors[model] = [*monitors(model), broken]
    predict(backend, model, 1, 1)
    pauses = []
    for _ in range(8):
        settle(backend, model)
        pauses.append(backend.owner(model).counts.failed["broken"].rpartition("; ")[2])
        clock.advance(moment.MINUTE)
    assert pauses == [f"tried again in {seconds} s" for seconds in (1, 2, 4, 8, 16, 32, 60, 60)]
    assert counts(backend, model)[0, "all"] == 1
    settle(backend, model)
    backend.monitors[model][-1] = msgspec.structs.replace(broken, measure="quality.null_rate", revision=2)
    settle(backend, model)
    assert backend.owner(model).counts.failed == {}


def test_a_failing_monitor_waits_for_its_time(backend: Backend, model: str) -> None:
    """It is not tried before its pause is over, even if events come."""
    backend.clock = ManualClock(SystemClock().now())
    backend.monitors[model] = [msgspec.structs.replace(monitors(model)[0], measure="drift.of_the_tide")]
    for logged in (1, 2, 3):
        predict(backend, model, 1, logged, str(logged))
        settle(backend, model)
    assert backend.owner(model).counts.failed["nulls"].endswith("tried again in 1 s")


def test_the_audit_takes_a_tenth_of_the_time(backend: Backend, model: str) -> None:
    """While there is other work it pauses nine times as long as it took; without other work it goes on at once, a portion at a time."""
    seconds = [10.0]

    def clock() -> float:
        seconds[0] += 1.0
        return seconds[0]

    raw, outcomes, panes = Raw(backend.engine), OutcomeStore(backend.engine), Panes(backend.engine)
    rebuild = Rebuild(raw, panes, Writer(backend.engine), lambda name, _: backend.contracts[name])
    audit, everything = Audit(model, raw, outcomes, rebuild, clock), {0: (0, 5), 1: (0, 3_000_000)}
    portion = {0: (0, 5), 1: (0, 500_000)}
    assert audit.due({}, busy=False) == {}
    assert audit.due(everything, busy=True) == portion
    committed = Committed({0: 5, 1: 3_000_000}, {}, 0, 0, moment.EARLIEST)
    audit.run(backend.contracts[model], portion, NO_SLOTS, committed, Lease(model, backend.control, outcomes))
    assert [bool(audit.due(everything, busy=busy)) for busy in (True, False)] == [False, True]
    seconds[0] += 20.0
    assert audit.due(everything, busy=True) == portion


def test_an_audit_takes_so_many_events_whatever_a_position_holds(backend: Backend, model: str) -> None:
    """If each position is a request of thousands of events, a portion ends with the batch that fills it, counted over both partitions."""
    rest = dict.fromkeys(("duplicates", "rejected", "outside", "first_ts", "last_ts", "watermark", "logged"), 0)
    for partition, first in itertools.product((0, 1), range(0, 100, 10)):
        place: dict[str, str | int] = {"topic": "predictions", "partition": partition, "first": first, "last": first + 9}
        Writer(backend.engine).batches([{"model": model, **place, "rows": 100_000, **rest}])
    raw = Raw(backend.engine)
    audit = Audit(model, raw, OutcomeStore(backend.engine), Rebuild(raw, Panes(backend.engine), Writer(backend.engine), lambda *_: None))
    assert audit.due({0: (0, 99)}, busy=False) == {0: (0, 49)}
    assert audit.due({0: (50, 99), 1: (0, 9)}, busy=False) == {0: (50, 79), 1: (0, 9)}


def test_positions_begin_at_0() -> None:
    """In a partition that was never seen every position from 0 on is new."""
    assert fresh({"0": 4}, {0: 4, 1: 0, 2: 7}) == {1: (0, 0), 2: (0, 7)}
