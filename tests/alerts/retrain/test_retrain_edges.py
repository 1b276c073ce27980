"""Requests at their edges: facts that cannot be read, hooks that change meanwhile, and what came long ago."""

from __future__ import annotations

import random
import time
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from alerts.destination.secret_file import SecretFiles
from alerts.exchange import Exchange
from alerts.retrain.dispatch import Dispatch, begin
from alerts.retrain.machine import join, note
from alerts.retrain.policy import off
from alerts.retrain.verify import Watched, follow, helped, worse
from alerts.retrain.watch import LEASE
from core import moment
from core.baseline.rows import Version
from core.comparison import Comparison
from core.episode import Rule
from core.error import ConfigError, Retryable
from core.hook import Baseline
from core.retrain import Beside, RetrainState, Sending, Verified
from storage.control.ledger import Ledger
from tests.alerts.retrain.scene import DAY, Facts, hook, requests
from tests.alerts.retrain.stage import Stage
from tests.alerts.sample import MONITOR, START
from watchkeeper.change import retrain as change
from watchkeeper.retraining import outcome
from watchkeeper.retraining.facts import told_beside

R = RetrainState


def test_facts_that_cannot_be_read_hold_no_request_open_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that the model does not have: a silent run times out, and one that succeeded is ineffective after `within`; else the model could never be trained again."""
    stage.apply(cooldown=0)

    def broken(*_: object) -> None:
        raise ConfigError("there is no column `carier`")

    monkeypatch.setattr(stage.facts, "watched", broken)
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    assert stage.pass_().state is R.DISPATCHED
    assert stage.pass_(2 * DAY).state is R.TIMED_OUT
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    stage.pass_()
    stage.report("succeeded", version="2")
    assert stage.pass_().history[-1].reason == "the new version cannot be judged: there is no column `carier`"
    assert stage.pass_(6 * DAY).state is R.INEFFECTIVE


def test_a_request_that_is_verified_ends_if_its_version_is_gone(stage: Stage) -> None:
    """Its events were removed, so no window will ever be judged."""
    stage.apply()
    stage.breach("temp")
    stage.watch.look()
    stage.report("succeeded", version="2")
    stage.facts.known.append("2")
    assert stage.pass_().state is R.VERIFYING
    stage.facts.known.remove("2")
    assert stage.pass_(6 * DAY).state is R.INEFFECTIVE


def test_a_version_that_had_events_before_is_judged_from_the_end_of_its_training_window(stage: Stage) -> None:
    """A model is trained again under its name: its first event is long ago, and `within` does not count from there."""
    stage.facts.first, stage.facts.closed = START - 300 * DAY, START + 6 * DAY
    stage.apply()
    stage.breach("temp")
    stage.watch.look()
    stage.report("succeeded", version="1")
    assert stage.pass_().state is R.VERIFYING
    stage.facts.closed = START + 10 * DAY
    assert stage.pass_().state is R.INEFFECTIVE


def test_the_verdict_is_the_same_if_it_is_looked_at_later() -> None:
    """The first good windows in a row count, and none that ended too late; the reference is made of them alone."""
    made = msgspec.structs.replace(requests("late")[1], state=R.VERIFYING, version="2", known=("1",), succeeded_at=START)
    facts = Facts(known=["1", "2"])
    facts.judge(True, False, True, True)
    soon = follow(made, hook(), facts.watched(made, hook()), START)
    facts.judge(False, False, True)
    late = follow(made, hook(), facts.watched(made, hook()), START)
    assert (soon.state, late.state, late.history[-1].reason) == (R.EFFECTIVE, R.EFFECTIVE, soon.history[-1].reason)
    assert list(helped(late.verified, 2)) == facts.windows[2:4]
    facts = Facts(known=["1", "2"])
    facts.judge(False, False, False, False, True, True)
    assert follow(made, hook(), facts.watched(made, hook()), START).state is R.INEFFECTIVE


def test_decisions_know_open_requests_and_all_runs_however_many_came_since(stage: Stage) -> None:
    """A hook that only records asks every minute; the run of another one stays open, and counts in the budget."""
    stage.apply(budget=(1, 30 * DAY), cooldown=0, verify=None)
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    assert stage.pass_().state is R.DISPATCHED
    ran = stage.newest
    with stage.store.retraining() as writing:
        for number in range(250):
            at = ran.created + 1 + number
            writing.save(
                [
                    msgspec.structs.replace(
                        ran, id=f"rt_{number}", hook="dry", state=R.CANCELLED, created=at, ended_at=at, dispatched_at=None
                    )
                ]
            )
    with stage.store.retrain_reading() as seen:
        assert seen.past("late")[0].id == ran.id
    assert [one.id for one in stage.store.ran("late", 100)] == [ran.id]  # which charts mark
    assert stage.store.ran("other", 100) == []
    assert stage.act(change.ask, change.RetrainRequest(hook="retrain")).id == ran.id
    stage.report("succeeded")
    stage.pass_()
    with stage.store.retrain_reading() as seen:
        assert (seen.past("late")[0].ended_at is not None, len(seen.past("late")), seen.begun(0, "late"), seen.begun(0, "other")) == (
            True,
            201,
            1,
            0,
        )


def test_a_budget_of_more_runs_than_are_remembered_holds(stage: Stage) -> None:
    """Runs are counted by the store, not among those that decisions look back on."""
    stage.apply(budget=(300, 30 * DAY), cooldown=0)
    ran = requests("late")[3]
    with stage.store.retraining() as writing:
        at = stage.clock.now() - DAY
        writing.save([msgspec.structs.replace(ran, id=f"rt_{number}", created=at, ended_at=at, dispatched_at=at) for number in range(300)])
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    stage.pass_()
    assert stage.store.retrains(states=[R.BLOCKED])[0][0].history[-1].reason == "the budget of 300 per 30d is used up"


def test_a_hook_that_changes_while_the_manifest_is_made_is_taken_as_it_is_then(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was paused, or made one of another model: nothing is asked of the target."""
    made = stage.facts.manifest

    def pausing(*given: Any) -> Any:
        stage.apply(enabled=False)
        return made(*given)

    stage.apply()
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    monkeypatch.setattr(stage.facts, "manifest", pausing)
    assert (stage.pass_().state, stage.newest.history[-1].reason) == (R.BLOCKED, "the hook is paused")
    stage.apply(model="other")
    assert (stage.pass_().state, stage.newest.history[-1].reason) == (R.CANCELLED, "the hook is one of other now")
    assert stage.receiver.calls == []


