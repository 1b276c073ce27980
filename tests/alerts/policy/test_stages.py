"""The policy over time: each stage, and each reason that it gives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.policy.sentence import sentence
from core import moment
from core.destination import Destination
from core.episode import Level
from core.monitor import Severity
from core.policy import Inhibit, Mute, Policy, Route
from tests.alerts.policy.timeline import Timeline, between, episode
from tests.alerts.sample import START

MINUTE = moment.MINUTE
POLICY = Policy(
    name="default",
    group_wait=MINUTE,
    group_interval=5 * MINUTE,
    repeat_interval=60 * MINUTE,
    routes=(Route(match={"severity": ("page",)}, to=("oncall",)), Route(to=("team",))),
)


def policy(**changes: Any) -> Policy:
    return msgspec.structs.replace(POLICY, **changes)


def test_what_moves_together_is_one_notice_and_what_joins_later_updates_it() -> None:
    """Group, wait, interval: three episodes of one minute, one more before the next notice may go, the ends, and the last end."""
    line = Timeline(POLICY)
    line.at(5).send(episode("a"), episode("b", column="dewp"))
    line.at(5.5).send(episode("c", segment="carrier=UA"))
    line.at(8).send(episode("d", measure="drift.ks", monitor="ks"))
    line.at(20).end("a", "b")
    line.at(30).end("c", "d")
    line.run(200)
    line.want(between(6, 6), "fired", "team", "a", "b", "c", because="the first notice")
    line.want(between(11, 11), "updated", "team", "a", "b", "d", "c", because="1 new")
    line.want(between(20, 20), "updated", "team", "d", "c", "a", "b", because="2 ended")
    line.want(between(30, 30), "resolved", "team", "d", "c", because="have ended")
    line.nothing_else()


def test_what_ends_within_the_wait_is_not_told_and_says_so() -> None:
    """Nobody needs to know of it any more."""
    line = Timeline(POLICY)
    line.at(5).send(episode("a"))
    line.at(5.5).end("a")
    line.run(100).nothing_else()
    assert line.why("a") == ("group", "it ended before it was told")
    assert all(group.closed for group in line.groups.values())


def test_a_group_that_waits_says_until_when() -> None:
    """The reason is there before the notice."""
    line = Timeline(POLICY)
    line.at(5).send(episode("a"))
    line.run(5.5)
    assert line.why("a") == ("group", f"waits for others until {moment.text(line.time(6))}")
    line.run(7)
    assert line.why("a") == ("", "")


def test_nothing_new_is_repeated_after_the_repeat_interval_until_somebody_acknowledges() -> None:
    """Deduplicate: the reason of each repetition is how long it has been open."""
    line = Timeline(POLICY)
    line.at(5).send(episode("a"))
    line.at(70).acknowledge("a")
    line.run(300)
    line.want(between(6, 6), "fired", "team", "a")
    line.want(between(66, 66), "updated", "team", "a", because="still open after 1 hour")
    line.nothing_else()


def test_a_level_that_rises_is_told_although_somebody_has_acknowledged() -> None:
    """Worse is new."""
    line = Timeline(POLICY)
    line.at(5).send(episode("a"))
    line.at(10).acknowledge("a")
    line.at(20).send(episode("a", level=Level.CRITICAL))
    line.run(100)
    line.want(between(6, 6), "fired", "team", "a")
    line.want(between(20, 20), "updated", "team", "a", because="1 critical now")
    line.nothing_else()


def test_a_quality_episode_holds_the_drift_of_its_column_and_of_no_other() -> None:
    """Inhibit: the drift is told once its source has ended, if it is still open."""
    rule = Inhibit(source={"family": ("quality",)}, target={"family": ("drift",)}, equal=("model", "column"))
    line = Timeline(policy(inhibit=(rule,)))
    line.at(5).send(episode("nulls", measure="quality.null_rate", monitor="nulls"), episode("a"), episode("b", column="dewp"))
    line.run(10)
    line.want(between(6, 6), "fired", "team", "nulls", "b")
    assert line.why("a") == ("inhibit", "inhibited by nulls of late, temp")
    assert line.decisions["a"].inhibited_by == "nulls"
    line.at(20).end("nulls")
    line.run(50)
    line.want(between(20, 20), "updated", "team", "a", "b", "nulls", because="1 new, 1 ended")
    line.nothing_else()


def test_no_episode_inhibits_itself_and_no_two_each_other() -> None:
    """A rule whose source and target are alike holds nothing back."""
    line = Timeline(policy(inhibit=(Inhibit(source={"model": ("late",)}, target={"family": ("drift",)}, equal=()),)))
    line.at(5).send(episode("a"), episode("b", column="dewp"))
    line.run(10)
    line.want(between(6, 6), "fired", "team", "a", "b")
    line.nothing_else()


def test_a_silence_holds_what_matches_until_it_is_over() -> None:
    """The reason names who, until when, and why; the notice then goes without another event."""
    line = Timeline(POLICY)
    line.at(4).silence(30, column="temp")
    line.at(5).send(episode("a"))
    line.run(10)
    assert line.why("a") == ("silence", f"silenced until {moment.text(line.time(30))} by ada: deploy")
    assert line.decisions["a"].silenced_by == "si_1"
    line.run(60)
    line.want(between(31, 31), "fired", "team", "a")
    line.nothing_else()
    assert line.decisions["a"].silences == ("si_1",)  # it is remembered what a silence has held back


def test_who_was_told_is_told_of_the_end_also_in_a_silence() -> None:
    """No page stays open on the receiver's side, and a silence stops repetitions."""
    line = Timeline(POLICY)
    line.at(5).send(episode("a"))
    line.at(10).silence(500)
    line.at(200).end("a")
    line.run(300)
    line.want(between(6, 6), "fired", "team", "a")
    line.want(between(200, 200), "resolved", "team", "a")
    line.nothing_else()


