"""A model has one owner; one that was replaced changes nothing, however late it writes."""

from __future__ import annotations

import itertools
import math
from contextlib import suppress

import msgspec
import pytest

from core import moment
from core.clock import ManualClock, SystemClock
from core.error import Fenced
from core.generation import above, era, era_of, generation
from monitors.lease import Lease
from monitors.ownership.audit import NO_SLOTS, Audit, fresh
from monitors.ownership.rebuild import Rebuild
from monitors.ports import Committed
from storage.facts.panes import Panes
from storage.facts.raw import Raw
from storage.facts.truth import Truth
from storage.facts.writer import Writer
from tests.acceptance.spine import Killed, Spine, monitors
from tests.ownership.scene import START, counts, label, predict, settle


def test_a_replaced_owner_is_told_and_writes_nothing(spine: Spine, model: str) -> None:
    """Its next write raises Fenced; what its successor did stays."""
    predict(spine, model, 1, 1)
    settle(spine, model)
    replaced = spine.owner(model)
    spine.replace(model)
    predict(spine, model, 1, 2, "b")
    settle(spine, model)
    held = spine.readings(model)
    predict(spine, model, 1, 3, "c")
    spine.ingest(1)
    committed = spine.committed(model)
    assert committed is not None
    with pytest.raises(Fenced, match="somebody else"):
        spine.step(replaced, model, committed, silent=True)
    assert spine.readings(model) == held


@pytest.mark.parametrize("write", range(1, 11))
def test_a_late_write_loses(spine: Spine, model: str, write: int) -> None:
    """Whichever write of an owner lands only after its successor has finished: readings, panes and outcomes are as without it."""
    label(spine, model)
    predict(spine, model, 1, 2)
    predict(spine, model, 2, 1)
    settle(spine, model)
    replaced = spine.owner(model)
    spine.replace(model)
    # It saw an event and its truth; its successor sees also that another event of the same id came before, at another time.
    predict(spine, model, 1, 4, "b", prediction=0)
    label(spine, model, "b")
    spine.ingest(1)
    committed = spine.committed(model)
    assert committed is not None
    spine.fuse.arm(write, "late")
    with suppress(Killed):  # it has one write less when the audit rests
        spine.step(replaced, model, committed, silent=True)
    spine.fuse.arm(0, "before")
    predict(spine, model, 2, 3, "b", hour=2)
    settle(spine, model)
    held = spine.readings(model)
    spine.fuse.land()
    settle(spine, model)
    assert spine.readings(model) == held
    assert counts(spine, model) == counts(spine, model, "accuracy", "") == {(0, "all"): 2, (0, "c=a"): 2}
    assert spine.twice(model) == (0, 0)


@pytest.mark.parametrize("write", range(1, 6))
def test_a_step_that_fails_after_a_repair_is_made_up_for(spine: Spine, model: str, write: int) -> None:
    """A batch stands twice in the panes and is evaluated so; the step that repairs it breaks off, and the same owner goes on."""
    predict(spine, model, 1, 1)
    settle(spine, model)
    predict(spine, model, 1, 2, "b", hour=1)
    spine.ingest(1_000_000)
    again = "INSERT INTO panes SETTINGS insert_deduplication_token = {model:String} SELECT * FROM panes WHERE model = {model:String} AND toUnixTimestamp64Micro(slot) > {first:Int64}"
    spine.engine.command(again, {"model": model, "first": START})
    audit = spine.owner(model)._audit
    audit._rested = math.inf
    assert spine.evaluate(model, silent=True)
    assert counts(spine, model)[0, "all"] == 3
    audit._rested = 0.0
    spine.fuse.arm(write, "before")
    with suppress(Killed):  # the last of them is beyond its end
        spine.evaluate(model, silent=True)
    spine.fuse.arm(0, "before")
    settle(spine, model)
    assert (counts(spine, model)[0, "all"], spine.twice(model)) == (2, (0, 0))


def test_what_was_made_again_is_audited_before_it_is_judged(spine: Spine, model: str) -> None:
    """Ingest adds nothing to such panes; while the audit rests they get what has come since, once their window is over."""
    for partition in (1, 2):
        predict(spine, model, partition, partition)
    settle(spine, model)
    assert spine.owner(model).counts.repaired == 1
    spine.owner(model)._audit._rested = math.inf
    predict(spine, model, 1, 3, "b")
    spine.ingest(1_000_000)
    assert spine.evaluate(model, silent=True)
    assert counts(spine, model)[0, "all"] == 2


def test_slots_that_somebody_rebuilt_late_are_audited_again(spine: Spine, model: str) -> None:
    """An earlier owner declares a slot rebuilt whose panes it never wrote: the next step makes it again."""
    predict(spine, model, 1, 1)
    settle(spine, model)
    audited = spine.owner(model).counts.audited
    Writer(spine.engine).rebuilt(spine.contracts[model], [START], generation(1, 7))
    assert spine.twice(model) == (0, -1)
    settle(spine, model)
    assert (spine.twice(model), spine.owner(model).counts.audited) == ((0, 0), audited + 1)


def test_what_an_owner_has_rebuilt_is_not_strange_to_the_next(spine: Spine, model: str) -> None:
    """A new owner audits nothing when its predecessor has ended in order."""
    for partition in (1, 2):
        predict(spine, model, partition, partition)
    settle(spine, model)
    assert spine.owner(model).counts.repaired == 1
    spine.kill()
    settle(spine, model)
    assert spine.owner(model).counts.audited == 0


