"""The whole way of a request on each database: from episodes to the target, and from its run to the verdict."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from alerts.action_link import ActionLinks
from alerts.deliver import Deliverer
from alerts.retrain.watch import LEASE
from core import moment
from core.destination import Destination
from core.error import ConfigError, Forbidden
from core.hook import Mode, On, Require
from core.retrain import Retrain, RetrainState, Sending
from tests.alerts.receiver import Receiver
from tests.alerts.retrain.scene import DAY
from tests.alerts.retrain.stage import Stage
from tests.alerts.sample import MONITOR, at, reading
from watchkeeper.change import retrain as change

R = RetrainState


def states(request: Retrain) -> list[str]:
    return [one.state.value for one in request.history]


def test_several_monitors_ask_once_and_the_run_is_followed_until_it_has_helped(stage: Stage) -> None:
    """One signed request for three episodes; a fourth joins; the verdict rests on windows of the new version."""
    stage.apply()
    stage.breach("temp", "dewp", "humid")
    stage.watch.look()
    made = stage.newest
    assert (made.state, len(made.episodes), len(stage.receiver.calls)) == (R.DISPATCHED, 3, 1)
    body = json.loads(stage.receiver.calls[0].body)
    assert (body["type"], body["data"]["id"], set(body["data"]["episodes"])) == ("retrain.requested", made.id, set(made.episodes))
    assert body["data"]["manifest"]["labelled"] == 6_000
    stage.breach("wind")
    assert len(stage.pass_().episodes) == 4
    assert stage.report("running", url="http://runs/1").state is R.RUNNING
    with pytest.raises(Forbidden):
        stage.act(change.take_report, change.RetrainReport(id=made.id, token="wrong", state="failed"))
    stage.report("succeeded", version="2", metrics={"auc": 0.9})
    with pytest.raises(Forbidden):  # the token ended with the run
        stage.report("failed")
    assert stage.pass_().state is R.SUCCEEDED
    stage.facts.known.append("2")
    assert stage.pass_().state is R.VERIFYING
    stage.facts.judge(False, True)
    assert stage.pass_().state is R.VERIFYING
    stage.facts.judge(True)
    done = stage.pass_()
    assert (done.state, done.version, done.metrics, done.url) == (R.EFFECTIVE, "2", {"auc": 0.9}, "http://runs/1")
    assert stage.resolved == [done.id]
    assert list(dict.fromkeys(states(done))) == ["requested", "dispatched", "running", "succeeded", "verifying", "effective"]
    assert len(stage.receiver.calls) == 1
    episodes = {one.id: one for one in stage.store.episodes("open")[0]}
    assert all(episodes[name].document()["retrains"] == [done.id] for name in done.episodes)
    assert "token" not in done.document()
    assert "callback" not in str(done.document())


def test_an_episode_of_quality_never_asks_and_holds_others_back(stage: Stage) -> None:
    """A broken pipeline is not mended by training on what it wrote."""
    stage.apply()
    quality = msgspec.structs.replace(MONITOR, name="nulls", measure="quality.null_rate")
    stage.engine.observe(quality, [reading(0, "critical", monitor="nulls", measure="quality.null_rate")])
    assert stage.watch.look() == 0
    stage.breach("temp")
    stage.watch.look()
    assert (stage.newest.state, stage.newest.history[-1].reason) == (R.BLOCKED, "an episode of quality is open")
    stage.engine.observe(quality, [reading(1, "ok", monitor="nulls", measure="quality.null_rate")])
    assert stage.pass_().state is R.DISPATCHED


def test_a_request_whose_episodes_end_before_it_was_sent_is_cancelled(stage: Stage) -> None:
    """And nothing was asked of the target."""
    stage.facts.labelled = 10
    stage.apply()
    stage.breach("temp")
    stage.watch.look()
    assert "10 labels since" in stage.newest.history[-1].reason
    stage.clear("temp")
    assert (stage.pass_().state, stage.receiver.calls) == (R.CANCELLED, [])


def test_old_windows_and_short_breaches_do_not_ask(stage: Stage) -> None:
    """An episode asks after so many windows, and while the newest of them is within the horizon."""
    stage.apply(on=On(after=2))
    stage.breach("temp")
    assert stage.watch.look() == 0
    stage.breach("temp", day=1)
    stage.clock.advance(30 * DAY)
    assert stage.watch.look() == 0
    stage.clock.advance(-30 * DAY)
    stage.watch.look()
    assert stage.newest.state is R.DISPATCHED


def test_a_person_approves_and_a_dry_run_asks_nobody(stage: Stage) -> None:
    """Whoever approved is in the request and in the audit; the same approval again changes nothing."""
    stage.apply(mode=Mode.APPROVAL)
    made = stage.act(change.ask, change.RetrainRequest(hook="retrain", reason="new prices"))
    assert stage.pass_().state is R.AWAITING_APPROVAL
    decision = change.RetrainDecision(id=made.id, action="approve", comment="go")
    assert stage.act(change.decide, decision) == stage.act(change.decide, decision)
    assert (stage.pass_().state, stage.newest.approved_by) == (R.DISPATCHED, "ada")
    assert stage.act(change.decide, change.RetrainDecision(id=made.id, action="cancel")).state is R.CANCELLED
    with pytest.raises(ConfigError, match="waits for nobody"):
        stage.act(change.decide, decision)
    assert [one.action for one in stage.store.audit_entries()[0]][:3] == ["retrain.cancel", "retrain.approve", "retrain.requested"]
    stage.apply(mode=Mode.DRY_RUN, cooldown=0)
    stage.breach("temp")
    assert (stage.pass_().state, "dry run" in stage.newest.history[-1].reason) == (R.CANCELLED, True)
    stage.pass_()
    assert len(stage.store.retrains()[0]) == 2
    assert len(stage.receiver.calls) == 1


def test_people_are_asked_once_to_approve(stage: Stage) -> None:
    """In the transaction in which the request begins to wait; the notice to a chat has a link that approves it."""
    with Receiver() as chat:
        stage.store.apply_destinations([Destination(name="chat", kind="slack", settings={"url": chat.url})])
        stage.apply(mode=Mode.APPROVAL)
        made = stage.act(change.ask, change.RetrainRequest(hook="retrain", reason="new prices"))
        for _ in range(3):
            stage.pass_(moment.MINUTE)
        Deliverer(stage.store, stage.clock, links=ActionLinks("http://x", stage.store.signing_key)).deliver_due()
        (sent,) = chat.calls
        assert "waits for approval" in sent.body.decode()
        assert (
            f"http://x/link?action=approve&amp;subject={made.id}&amp;to=chat" in json.loads(sent.body)["blocks"][-1]["elements"][1]["text"]
        )


def test_twice_in_vain_turns_automatic_retraining_off_and_pages_a_person(stage: Stage) -> None:
    """The cooldown doubles after the first; after the second a person is paged and has to approve."""
    pages = Receiver()
    with pages:
        stage.store.apply_destinations([at(pages.url)])
        stage.apply()
        stage.breach("temp")
        stage.watch.look()
        assert stage.cycle(good=False).state is R.INEFFECTIVE
        deliverer = Deliverer(stage.store, stage.clock)
        deliverer.deliver_due()
        stage.breach("temp", day=3)
        again = stage.pass_()
        assert (again.state, again.episodes) == (R.BLOCKED, stage.store.retrains()[0][1].episodes)
        assert again.history[-1].reason.startswith("cooldown until")
        assert stage.pass_(DAY + moment.MINUTE).state is R.BLOCKED
        assert stage.pass_(DAY).state is R.DISPATCHED
        assert stage.cycle(good=False).state is R.INEFFECTIVE
        deliverer.deliver_due()
        stage.breach("temp", day=6)
        stage.pass_(5 * DAY)
        assert (stage.newest.state, "off" in stage.newest.history[-1].reason) == (R.AWAITING_APPROVAL, True)
        deliverer.deliver_due()
        told = [json.loads(call.body) for call in pages.calls]
        types = [body["type"] for body in told if body["type"].startswith("retrain.")]
        assert sorted(types) == ["retrain.awaiting_approval"] + ["retrain.ineffective"] * 2 + ["retrain.off"] + ["retrain.worse"] * 2
        off = next(body["data"] for body in told if body["type"] == "retrain.off")
        assert (off["severity"], off["hook"]) == ("page", "retrain")
        stage.apply(cooldown=2 * DAY)
        assert stage.pass_(moment.HOUR).state in {R.DISPATCHED, R.BLOCKED}


def test_a_kill_between_message_and_answer_sends_the_same_message_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The webhook is idempotent by its id. Another process goes on after the lease, not before."""
    stage.apply()
    stage.breach("temp")
    killed = stage.another(lease=LEASE)
    monkeypatch.setattr(killed, "_settle", _dies_after(killed._settle, 2))
    with pytest.raises(KeyboardInterrupt):
        killed.look()
    assert (len(stage.receiver.calls), stage.newest.sending) == (1, Sending.BEGUN)
    next_ = stage.another(lease=LEASE)
    assert next_.look() == 0
    stage.clock.advance(LEASE)
    next_.look()
    assert [call.headers["webhook-id"] for call in stage.receiver.calls] == [stage.newest.id] * 2
    assert (stage.newest.sending, stage.newest.state) == (Sending.TAKEN, R.DISPATCHED)


