"""What each destination of a group is told: of its own episodes, from their first notice to their end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import moment
from core.destination import Destination
from core.episode import Level
from core.monitor import Severity
from core.policy import Inhibit, Match, Policy, Route
from tests.alerts.policy.timeline import Timeline, episode

MINUTE = moment.MINUTE
SPLIT = Policy(
    name="default",
    group_wait=MINUTE,
    group_interval=5 * MINUTE,
    repeat_interval=60 * MINUTE,
    routes=(Route(match={"severity": ("page",)}, to=("oncall",)), Route(to=("team",))),
)
PAGES = Route(match={"severity": ("page",)}, to=("oncall",), escalate_after=15 * MINUTE, escalate_to=("manager",))


def policy(**changes: Any) -> Policy:
    return msgspec.structs.replace(SPLIT, **changes)


def page(name: str, **changes: Any) -> Any:
    return episode(name, severity=Severity.PAGE, **changes)


def kinds(line: Timeline, to: str) -> list[tuple[int, str, list[str]]]:
    """What a destination was told: minute, kind, episodes."""
    return [
        (round(minute), one.kind.removeprefix("group."), [e.id for e in one.episodes]) for minute, one in line.told if one.destination == to
    ]


def test_a_destination_is_told_the_end_of_its_own_episodes_before_the_group_ends() -> None:
    """And what fires there later begins with a firing again."""
    line = Timeline(SPLIT)
    line.at(0).send(page("a"), episode("b"))
    line.at(10).end("a")
    line.at(20).send(page("c"))
    line.at(30).end("b")
    line.at(40).end("c")
    line.run(300)
    assert kinds(line, "oncall") == [(1, "fired", ["a"]), (10, "resolved", ["a"]), (20, "fired", ["c"]), (40, "resolved", ["c"])]
    assert kinds(line, "team") == [(1, "fired", ["b"]), (30, "resolved", ["b"])]


def test_who_was_escalated_to_is_told_the_end_before_the_group_ends() -> None:
    """The manager knows of the page only."""
    line = Timeline(policy(routes=(PAGES, Route(to=("team",)))))
    line.at(0).send(page("a"), episode("b"))
    line.at(30).end("a")
    line.run(50)
    assert kinds(line, "manager") == [(16, "fired", ["a"]), (30, "resolved", ["a"])]


def test_a_destination_is_not_told_of_news_that_are_none_of_its_own() -> None:
    """Neither of a new episode elsewhere, nor of an end; a repetition goes only where something is not acknowledged."""
    line = Timeline(SPLIT)
    line.at(0).send(page("a"), episode("b"))
    line.at(10).send(episode("c", column="dewp"))
    line.at(20).end("c")
    line.at(25).acknowledge("a")
    line.run(85)
    assert kinds(line, "oncall") == [(1, "fired", ["a"])]
    assert kinds(line, "team") == [(1, "fired", ["b"]), (10, "updated", ["b", "c"]), (20, "updated", ["b", "c"]), (80, "updated", ["b"])]


def test_a_paused_destination_is_not_among_those_who_were_told() -> None:
    """The episode says so; enabled again, it is told with a firing, and of the end."""
    line = Timeline(SPLIT)
    line.at(0).pause("oncall")
    line.at(0).send(page("a"), episode("b"))
    line.at(10).send(page("c", column="dewp")).end("a")
    line.run(20)
    assert line.why("c") == ("route", "oncall is paused")
    line.at(30).pause("oncall", enabled=True)
    line.at(100).end("c")
    line.run(110)
    assert kinds(line, "oncall") == [(1, "fired", ["a"]), (10, "fired", ["c"]), (70, "fired", ["c"]), (100, "resolved", ["c"])]


def test_a_paused_destination_gets_the_ends_of_what_it_knows() -> None:
    """They wait in the outbox; what is new meanwhile does not keep it from ending."""
    line = Timeline(SPLIT)
    line.at(0).send(page("a"))
    line.at(10).pause("oncall").send(page("c", column="dewp"))
    line.at(20).end("a")
    line.run(40)
    assert kinds(line, "oncall") == [(1, "fired", ["a"]), (10, "updated", ["a", "c"]), (20, "resolved", ["a"])]


def test_a_destination_that_is_gone_is_named() -> None:
    """It is not said to take nothing."""
    line = Timeline(SPLIT, team=Destination(name="team"))
    line.at(0).send(page("a"))
    line.run(5)
    assert line.why("a") == ("route", "there is no destination oncall")


def test_an_episode_that_joins_has_its_own_time_until_it_escalates() -> None:
    """And one escalation does not use up the others."""
    line = Timeline(policy(routes=(PAGES,)))
    line.at(0).send(page("a"))
    line.at(14).send(page("b", column="dewp"))
    line.at(40).send(page("c", column="rain"))
    line.at(50).acknowledge("c")
    line.run(60)
    assert kinds(line, "manager") == [(16, "fired", ["a"]), (29, "updated", ["b"])]


def test_an_episode_that_comes_again_escalates_again() -> None:
    """What was escalated is forgotten with its end."""
    line = Timeline(policy(routes=(PAGES, Route(to=("team",)))))
    line.at(0).send(page("a"), episode("b"))
    line.at(20).end("a")
    line.at(30).send(page("a"))
    line.run(50)
    assert kinds(line, "manager") == [(16, "fired", ["a"]), (20, "resolved", ["a"]), (45, "fired", ["a"])]


def test_a_digest_is_a_thread_of_its_own() -> None:
    """So the end of one of its groups is not about the others; and the episodes say in which digest they were."""
    line = Timeline(policy(group_by=("column",), cap=(1, 30 * MINUTE)))
    line.at(0).send(*(episode(name, column=name) for name in "abcd"))
    line.run(2)
    ((_, digest),) = line.told
    assert (digest.kind, len(digest.episodes)) == ("group.digest", 4)
    assert digest.group.startswith("dg_")
    assert digest.group not in line.groups
    assert {line.decisions[name].digest for name in "abcd"} == {digest.group}
    line.at(10).end("a")
    line.run(20)
    assert [(one.kind, one.group) for _, one in line.told[1:]] == [("group.resolved", line.decisions["a"].group)]
    assert line.decisions["a"].digest == digest.group


def test_a_receiver_of_incidents_gets_one_row_a_group_and_no_digest() -> None:
    """Each group is an incident there, which must end."""
    line = Timeline(policy(group_by=("column",), cap=(1, 30 * MINUTE), routes=(Route(to=("oncall", "team")),)))
    line.apart = frozenset({"oncall"})
    line.at(0).send(episode("a", column="a"), episode("b", column="b"))
    line.at(10).end("a")
    line.run(20)
    assert kinds(line, "oncall") == [(1, "fired", ["a"]), (1, "fired", ["b"]), (10, "resolved", ["a"])]
    assert kinds(line, "team") == [(1, "digest", ["a", "b"]), (10, "resolved", ["a"])]


def test_what_escalates_together_is_an_incident_a_group_where_there_are_incidents() -> None:
    """A manager with a pager."""
    line = Timeline(policy(group_by=("column",), routes=(PAGES,)))
    line.apart = frozenset({"manager"})
    line.at(0).send(page("a", column="a"), page("b", column="b"))
    line.run(30)
    assert kinds(line, "manager") == [(16, "fired", ["a"]), (16, "fired", ["b"])]


def test_two_rules_do_not_silence_both_sides() -> None:
    """What the first rule holds is no source of the second."""
    there: Match = {"family": ("quality",)}
    back: Match = {"family": ("drift",)}
    line = Timeline(policy(inhibit=(Inhibit(source=there, target=back), Inhibit(source=back, target=there))))
    line.at(0).send(episode("nulls", measure="quality.null_rate", monitor="nulls"), episode("a"))
    line.run(5)
    assert kinds(line, "team") == [(1, "fired", ["nulls"])]
    assert line.decisions["a"].inhibited_by == "nulls"


def test_what_waits_is_told_alone_when_the_policy_is_gone() -> None:
    """Held, waiting or over the cap: what nobody was told of goes to all that take it; what was told in a group stays with it."""
    line = Timeline(SPLIT)
    far = episode("late").window_end - 30 * moment.DAY
    line.at(0).silence(500, column="dewp").send(episode("a"), episode("b", column="dewp"), episode("late", column="dewp", window_end=far))
    line.at(10).send(episode("c", column="rain"))
    line.at(10.5).remove_policy()
    line.run(100)
    assert line.alone == [(10.5, "b")]
    assert line.decisions["b"].suppressed == ""
    assert line.why("late") == ("record", "its window had ended 30 days before it fired")
    assert kinds(line, "team") == [(1, "fired", ["a"]), (10, "updated", ["a", "c"])]


def test_over_the_cap_only_what_was_not_told_is_held_back() -> None:
    """An episode that was told stays told while the news of its group wait."""
    line = Timeline(policy(cap=(1, 60 * MINUTE)))
    line.at(0).send(episode("a"))
    line.at(10).send(episode("b", column="dewp"))
    line.run(20)
    assert line.why("a") == ("", "")
    assert line.why("b")[0] == "cap"


_EVENTS = st.lists(
    st.tuples(st.integers(0, 180), st.sampled_from(["send", "worse", "end", "acknowledge"]), st.sampled_from("abcd")), max_size=25
)


@pytest.mark.parametrize("cap", [None, (1, 20 * MINUTE)])
@given(events=_EVENTS)
def test_each_incident_begins_with_a_firing_and_ends_with_its_last_episode(
    events: list[tuple[int, str, str]], cap: tuple[int, int] | None
) -> None:
    """By destination and group, where one group has several destinations: firing, updates, end, and so again. At last nothing is left open."""
    line, opened = Timeline(policy(routes=(PAGES, Route(to=("team",))), cap=cap)), set[str]()
    line.apart = frozenset(line.destinations)
    for minute, what, name in sorted(events, key=lambda one: one[0]):
        severity = Severity.PAGE if name in "ab" else Severity.TICKET
        if what == "send" and name not in opened:
            line.at(minute).send(episode(name, severity=severity))
            opened.add(name)
        elif what == "worse" and name in opened:
            line.at(minute).send(episode(name, severity=severity, level=Level.CRITICAL))
        elif what == "end" and name in opened:
            line.at(minute).end(name)
            opened.discard(name)
        elif what == "acknowledge":
            line.at(minute).acknowledge(name)
    line.at(300).end(*opened)
    line.run(600)
    standing: dict[tuple[str, str], bool] = {}
    for _, one in line.told:
        key = (one.group, one.destination)
        assert (one.kind == "group.fired") == (not standing.get(key, False))
        assert (one.kind == "group.resolved") == all(e.ended_at is not None for e in one.episodes)
        standing[key] = one.kind != "group.resolved"
    assert not any(standing.values())
