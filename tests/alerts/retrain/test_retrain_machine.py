"""Requests for retraining under any sequence of causes, people, targets and facts: what must never happen does not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alerts.retrain.ask import by_episodes, by_hand, by_schedule
from alerts.retrain.machine import ENDS, MOVES, UNDER_WAY, WAITING, move, note, report
from alerts.retrain.policy import Asking, Situation, admit, overdue
from alerts.retrain.verify import Watched, follow
from core import moment
from core.hook import Mode
from core.retrain import Manifest, Retrain, RetrainState, Verified
from tests.alerts.retrain.scene import DAY, hook
from tests.alerts.sample import START

HOOKS = {
    "first": hook(name="first", schedule="0 3 * * *", budget=(2, 5 * DAY)),
    "second": hook(name="second", mode=Mode.APPROVAL, budget=(3, 4 * DAY), cooldown=0),
}
FLEET = (3, 9 * DAY)
R = RetrainState


class Machine(RuleBasedStateMachine):
    """Two hooks of one model, whose requests are kept as the store keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.requests, self.scheduled = START + 20 * DAY, dict[str, Retrain](), dict.fromkeys(HOOKS, START + 20 * DAY)
        self.open: dict[str, Asking] = {}
        self.labels, self.versions = 6_000, ["1"]
        self.dispatched: list[tuple[str, int]] = []

    @property
    def past(self) -> list[Retrain]:
        return sorted(self.requests.values(), key=lambda one: one.created)  # ids are random: those of one moment stay as they came

    def keep(self, made: Retrain | None) -> None:
        """Store a request, and check that its state may follow the one before."""
        if made is None:
            return
        before = self.requests.get(made.id)
        path = [one.state for one in (before.history if before else ())] + [
            one.state for one in made.history[len(before.history) if before else 0 :]
        ]
        for one, after in pairwise(path):
            assert one is after or after in MOVES[one], path
        self.requests[made.id] = made

    @rule(family=st.sampled_from(["performance", "drift", "quality"]), name=st.integers(0, 5))
    def fire(self, family: str, name: int) -> None:
        """An episode begins."""
        one = Asking(f"ep_{name}_{self.now}", family, 1, "all", "it moved", self.now - 2 * DAY, 2, self.now)
        self.open[one.id] = one

    @rule()
    def clear(self) -> None:
        """The oldest episode ends."""
        if self.open:
            del self.open[next(iter(self.open))]

    @rule(hours=st.sampled_from([1, 12, 24, 72]))
    def wait(self, hours: int) -> None:
        """Time passes."""
        self.now += hours * moment.HOUR

    @rule(labels=st.sampled_from([10, 6_000]))
    def label(self, labels: int) -> None:
        """Labels come, or the window begins anew."""
        self.labels = labels

    @rule(name=st.sampled_from(sorted(HOOKS)))
    def ask(self, name: str) -> None:
        """Episodes and the schedule ask."""
        hook = HOOKS[name]
        if (made := by_schedule(hook, self.scheduled[name], self.past, self.now)) is not None:
            self.scheduled[name] = self.now
            self.keep(made)
        self.keep(by_episodes(hook, list(self.open.values()), self.past, self.now, 7 * DAY))

    @rule(name=st.sampled_from(sorted(HOOKS)))
    def by_hand(self, name: str) -> None:
        """A person asks."""
        self.keep(by_hand(HOOKS[name], self.past, "please", self.now, "ada"))

    @rule(data=st.data())
    def approve(self, data: st.DataObject) -> None:
        """A person approves."""
        if (one := self.draw(data, WAITING)) is not None:
            self.keep(note(msgspec.structs.replace(one, approved_by="ada"), "approved by ada", self.now, "ada"))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """A person cancels."""
        if (one := self.draw(data, frozenset(MOVES) - ENDS)) is not None:
            self.keep(move(one, R.CANCELLED, "cancelled by ada", self.now, "ada"))

    @rule(data=st.data())
    def admit(self, data: st.DataObject) -> None:
        """A request is looked at."""
        if (one := self.draw(data, WAITING)) is not None:
            self.look(one)

    @rule(name=st.sampled_from(sorted(HOOKS)), ends=st.booleans())
    def rush(self, name: str, ends: bool) -> None:
        """A person asks, approves and has it looked at; a run that begins may fail at once."""
        made = by_hand(HOOKS[name], self.past, "now", self.now, "ada")
        if made.state in WAITING:
            self.keep(made)
            self.keep(msgspec.structs.replace(made, approved_by="ada"))
            self.look(self.requests[made.id])
        if ends and self.requests.get(made.id, made).state is R.DISPATCHED:
            self.keep(report(self.requests[made.id], R.FAILED, self.now, {}))

    def look(self, one: Retrain) -> None:
        """Admit a request if it may be, and check that it might."""
        families = dict.fromkeys((each.family for each in self.open.values()), 1)
        manifest = Manifest(start=START, end=self.now, contract=1, rows=10_000, labelled=self.labels)
        begun = sum(at > self.now - FLEET[1] for _, at in self.dispatched)
        ran = sum(at > self.now - HOOKS[one.hook].budget[1] for _, at in self.dispatched)
        after = admit(one, HOOKS[one.hook], Situation(self.past, manifest, families, ran, FLEET, begun), self.now)
        if after.state is R.DISPATCHED:
            assert self.labels >= 5_000
            assert "quality" not in families
            assert HOOKS[one.hook].mode is not Mode.APPROVAL or one.approved_by == "ada"
            self.dispatched.append((one.hook, self.now))
        self.keep(after)

    @rule(data=st.data(), state=st.sampled_from([R.RUNNING, R.SUCCEEDED, R.FAILED]))
    def report(self, data: st.DataObject, state: RetrainState) -> None:
        """The run reports; what comes again changes nothing."""
        if (one := self.draw(data, UNDER_WAY)) is not None:
            after = report(one, state, self.now, {})
            if after.state in UNDER_WAY:
                assert report(after, state, self.now, {}) == after
            self.keep(after)

    @rule(data=st.data(), served=st.booleans(), good=st.lists(st.booleans(), max_size=4))
    def follow(self, data: st.DataObject, served: bool, good: list[bool]) -> None:
        """The facts tell."""
        if (one := self.draw(data, UNDER_WAY | {R.SUCCEEDED, R.VERIFYING})) is None:
            return
        versions = [("1", START), *([(f"of {one.id}", one.dispatched_at or START)] if served else [])]
        one = msgspec.structs.replace(one, known=("1",))
        windows = [Verified(start=at, end=at + 1, value=0.5, good=each, why="") for at, each in enumerate(good)]
        self.keep(follow(overdue(one, self.now), HOOKS[one.hook], Watched(versions, windows, self.now, 0.9), self.now))

    def draw(self, data: st.DataObject, states: frozenset[RetrainState] | set[RetrainState]) -> Retrain | None:
        """An open request in one of these states."""
        found: Sequence[Retrain] = [one for one in self.past if one.state in states and one.ended_at is None]
        return data.draw(st.sampled_from(found)) if found else None

    @invariant()
    def one_is_open_for_each_hook(self) -> None:
        """And one run of the model is under way."""
        open_ = [one for one in self.past if one.ended_at is None]
        assert len({one.hook for one in open_}) == len(open_)
        assert sum(one.state not in WAITING for one in open_) <= 1

    @invariant()
    def no_budget_is_exceeded(self) -> None:
        """When a run begins, it and those before it are within the budget of its hook, which counts the runs of all hooks of the model, and within that of all models."""
        for place, (name, at) in enumerate(self.dispatched):
            begun = [before for _, before in self.dispatched[: place + 1]]
            for most, period in (HOOKS[name].budget, FLEET):
                assert sum(before > at - period for before in begun) <= most

    @invariant()
    def a_token_ends_with_its_run(self) -> None:
        """Whoever kept the address of a callback can change nothing later."""
        for one in self.past:
            assert bool(one.token) == (one.state in WAITING | UNDER_WAY)
            assert (one.ended_at is not None) == (one.state in ENDS) or one.state is R.SUCCEEDED


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