def test_eras_rise_with_epochs_and_above_what_is_there() -> None:
    """Also when the epochs come from a backup that is older than the facts; data of earlier versions are below all."""
    first = era(1)
    assert era(2) == first + 1
    assert era(above(generation(first + 40, 5))) == first + 41
    assert era_of(generation(first, 3)) == first
    assert (above(0), above(generation(first, 0) - 1)) == (1, 1)
    assert generation(first, 0) > 1_800_000_000_000_000


def test_owners_after_a_restore_have_an_era_each(spine: Spine, model: str) -> None:
    """Epochs of a backup that is older than the facts: each of two owners that find the same facts is above them, and above the other."""
    predict(spine, model, 1, 1)
    settle(spine, model)
    found = Lease(model, spine.control, Truth(spine.engine)).era
    for _ in range(3):
        Writer(spine.engine).rebuilt(spine.contracts[model], [START], generation(found + 40, 7))
        first, second = (Lease(model, spine.control, Truth(spine.engine)).era for _ in range(2))
        assert found + 40 < first < second
        found = second


def test_a_monitor_that_fails_is_tried_again_after_longer_and_longer(spine: Spine, model: str) -> None:
    """The others go on; the pause is told and doubles up to a minute; a new revision is tried at once."""
    spine.clock = clock = ManualClock(SystemClock().now())
    broken = msgspec.structs.replace(monitors(model)[0], name="broken", measure="drift.of_the_tide")
    spine.monitors[model] = [*monitors(model), broken]
    predict(spine, model, 1, 1)
    pauses = []
    for _ in range(8):
        settle(spine, model)
        pauses.append(spine.owner(model).counts.failed["broken"].rpartition("; ")[2])
        clock.advance(moment.MINUTE)
    assert pauses == [f"tried again in {seconds} s" for seconds in (1, 2, 4, 8, 16, 32, 60, 60)]
    assert counts(spine, model)[0, "all"] == 1
    settle(spine, model)
    spine.monitors[model][-1] = msgspec.structs.replace(broken, measure="quality.null_rate", revision=2)
    settle(spine, model)
    assert spine.owner(model).counts.failed == {}


def test_a_failing_monitor_waits_for_its_time(spine: Spine, model: str) -> None:
    """Before the pause is over it is not tried, whatever comes."""
    spine.clock = ManualClock(SystemClock().now())
    spine.monitors[model] = [msgspec.structs.replace(monitors(model)[0], measure="drift.of_the_tide")]
    for logged in (1, 2, 3):
        predict(spine, model, 1, logged, str(logged))
        settle(spine, model)
    assert spine.owner(model).counts.failed["nulls"].endswith("tried again in 1 s")


def test_the_audit_takes_a_tenth_of_the_time(spine: Spine, model: str) -> None:
    """While there is other work it rests nine times as long as it took; without, it is taken at once, a portion at a time."""
    seconds = [10.0]

    def clock() -> float:
        seconds[0] += 1.0
        return seconds[0]

    raw, truth, panes = Raw(spine.engine), Truth(spine.engine), Panes(spine.engine)
    rebuild = Rebuild(raw, panes, Writer(spine.engine), lambda name, _: spine.contracts[name])
    audit, everything = Audit(model, raw, truth, rebuild, clock), {0: (0, 5), 1: (0, 3_000_000)}
    portion = {0: (0, 5), 1: (0, 500_000)}
    assert audit.due({}, busy=False) == {}
    assert audit.due(everything, busy=True) == portion
    committed = Committed({0: 5, 1: 3_000_000}, {}, 0, 0, moment.EARLIEST)
    audit.look(spine.contracts[model], portion, NO_SLOTS, committed, Lease(model, spine.control, truth))
    assert [bool(audit.due(everything, busy=busy)) for busy in (True, False)] == [False, True]
    seconds[0] += 20.0
    assert audit.due(everything, busy=True) == portion


def test_a_look_takes_so_many_events_whatever_a_position_holds(spine: Spine, model: str) -> None:
    """Where each position is a request of thousands, a portion ends with the batch that fills it, of both partitions together."""
    rest = dict.fromkeys(("duplicates", "rejected", "outside", "first_ts", "last_ts", "watermark", "logged"), 0)
    for partition, first in itertools.product((0, 1), range(0, 100, 10)):
        place: dict[str, str | int] = {"topic": "predictions", "partition": partition, "first": first, "last": first + 9}
        Writer(spine.engine).batches([{"model": model, **place, "rows": 100_000, **rest}])
    raw = Raw(spine.engine)
    audit = Audit(model, raw, Truth(spine.engine), Rebuild(raw, Panes(spine.engine), Writer(spine.engine), lambda *_: None))
    assert audit.due({0: (0, 99)}, busy=False) == {0: (0, 49)}
    assert audit.due({0: (50, 99), 1: (0, 9)}, busy=False) == {0: (50, 79), 1: (0, 9)}


def test_positions_begin_at_0() -> None:
    """What is new of a partition that was never seen is everything from 0 on."""
    assert fresh({"0": 4}, {0: 4, 1: 0, 2: 7}) == {1: (0, 0), 2: (0, 7)}