def test_a_snoozed_episode_comes_back() -> None:
    """It is told when the snooze is over."""
    line = Timeline(POLICY)
    line.at(5).send(episode("a")).snooze("a", until=40)
    line.run(30)
    assert line.why("a") == ("silence", f"snoozed until {moment.text(line.time(40))} by ada")
    line.run(50)
    line.want(between(41, 41), "fired", "team", "a")
    line.nothing_else()


def test_a_mute_holds_in_its_hours_of_its_time_zone() -> None:
    """2013-07-02 is a Tuesday; 02:00 in Rome is midnight in UTC."""
    night = Mute(match={"model": ("late",)}, days=(1,), start=0, end=150, timezone="Europe/Rome")
    line = Timeline(policy(mute=(night,)))
    line.at(5).send(episode("a"), episode("b", model="other"))
    line.run(20)
    line.want(between(6, 6), "fired", "team", "b")
    assert line.why("a") == ("mute", "muted: tue from 00:00 to 02:30 (Europe/Rome)")
    line.run(50)
    line.want(between(31, 31), "fired", "team", "a")
    line.nothing_else()


def test_hours_that_pass_midnight_belong_to_the_day_on_which_they_begin() -> None:
    """From Monday 22:00 to 00:30 of Tuesday."""
    line = Timeline(policy(mute=(Mute(days=(0,), start=22 * 60, end=30),)))
    line.at(5).send(episode("a"))
    line.run(50)
    line.want(between(31, 31), "fired", "team", "a")
    line.nothing_else()


def test_beyond_the_cap_notices_wait_and_become_one_digest() -> None:
    """Two in half an hour: three more groups wait, and go together when the first is half an hour old. Ends are never capped."""
    line = Timeline(policy(group_by=("column",), cap=(2, 30 * MINUTE)))
    line.at(5).send(episode("a", column="a"), episode("b", column="b"))
    line.at(10).send(*(episode(name, column=name) for name in "cde"))
    line.at(20).end("a")
    line.run(25)
    assert sorted((round(minute), one.kind, one.episodes[0].id) for minute, one in line.told) == [
        (6, "group.fired", "a"),
        (6, "group.fired", "b"),
        (20, "group.resolved", "a"),
    ]
    assert line.why("c") == ("cap", f"over the cap of 2 notices in 30 minutes; waits for a digest, until {moment.text(line.time(36))}")
    line.run(40)
    assert [(round(minute), one.kind, [e.id for e in one.episodes]) for minute, one in line.told[3:]] == [
        (36, "group.fired", ["c"]),
        (36, "group.digest", ["d", "e"]),
    ]
    assert line.why("e") == ("", "")


