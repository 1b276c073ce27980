"""The rule: what fires, what resolves, and what changes nothing."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alerts.rule import advance
from alerts.terms import Terms
from core import moment
from core.episode import Cause, Level, Rule, State, Transition
from core.monitor import Compare, Unjudged
from core.reading import Reading, Verdict
from detectors.catalogue import MEASURES
from tests.alerts.sample import MONITOR, START, reading

RULE = Rule(model="late", monitor="drift", column="temp", segment="all")
GOOD = [Verdict.OK, Verdict.READY, Verdict.KEEP_WAITING]
JUDGED = [*GOOD, Verdict.WARN, Verdict.CRITICAL, Verdict.WORSE]

persists = st.integers(1, 4).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n)))
histories = st.lists(st.tuples(st.integers(0, 9), st.sampled_from(Verdict)), max_size=40)

ABOUT = MEASURES["drift.psi"]


def readings_of(history: Iterable[tuple[int, Verdict]]) -> list[Reading]:
    """Readings as the evaluator makes them: every further one of a day has the next revision."""
    revisions: dict[int, int] = {}
    made = []
    for day, verdict in history:
        revisions[day] = revisions.get(day, 0) + 1
        made.append(reading(day, verdict, revisions[day]))
    return made


def run(readings: Iterable[Reading], persist: tuple[int, int] | Terms = (1, 1), rule: Rule = RULE) -> tuple[Rule, list[Transition]]:
    transitions, terms = [], persist if isinstance(persist, Terms) else Terms(persist)
    for item in readings:
        rule, transition = advance(rule, item, ABOUT, terms)
        transitions += [transition] if transition else []
    return rule, transitions


def states(transitions: list[Transition]) -> list[State]:
    return [transition.after for transition in transitions]


def test_the_first_breach_fires_and_the_first_good_window_resolves() -> None:
    """By default one window decides."""
    rule, transitions = run([reading(0, "ok"), reading(1, "critical"), reading(2, "critical"), reading(3, "ok"), reading(4, "ok")])
    assert states(transitions) == [State.FIRING, State.RESOLVED, State.NORMAL]
    assert rule.episode is None
    assert transitions[0].episode == transitions[1].episode


def test_two_of_three_waits_fires_recovers_and_resolves() -> None:
    """With `persist: 2 of 3` a lone breach is pending, a lone good window is recovering."""
    _, transitions = run([reading(day, verdict) for day, verdict in enumerate(["warn", "ok", "warn", "ok", "ok"])], (2, 3))
    assert states(transitions) == [State.PENDING, State.NORMAL, State.FIRING, State.RESOLVED, State.NORMAL]
    rule, transitions = run([reading(day, verdict) for day, verdict in enumerate(["warn", "warn", "ok"])], (2, 3))
    assert states(transitions) == [State.PENDING, State.FIRING, State.RECOVERING]
    assert rule.episode is not None


def test_a_window_that_cannot_be_judged_neither_fires_nor_resolves() -> None:
    """Holes hold the episode open and say why; a hole without an episode is no alert."""
    rule, transitions = run(
        [reading(0, "critical"), reading(1, "insufficient", reason="37 < 200"), reading(2, "nodata"), reading(3, "critical")]
    )
    assert states(transitions) == [State.FIRING, State.NODATA, State.FIRING]
    assert len({transition.episode for transition in transitions}) == 1
    assert "37 < 200" in transitions[1].reason
    assert rule.level is Level.CRITICAL
    assert states(run([reading(0, "not_estimable")])[1]) == [State.ERROR]


def test_a_higher_revision_of_the_last_window_changes_the_verdict() -> None:
    """Late data may fire a window that was good, and resolve one that was bad."""
    rule, transitions = run([reading(0, "critical"), reading(0, "ok", 2), reading(0, "critical", 1), reading(0, "warn", 3)])
    assert states(transitions) == [State.FIRING, State.RESOLVED, State.FIRING]
    assert transitions[0].episode != transitions[2].episode
    assert rule.level is Level.WARN


def test_a_late_revision_of_a_forgotten_window_changes_nothing() -> None:
    """A rule looks at its last n windows only."""
    before, _ = run([reading(0, "ok"), reading(1, "ok")])
    assert advance(before, reading(0, "critical", 2), ABOUT) == (before, None)


def test_a_bad_window_that_becomes_unjudged_does_not_resolve_and_its_old_revision_stays_old() -> None:
    """A retraction leaves a tombstone."""
    rule, _ = run([reading(0, "ok"), reading(1, "critical"), reading(1, "insufficient", 2)])
    assert rule.episode is not None
    assert advance(rule, reading(1, "ok", 1), ABOUT) == (rule, None)
    assert run([reading(2, "ok")], rule=rule)[0].episode is None


@given(histories, persists)
def test_the_same_readings_again_change_nothing(history: list[tuple[int, Verdict]], persist: tuple[int, int]) -> None:
    """Replay changes nothing, whatever the order of windows and revisions is."""
    readings = readings_of(history)
    rule, _ = run(readings, persist)
    assert run(readings, persist, rule) == (rule, [])
    assert run(readings[::-1], persist, rule) == (rule, [])


@given(st.lists(st.sampled_from(Verdict), max_size=30), persists)
def test_an_episode_is_open_while_m_of_the_last_n_judged_windows_breach(verdicts: list[Verdict], persist: tuple[int, int]) -> None:
    """The state machine agrees with counting."""
    rule, judged = RULE, []
    for day, verdict in enumerate(verdicts):
        was_open = rule.episode is not None
        rule, transition = advance(rule, reading(day, verdict), ABOUT, Terms(persist))
        if verdict not in JUDGED:
            assert (rule.episode is not None) == was_open
            continue
        judged.append(verdict)
        assert (rule.episode is not None) == (sum(item not in GOOD for item in judged[-persist[1] :]) >= persist[0])
        assert transition is None or transition.reason


@given(st.lists(st.sampled_from(JUDGED), min_size=1, max_size=30), persists, st.integers(0, 30))
def test_the_state_survives_being_stored(verdicts: list[Verdict], persist: tuple[int, int], cut: int) -> None:
    """A rule that was written and read goes on as if nothing had happened."""
    readings = [reading(day, verdict) for day, verdict in enumerate(verdicts)]
    half, first = run(readings[:cut], persist)
    stored = msgspec.json.decode(msgspec.json.encode(half), type=Rule)
    whole, rest = run(readings[cut:], persist, stored)
    assert (whole, first + rest) == run(readings, persist)


@given(st.lists(st.integers(0, 23), min_size=1, max_size=24, unique=True))
def test_windows_that_overlap_count_once(hours: list[int]) -> None:
    """Twenty-four sliding windows that all share an hour are one breach, not two."""
    sliding = [
        reading(0, "critical", window_start=START + hour * moment.HOUR, window_end=START + (hour + 24) * moment.HOUR) for hour in hours
    ]
    assert run(sliding, (2, 3))[0].episode is None
    assert run([*sliding, reading(2, "critical")], (2, 3))[0].episode is not None


@given(st.lists(st.sampled_from([Verdict.WARN, Verdict.CRITICAL]), min_size=2, max_size=20), st.integers(1, 3))
def test_a_warning_becomes_critical_within_its_episode_and_never_milder(verdicts: list[Verdict], m: int) -> None:
    """One life, one id; the level is the worst that was reached."""
    rule, transitions = run([reading(day, verdict) for day, verdict in enumerate(verdicts)], (m, m))
    levels = [transition.level for transition in transitions if transition.episode]
    assert len({transition.episode for transition in transitions if transition.episode}) == (len(verdicts) >= m)
    assert levels in ([], [Level.WARN], [Level.CRITICAL], [Level.WARN, Level.CRITICAL])
    worst = any(all(item is Verdict.CRITICAL for item in verdicts[i : i + m]) for i in range(len(verdicts) - m + 1))
    assert rule.level is (None if len(verdicts) < m else Level.CRITICAL if worst else Level.WARN)


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from(Verdict)), max_size=300), persists)
def test_memory_is_bounded(history: list[tuple[int, Verdict]], persist: tuple[int, int]) -> None:
    """A rule remembers only the windows that it needs."""
    assert len(run(readings_of(history), persist)[0].windows) <= persist[1] + 34


def test_a_good_window_that_is_not_clear_holds_an_open_episode() -> None:
    """Hysteresis: between `clear` and `warn` nothing begins and nothing ends."""
    terms = Terms.of(msgspec.structs.replace(MONITOR, clear=0.08))
    between = reading(1, "ok", value=0.09)
    assert run([between], terms)[0].episode is None
    rule, transitions = run([reading(0, "warn"), between], terms)
    assert states(transitions) == [State.FIRING, State.RECOVERING]
    assert "not clear yet" in transitions[-1].reason
    assert run([reading(2, "ok", value=0.08)], terms, rule)[0].episode is not None
    assert run([reading(2, "ok", value=0.07)], terms, rule)[0].episode is None


def test_what_is_compared_with_clear_is_what_is_compared_with_the_thresholds() -> None:
    """Below for a floor, the excess or rise where the monitor says so, how much worse than the baseline where the measure is judged so."""
    accuracy = MEASURES["performance.accuracy"]
    floor = Terms.of(msgspec.structs.replace(MONITOR, baseline=None, warn={"below": 0.8}, clear={"below": 0.85}))
    assert [floor.holds(reading(0, "ok", value=value), accuracy) for value in (0.85, 0.86)] == [True, False]
    worse = Terms.of(msgspec.structs.replace(MONITOR, warn=0.1, clear=0.05))
    assert [worse.holds(reading(0, "ok", value=value, baseline_value=0.9), accuracy) for value in (0.85, 0.86)] == [True, False]
    assert not worse.holds(reading(0, "ok", value=0.5, baseline_value=None), accuracy)
    excess = Terms.of(msgspec.structs.replace(MONITOR, compare=Compare.EXCESS, clear=0.05))
    assert excess.holds(reading(0, "ok", value=0.2, evidence={"excess": 0.06}), ABOUT)
    assert not excess.holds(reading(0, "ok", value=0.2, evidence={"excess": 0.04}), ABOUT)


def test_an_episode_is_kept_for_so_many_windows_after_its_cause() -> None:
    """`keep_firing: 2`: the third good window ends it, and a breach in between begins the count again."""
    terms = Terms(keep_firing=2)
    rule, transitions = run([reading(day, verdict) for day, verdict in enumerate(["warn", "ok", "ok", "warn", "ok", "ok"])], terms)
    assert states(transitions) == [State.FIRING, State.RECOVERING, State.FIRING, State.RECOVERING]
    rule, transitions = run([reading(6, "ok")], terms, rule)
    assert states(transitions) == [State.RESOLVED]
    assert transitions[0].cause is Cause.CLEARED


def test_an_episode_whose_only_window_is_corrected_is_not_kept() -> None:
    """There never was a cause."""
    assert run([reading(0, "warn"), reading(0, "ok", 2)], Terms(keep_firing=2))[0].episode is None


def test_a_rule_that_fires_again_soon_goes_on_with_its_episode() -> None:
    """`reopen_within: 2d`: the third day is soon enough, the fourth begins another episode."""
    terms = Terms(reopen_within=2 * moment.DAY)
    soon = run([reading(0, "warn"), reading(1, "ok"), reading(3, "critical")], terms)[1]
    assert states(soon) == [State.FIRING, State.RESOLVED, State.FIRING]
    assert len({one.episode for one in soon}) == 1
    assert "the episode goes on" in soon[-1].reason
    late = run([reading(0, "warn"), reading(1, "ok"), reading(4, "critical")], terms)[1]
    assert len({one.episode for one in late}) == 2


def test_an_older_window_that_loses_its_rows_after_the_end_forgets_nothing() -> None:
    """The episode that ended before goes on as if the window had not come again."""
    history = [reading(0, "warn"), reading(1, "ok"), reading(2, "ok"), reading(1, "nodata", 2), reading(3, "warn")]
    transitions = run(history, Terms((1, 2), reopen_within=2 * moment.DAY))[1]
    assert states(transitions) == [State.FIRING, State.RECOVERING, State.RESOLVED, State.FIRING]
    assert len({one.episode for one in transitions}) == 1


def test_no_data_and_errors_alert_where_the_monitor_says_so() -> None:
    """They count as a warning, hold an episode as any breach does, and become the breach that follows, in one episode."""
    terms = Terms.of(msgspec.structs.replace(MONITOR, on_nodata=Unjudged.ALERT, persist=(2, 2)))
    rule, transitions = run([reading(0, "nodata"), reading(1, "nodata"), reading(2, "critical"), reading(3, "critical")], terms)
    assert states(transitions) == [State.PENDING, State.NODATA, State.FIRING, State.FIRING]
    assert [one.level for one in transitions[1:]] == [Level.WARN, Level.WARN, Level.CRITICAL]
    assert len({one.episode for one in transitions[1:]}) == 1
    assert run([reading(4, "ok")], terms, rule)[0].episode is None
    broken = Terms.of(msgspec.structs.replace(MONITOR, on_error=Unjudged.ALERT))
    assert states(run([reading(0, "nodata"), reading(1, "assumptions_broken"), reading(2, "ok")], broken)[1]) == [
        State.NODATA,
        State.ERROR,
        State.RESOLVED,
    ]
