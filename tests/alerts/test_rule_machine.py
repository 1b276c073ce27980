"""The alert engine under any sequence of readings, replays, revisions, definitions and contracts."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alerts.engine import AlertEngine
from core import moment
from core.clock import ManualClock
from core.episode import Cause, Level, State
from core.monitor import Unjudged
from core.reading import Reading, Verdict
from detectors.catalogue import MEASURES
from tests.alerts.memory import MemoryStore
from tests.alerts.sample import DESTINATION, MONITOR, START, reading

COLUMNS = ("temp", "dewp")
OPEN = {State.FIRING, State.RECOVERING, State.NODATA, State.ERROR}


class EngineMachine(RuleBasedStateMachine):
    """A monitor of two columns, whose terms change with its definition."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.clock = MemoryStore([DESTINATION]), ManualClock(START)
        self.engine = AlertEngine(self.store, self.clock, MEASURES)
        self.monitor, self.contract = MONITOR, 1
        self.sent: list[Reading] = []
        self.revisions: Counter[tuple[str, int]] = Counter()

    @rule(
        column=st.sampled_from(COLUMNS),
        day=st.integers(0, 12),
        verdict=st.sampled_from(Verdict),
        value=st.sampled_from([0.03, 0.07, 0.09]),
    )
    def read(self, column: str, day: int, verdict: Verdict, value: float) -> None:
        """A window is evaluated, for the first time or again."""
        self.revisions[column, day] += 1
        changes = {"value": value} if verdict is Verdict.OK else {}
        made = reading(day, verdict, self.revisions[column, day], column=column, contract=self.contract, **changes)
        self.sent.append(made)
        self.engine.observe(self.monitor, [made])

    @rule(data=st.data(), restarted=st.booleans())
    def replay(self, data: st.DataObject, restarted: bool) -> None:
        """Readings that were sent come again, in any order, also to an engine that knows nothing: nothing changes."""
        if not self.sent:
            return
        again = data.draw(st.lists(st.sampled_from(self.sent), max_size=10))
        if restarted:
            self.engine = AlertEngine(self.store, self.clock, MEASURES)
        before = (dict(self.store.held), dict(self.store.known), len(self.store.timeline), len(self.store.outbox))
        assert self.engine.observe(self.monitor, again) == []
        after = (self.store.held, self.store.known, len(self.store.timeline), len(self.store.outbox))
        assert before[1:] == after[1:]
        assert before[0] == after[0]

    @rule(
        persist=st.sampled_from([(1, 1), (2, 3)]),
        keep=st.integers(0, 2),
        reopen=st.sampled_from([0, 3 * moment.DAY]),
        clear=st.sampled_from([None, 0.05]),
        nodata=st.sampled_from(Unjudged),
    )
    def define(self, persist: tuple[int, int], keep: int, reopen: int, clear: float | None, nodata: Unjudged) -> None:
        """The monitor is changed: its windows are evaluated again."""
        terms = {"persist": persist, "keep_firing": keep, "reopen_within": reopen, "clear": clear, "on_nodata": nodata}
        self.monitor = msgspec.structs.replace(self.monitor, revision=self.monitor.revision + 1, **terms)
        self.sent.clear()
        self.engine.observe(self.monitor, [])

    @rule()
    def refer(self) -> None:
        """The model gets another reference."""
        self.contract += 1
        self.sent.clear()
        self.engine.observe(self.monitor, [], contract=self.contract, columns=COLUMNS)

    @rule()
    def serve_another_version(self) -> None:
        """The version that the monitor watches is not served any more: what is open ends, and the same again ends nothing."""
        self.engine.supersede(self.monitor, "version 1 is not served any more")
        assert not any(held.episode for held in self.store.held.values() if held.definition == self.monitor.evaluated_revision)
        assert self.engine.supersede(self.monitor, "version 1 is not served any more") == []

    @invariant()
    def one_open_episode_a_key(self) -> None:
        """The open episodes are those of the rules, and no rule has two."""
        open_now = [one for one in self.store.known.values() if one.ended_at is None]
        assert max(Counter(one.column for one in open_now).values(), default=0) <= 1
        assert {one.id for one in open_now} == {rule.episode for rule in self.store.held.values() if rule.episode}
        assert all(one.state in OPEN for one in open_now)

    @invariant()
    def every_end_has_a_cause(self) -> None:
        """An episode that ended says why, and its timeline ends with that; one that is open has no cause."""
        last = {entry.episode: entry for entry in self.store.timeline}
        for one in self.store.known.values():
            assert (one.cause is None) == (one.ended_at is None)
            assert last[one.id].cause == one.cause
            assert last[one.id].reason
        cleared = [entry for entry in self.store.timeline if entry.cause is Cause.CLEARED]
        assert all(entry.after is State.RESOLVED for entry in cleared)

    @invariant()
    def levels_never_fall_and_ends_are_told_once(self) -> None:
        """Within an episode the level never falls; each notice has an id of its own, and an end follows a firing."""
        for one in self.store.known.values():
            told = [row.type for row in one.deliveries]
            assert told[:1] == ["episode.fired"]
            assert all(pair != ("episode.resolved", "episode.resolved") for pair in pairwise(told))
            reached = [entry.level for entry in self.store.timeline if entry.episode == one.id]
            assert one.level is (Level.CRITICAL if Level.CRITICAL in reached else Level.WARN)
        assert len({row.id for row in self.store.outbox}) == len(self.store.outbox)


EngineMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestEngine = EngineMachine.TestCase