def test_the_first_route_that_matches_takes_an_episode_unless_it_goes_on() -> None:
    """A tree: the deepest match of a branch; `continue` tries the routes behind it; what no route matches goes to all who take it."""
    tree = (
        Route(match={"family": ("drift",)}, to=("team",), goes_on=True, routes=(Route(match={"column": ("dewp",)}, to=("manager",)),)),
        Route(match={"severity": ("page",)}, to=("oncall",)),
    )
    line = Timeline(policy(routes=tree, group_by=("model", "column")))
    line.at(0).send(episode("a"))
    line.at(0).send(episode("b", column="dewp", severity=Severity.PAGE))
    line.at(0).send(episode("c", column="rain", measure="quality.null_rate"))
    line.run(2)
    assert sorted((one.destination, one.episodes[0].id) for _, one in line.told) == [
        ("manager", "b"),
        ("manager", "c"),
        ("oncall", "b"),
        ("oncall", "c"),
        ("team", "a"),
        ("team", "c"),
    ]


def test_a_destination_gets_only_what_it_takes_and_an_episode_that_none_takes_says_so() -> None:
    """Routes apply after a destination's own filter."""
    only = Destination(name="team", severity=Severity.PAGE)
    line = Timeline(policy(routes=(Route(to=("team",)),)), team=only)
    line.at(0).send(episode("a"), episode("b", severity=Severity.PAGE))
    line.run(2)
    line.want(between(1, 1), "fired", "team", "b")
    line.nothing_else()
    assert line.why("a") == ("route", "team takes no episode of this model and severity")


def test_a_group_that_nobody_acknowledges_is_escalated_once() -> None:
    """The manager gets it as a new group, and its end."""
    pages = Route(match={"severity": ("page",)}, to=("oncall",), escalate_after=15 * MINUTE, escalate_to=("manager",))
    line = Timeline(policy(routes=(pages,)))
    line.at(0).send(episode("a", severity=Severity.PAGE))
    line.at(30).end("a")
    line.run(100)
    line.want(between(1, 1), "fired", "oncall", "a")
    line.want(between(16, 16), "fired", "manager", "a", because="escalated: nobody has acknowledged it within 15 minutes")
    line.want(between(30, 30), "resolved", "oncall", "a")
    line.want(between(30, 30), "resolved", "manager", "a")
    line.nothing_else()


def test_what_is_acknowledged_in_time_is_not_escalated() -> None:
    """An acknowledgement is what the escalation waits for."""
    pages = Route(to=("oncall",), escalate_after=15 * MINUTE, escalate_to=("manager",))
    line = Timeline(policy(routes=(pages,)))
    line.at(0).send(episode("a"))
    line.at(10).acknowledge("a")
    line.run(100)
    line.want(between(1, 1), "fired", "oncall", "a")
    line.nothing_else()


def test_one_column_of_several_models_is_one_group() -> None:
    """Upstream: grouped by column, without the model."""
    line = Timeline(policy(group_by=("column",)))
    line.at(0).send(episode("a", model="late"), episode("b", model="fare"))
    line.run(2)
    line.want(between(1, 1), "fired", "team", "a", "b")
    line.nothing_else()


def test_an_episode_of_a_replayed_past_is_recorded_and_not_told() -> None:
    """Its window had ended before the notify horizon when it fired."""
    line = Timeline(POLICY, start=START + 30 * moment.DAY)
    line.at(0).send(episode("a"))
    line.run(100).nothing_else()
    assert line.why("a") == ("record", "its window had ended 29 days before it fired")


def test_who_was_told_is_told_of_the_end_when_the_policy_is_gone() -> None:
    """And nothing else."""
    line = Timeline(POLICY)
    line.at(0).send(episode("a"), episode("b", column="dewp"))
    line.at(10).remove_policy().send(episode("c"))
    line.at(20).end("a", "b")
    line.run(500)
    line.want(between(1, 1), "fired", "team", "a", "b")
    line.want(between(20, 20), "resolved", "team", "a", "b")
    line.nothing_else()


def test_a_group_is_one_sentence() -> None:
    """Why the worst fired, and what moved with it."""
    several = [
        episode(name, column=name, segment=segment) for name, segment in zip("abcde", ("all", "x=1", "x=2", "all", "all"), strict=True)
    ]
    assert sentence(several[:1]) == "a moved"
    assert sentence(several) == "a moved; 4 more with it: columns a, b, c and 2 others; segments x=1, x=2"