def _dies_after(settle: Any, times: int) -> Any:
    """Let the first calls through, and die in place of the next."""
    left = [times]

    def dying(*given: Any, **named: Any) -> Any:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return settle(*given, **named)

    return dying


def test_what_the_target_refuses_fails_and_what_it_cannot_take_now_is_asked_again(stage: Stage) -> None:
    """A refusal ends the request with its reason; an outage is waited for, until the deadline."""
    stage.receiver.answers += [(503, {}), (204, {})]
    stage.apply()
    stage.breach("temp")
    stage.watch.look()
    assert (stage.newest.state, stage.newest.sending) == (R.DISPATCHED, Sending.NONE)
    assert (stage.pass_().sending, stage.newest.attempts) == (Sending.TAKEN, 2)
    assert stage.pass_(2 * DAY).state is R.TIMED_OUT
    stage.receiver.answers.append((400, {}))
    stage.breach("temp", day=1)
    stage.pass_(2 * DAY)
    assert (stage.newest.state, stage.newest.history[-1].reason) == (R.FAILED, "not taken: the target answered 400")


def test_the_first_event_of_a_new_version_tells_that_a_silent_run_has_succeeded(stage: Stage) -> None:
    """A target that never calls back is followed by the data."""
    stage.apply(verify=None)
    stage.breach("temp")
    stage.watch.look()
    stage.facts.known.append("2")
    done = stage.pass_()
    assert (done.state, done.version, done.ended_at is not None) == (R.SUCCEEDED, "2", True)
    assert "the first event of version 2 came" in [one.reason for one in done.history]