def test_an_episode_that_joins_while_the_manifest_is_made_is_in_the_next_one(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window to train on begins at its onset, which is earlier."""
    made = stage.facts.manifest

    def joining(*given: Any) -> Any:
        monkeypatch.setattr(stage.facts, "manifest", made)
        stage.breach("dewp")
        stage.watch._ask()
        return made(*given)

    stage.apply()
    stage.breach("temp", day=2)
    monkeypatch.setattr(stage.facts, "manifest", joining)
    stage.watch.look()
    found = stage.newest
    assert (found.state, len(found.episodes)) == (R.DISPATCHED, 2)
    assert found.manifest is not None
    assert found.manifest.start == found.onset == START


def test_a_person_who_joins_a_request_need_not_wait_for_its_cooldown(stage: Stage) -> None:
    """And the end of its episodes does not cancel what a person wants."""
    stage.apply(cooldown=30 * DAY)
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    stage.pass_()
    stage.report("failed")
    stage.breach("temp")
    blocked = stage.pass_(DAY)
    assert "cooldown" in blocked.history[-1].reason
    joined = stage.act(change.ask, change.RetrainRequest(hook="retrain", reason="now"))
    assert (joined.id, joined.trigger, joined.by) == (blocked.id, "hand", "ada")
    stage.clear("temp")
    assert stage.pass_(1).state is R.DISPATCHED


def test_a_store_that_is_away_before_the_message_loses_no_run(stage: Stage) -> None:
    """Nothing was sent yet, so also a target that may begin two runs is asked again."""
    dispatch = Dispatch(Exchange(), SecretFiles(), _away, "", random.Random(1))
    made = msgspec.structs.replace(requests("late")[1], state=R.DISPATCHED, deadline=START + DAY, dispatched_at=START)
    after = dispatch.send(begin(made), hook(stage.receiver.url, kind="argo"), START, unknown=False)(begin(made))
    assert (after.state, after.sending, stage.receiver.calls) == (R.DISPATCHED, Sending.NONE, [])
    refused = dispatch.send(begin(made), hook(kind="github", settings={"token_file": "/etc/passwd"}), START, unknown=True)(begin(made))
    assert (refused.sending, refused.due <= START + DAY) == (Sending.BEGUN, True)


def _away(_: object) -> str:
    raise Retryable("the control store does not answer")


def test_automatic_retraining_is_off_after_the_runs_that_were_judged_last() -> None:
    """A request that was made first may be judged last."""
    usual = requests("late")[3]
    first = msgspec.structs.replace(usual, id="rt_a", state=R.EFFECTIVE, created=START, ended_at=START + 9 * DAY)
    others = [
        msgspec.structs.replace(usual, id=name, created=START + day, ended_at=START + day * DAY) for name, day in (("b", 1), ("c", 2))
    ]
    assert off(others, hook())
    assert not off([first, *others], hook())


def test_the_history_keeps_what_people_did_and_names_few_episodes() -> None:
    """A request that is blocked for days is noted every minute with another number of labels."""
    made = note(requests("late")[0], "approved by ada", START, "ada")
    for number in range(700):
        made = note(made, f"{number} labels", START + number)
    assert (len(made.history), made.history[1].by, made.history[-1].reason) == (500, "ada", "699 labels")
    joined = join(made, [(f"ep_{number}", START, "all") for number in range(10, 1_010)], START)
    assert (len(joined.episodes), joined.history[-1].reason) == (1_001, "joined by ep_10, ep_11, ep_12, ep_13, ep_14 and 995 more")


def test_facts_that_take_long_are_read_less_often(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window of many millions of events is not counted every minute for days."""
    made, times = stage.facts.manifest, []

    def slow(*given: Any) -> Any:
        times.append(stage.clock.now())
        stage.clock.advance(10 * moment.SECOND)
        return made(*given)

    stage.facts.labelled = 0
    stage.apply()
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    monkeypatch.setattr(stage.facts, "manifest", slow)
    for _ in range(20):
        stage.pass_(20 * moment.SECOND)
    assert len(times) == 2


def test_what_helped_ends_its_episodes_and_its_good_windows_become_the_reference(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules of a monitor are read once for all its episodes; a bad window between good ones is in no reference."""
    read: list[str] = []
    referred: list[Any] = []
    rules = Ledger.rules

    def counted(ledger: Ledger, model: str, monitor: str) -> list[Rule]:
        read.append(monitor)
        return rules(ledger, model, monitor)

    monkeypatch.setattr(Ledger, "rules", counted)
    monkeypatch.setattr(outcome, "refer_to_production", lambda _, given: referred.append(given))
    stage.apply()
    stage.breach("temp", "dewp", "humid")
    stage.watch.look()
    read.clear()
    stage.facts.judge(True, False, True, True)
    helped_ = msgspec.structs.replace(stage.newest, version="2", verified=tuple(stage.facts.windows))
    stores = SimpleNamespace(control=stage.store, settings=SimpleNamespace(public="http://127.0.0.1:8650"))
    said = outcome.Outcome(stores).effective(helped_, hook(baseline_after=Baseline.EFFECTIVE))  # type: ignore[arg-type]
    assert (read, stage.store.episodes("open")[0], said.startswith("the reference is version 2")) == ([MONITOR.name], [], True)
    assert [(one.start, one.end) for one in referred] == [(START + 12 * DAY, START + 14 * DAY)]
    assert {one.document()["ended_by"] for one in stage.store.episodes()[0]} == {"retrained"}


def test_a_hook_that_cannot_be_read_stops_no_request(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one whose time zone this machine does not have."""
    stage.apply()
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    watch = stage.another(poll=0.01)

    def broken() -> int:
        raise KeyError("No time zone found with key Mars/Olympus")

    monkeypatch.setattr(watch, "_ask", broken)
    watch.start()
    until = time.monotonic() + 60
    while stage.newest.sending is not Sending.TAKEN and time.monotonic() < until:
        time.sleep(0.01)
    watch.stop()
    assert (stage.newest.state, len(stage.receiver.calls)) == (R.DISPATCHED, 1)


def test_two_processes_whose_facts_take_longer_than_a_lease_come_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes the request from the other while it reads; what it has read counts all the same, and the target is asked once."""
    made = stage.facts.manifest

    def slow(*given: Any) -> Any:
        stage.clock.advance(LEASE + 1)
        assert stage.store.claim_retrains(stage.clock.now(), LEASE, 1)
        return made(*given)

    stage.apply()
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    stage.watch = stage.another(lease=LEASE)
    monkeypatch.setattr(stage.facts, "manifest", slow)
    stage.watch.look()
    assert (stage.newest.state, stage.newest.sending, len(stage.receiver.calls)) == (R.DISPATCHED, Sending.TAKEN, 1)


def test_a_comparison_with_the_version_before_is_told_and_calls_for_going_back() -> None:
    """Whatever the values of windows are beside what was before the onset; it decides nothing else."""
    ran = msgspec.structs.replace(requests("late")[0], state=R.VERIFYING, ended_at=None, version="2", known=("1",), succeeded_at=START)
    good = [Verified(start=START + day * DAY, end=START + (day + 1) * DAY, value=0.95, good=True, why="") for day in (1, 2)]
    beside = Beside(version="1", verdict="worse", better=-0.2, better_upper=-0.1, rows=500)
    done = follow(ran, hook(), Watched([("1", 0), ("2", START + DAY)], good, START + 3 * DAY, 0.9, beside), START + 3 * DAY)
    assert (done.state, done.beside) == (R.EFFECTIVE, beside)
    assert done.history[-1].reason.endswith("before the onset 0.9; beside version 1 worse: better by -0.2 to -0.1")
    assert done.document()["beside"]["verdict"] == "worse"
    assert worse(done, 0.9, 1)
    assert not worse(msgspec.structs.replace(done, beside=None), 0.9, 1)


def test_what_was_compared_holds_once_the_version_before_is_gone() -> None:
    """A window in which one side has no rows, or no value, says nothing of the two, and takes nothing back."""
    both = Comparison(
        a=Version("1"), b=Version("2"), of="performance.accuracy", margin=0.0, segment="all", window_start=START, window_end=START + DAY,
        verdict="worse", reason=None, value=-0.2, lower=None, upper=None, baseline_value=0.9, n_target=300, n_baseline=400,
        evidence={"better": -0.3, "better_upper": -0.1},
    )  # fmt: skip
    taken_over = msgspec.structs.replace(both, verdict="insufficient", n_baseline=0, value=None, evidence={})
    unlabelled = msgspec.structs.replace(both, verdict="not_estimable", n_target=50, value=None)
    told = Beside(version="1", verdict="worse", better=-0.3, better_upper=-0.1, rows=350)
    assert told_beside("1", [both, unlabelled, taken_over]) == told
    assert told_beside("1", [taken_over, unlabelled]) is None