def test_the_same_column_of_several_models_is_one_group_that_begins_with_its_cause() -> None:
    """A feed that sends nulls: what is null comes before what has drifted by it, and the sentence names models and measures. What is about no column is a group a model."""
    line = Timeline(msgspec.structs.replace(POLICY, group_by=("column",)))
    of = [("late", "drift.psi", "temp"), ("late", "quality.null_rate", "temp"), ("delay", "drift.psi", "temp")]
    whole = [("late", "performance.accuracy", ""), ("delay", "performance.accuracy", "")]
    sent = [
        episode(name, model=model, measure=measure, column=column)
        for name, (model, measure, column) in zip("abcde", [*of, *whole], strict=True)
    ]
    line.at(0).send(*sent)
    line.run(20)
    told = sorted([one.id for one in notice.episodes] for _, notice in line.told if notice.destination == "team")
    assert told == [["b", "a", "c"], ["d"], ["e"]]
    members = [sent[1], sent[0], sent[2]]
    assert sentence(members) == "b moved; 2 more with it: models late, delay; measures quality.null_rate, drift.psi"


_EVENTS = st.lists(
    st.tuples(
        st.integers(0, 180),
        st.sampled_from(["send", "worse", "end", "acknowledge", "silence"]),
        st.sampled_from("abcd"),
        st.sampled_from(["temp", "dewp"]),
    ),
    max_size=25,
)


def _play(events: list[tuple[int, str, str, str]], rules: Policy, often: int | None) -> Timeline:
    line, open_now = Timeline(rules, often=often), set[str]()
    for minute, what, name, column in sorted(events, key=lambda one: one[0]):
        at = line.at(minute)
        if what == "send" and name not in open_now:
            at.send(episode(name, column=column))
            open_now.add(name)
        elif what == "worse" and name in open_now:
            at.send(episode(name, column=column, level=Level.CRITICAL))
        elif what == "end" and name in open_now:
            at.end(name)
        elif what == "acknowledge":
            at.acknowledge(name)
        elif what == "silence":
            at.silence(minute + 20, column=column)
    return line.run(400)


@pytest.mark.parametrize("cap", [None, (2, 30 * MINUTE)])
@given(events=_EVENTS)
def test_deciding_more_often_tells_nothing_more(events: list[tuple[int, str, str, str]], cap: tuple[int, int] | None) -> None:
    """A decision depends on what there is and on the clock, not on how often somebody looks: also not after a restart or beside another process."""
    rules = policy(group_by=("column",), cap=cap, routes=(Route(to=("team",), escalate_after=15 * MINUTE, escalate_to=("manager",)),))
    seldom, often = (_play(events, rules, step) for step in (None, 20))
    assert seldom.told == often.told
    assert seldom.decisions == often.decisions


@given(events=_EVENTS)
def test_each_firing_that_was_told_is_followed_by_its_end_and_never_by_two(events: list[tuple[int, str, str, str]]) -> None:
    """By destination and group: fired once, resolved at most once, and then nothing."""
    line = _play(events, policy(group_by=("column",)), None)
    by_group: dict[tuple[str, str], list[str]] = {}
    for _, one in line.told:
        by_group.setdefault((one.group, one.destination), []).append(one.kind)
    for (group, _), kinds in by_group.items():
        assert kinds[0] == "group.fired"
        assert kinds.count("group.fired") == 1
        assert "group.resolved" not in kinds[:-1]
        assert (kinds[-1] == "group.resolved") == (line.groups[group].closed is not None)


def test_groups_that_escalate_together_are_one_digest() -> None:
    """A storm does not wake the manager once a group."""
    pages = Route(to=("oncall",), escalate_after=15 * MINUTE, escalate_to=("manager",))
    line = Timeline(policy(routes=(pages,), group_by=("column",)))
    line.at(0).send(episode("a", column="a"), episode("b", column="b"))
    line.run(30)
    told = [(round(minute), one.kind, [e.id for e in one.episodes]) for minute, one in line.told if one.destination == "manager"]
    assert told == [(16, "group.digest", ["a", "b"])]