def test_a_schedule_asks_once_for_what_was_missed(stage: Stage) -> None:
    """In its time zone; without an episode the window to train on begins after the last training."""
    stage.apply(on=None, schedule="0 3 * * *", require=Require(labels=0), cooldown=0)
    assert stage.watch.look() == 0
    made = stage.pass_(5 * DAY)
    assert (made.state, made.trigger, len(stage.store.retrains()[0])) == (R.DISPATCHED, "schedule", 1)
    assert stage.cycle(good=True).state is R.EFFECTIVE
    again = stage.pass_(DAY)
    assert again.id != made.id
    assert again.manifest is not None
    assert made.manifest is not None
    assert again.manifest.start == made.manifest.end


def test_budgets_of_the_model_and_of_all_models_hold(stage: Stage) -> None:
    """A person who asks by hand skips the cooldown, and no budget."""
    stage.apply(budget=(1, 30 * DAY))
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    assert stage.pass_().state is R.DISPATCHED
    stage.report("failed")
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))
    assert (stage.pass_().state, stage.newest.history[-1].reason) == (R.BLOCKED, "the budget of 1 per 30d is used up")
    stage.apply(budget=(9, 30 * DAY))
    stage.watch = stage.another(fleet=(1, 30 * DAY))
    assert "the budget of all models" in stage.pass_().history[-1].reason
    stage.watch = stage.another(fleet=(2, 30 * DAY))
    assert stage.pass_(moment.MINUTE).state is R.DISPATCHED


def test_a_page_of_requests_is_found_by_state_and_model(stage: Stage) -> None:
    """The newest first, with a cursor; what is no cursor is refused."""
    stage.apply()
    for number in range(3):
        made = stage.act(change.ask, change.RetrainRequest(hook="retrain", reason=f"number {number}"))
        stage.act(change.decide, change.RetrainDecision(id=made.id, action="cancel"))
        stage.clock.advance(1)
    page, cursor = stage.store.retrains("late", [R.CANCELLED], 2)
    rest, none = stage.store.retrains("late", [R.CANCELLED], 2, cursor)
    assert [one.reason for one in (*page, *rest)] == ["number 2", "number 1", "number 0"]
    assert (none, stage.store.retrains("other")[0], stage.store.retrains(states=[R.FAILED])[0]) == (None, [], [])
    with pytest.raises(ConfigError, match="not a cursor"):
        stage.store.retrains(after="x")


def test_wherever_it_is_killed_each_request_is_one_message_and_comes_to_its_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process dies before its first step, its second and so on; another one goes on after the lease."""
    stage.apply(budget=(100, 365 * DAY), cooldown=0)
    for steps in range(9):
        stage.watch = stage.another(lease=LEASE)
        made = stage.act(change.ask, change.RetrainRequest(hook="retrain", reason=f"number {steps}"))
        dying = stage.another(lease=LEASE)
        monkeypatch.setattr(dying, "_settle", _dies_after(dying._settle, steps))
        for watch in (dying, stage.watch):
            for _ in range(6):
                stage.clock.advance(LEASE + 1)
                try:
                    watch.look()
                except KeyboardInterrupt:
                    break
                if stage.newest.state is R.DISPATCHED and stage.newest.sending is Sending.TAKEN:
                    stage.report("succeeded", version=f"of {made.id}")
                    stage.facts.known.append(f"of {made.id}")
                    stage.facts.windows.clear()
                    stage.facts.judge(True, True)
        assert (stage.newest.id, stage.newest.state) == (made.id, R.EFFECTIVE), steps
    ids = [call.headers["webhook-id"] for call in stage.receiver.calls]
    assert (len(set(ids)), len(ids)) == (9, 10)  # one was killed between the message and its answer
    assert len(stage.store.retrains()[0]) == 9


def test_what_breaks_is_put_off_with_its_reason(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose facts cannot be read is looked at again a minute later, and says why."""
    stage.apply()
    stage.act(change.ask, change.RetrainRequest(hook="retrain"))

    def broken(*_: object) -> None:
        raise ConfigError("these are too many readings")

    with monkeypatch.context() as patch:
        patch.setattr(stage.facts, "manifest", broken)
        for claimed in stage.store.claim_retrains(stage.clock.now(), 0, 1):
            stage.watch._carry(claimed)
    assert stage.newest.history[-1].reason == "it cannot go on now: these are too many readings"
    assert stage.pass_().state is R.REQUESTED
    assert stage.pass_(moment.MINUTE).state is R.DISPATCHED
