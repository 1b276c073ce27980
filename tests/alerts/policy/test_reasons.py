"""Each stage that holds an episode back, with each reason that it gives, over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from alerts.policy.hold import STAGES
from core import moment
from core.destination import Destination
from core.monitor import Severity
from core.policy import Inhibit, Mute, Policy, Route
from tests.alerts.policy.timeline import Timeline, episode
from tests.alerts.sample import START

POLICY = Policy(name="default", group_wait=moment.MINUTE, group_interval=5 * moment.MINUTE, to=("team",))


def line(**changes: Any) -> Timeline:
    """A timeline at whose fifth minute the episode `a` fires."""
    made = Timeline(msgspec.structs.replace(POLICY, **changes))
    made.at(5).send(episode("a"))
    return made


def _expired() -> Timeline:
    made = Timeline(POLICY, start=START + 5 * moment.DAY)
    made.at(5).send(episode("a"))
    return made


def _inhibited() -> Timeline:
    made = line(inhibit=(Inhibit(source={"family": ("quality",)}, target={"family": ("drift",)}, equal=("column",)),))
    made.at(5).send(episode("b", measure="quality.null_rate", monitor="nulls"))
    return made


def _silenced() -> Timeline:
    made = line()
    made.at(4).silence(30, column="temp")
    return made


def _snoozed() -> Timeline:
    made = line()
    made.at(5).snooze("a", 40)
    return made


def _ended() -> Timeline:
    made = line()
    made.at(5.5).end("a")
    return made


def _a_moment_ago() -> Timeline:
    made = Timeline(POLICY)
    made.at(4).send(episode("first", column="dewp"))
    made.at(6).send(episode("a"))
    return made


def _before_the_policy() -> Timeline:
    made = line()
    made.already = frozenset({"a"})
    return made


def _capped() -> Timeline:
    made = Timeline(msgspec.structs.replace(POLICY, group_by=("column",), cap=(1, moment.HOUR)))
    made.at(1).send(episode("first", column="dewp"))
    made.at(5).send(episode("a"))
    return made


def _paused(*names: str) -> Timeline:
    made = line(to=names)
    for name in names:
        made.at(1).pause(name)
    return made


def _refused() -> Timeline:
    made = Timeline(POLICY, team=Destination(name="team", severity=Severity.PAGE))
    made.at(5).send(episode("a"))
    return made


def _without_destinations() -> Timeline:
    made = Timeline(msgspec.structs.replace(POLICY, to=()), team=Destination(name="team"))
    made.destinations.clear()
    made.at(5).send(episode("a"))
    return made


REASONS: dict[str, tuple[Callable[[], Timeline], float, str, str]] = {
    "an old window": (_expired, 8, "record", "its window had ended 4 days before it fired"),
    "inhibited": (_inhibited, 8, "inhibit", "inhibited by nulls of late, temp"),
    "silenced": (_silenced, 8, "silence", "silenced until 2013-07-02T00:30:00Z by ada: deploy"),
    "snoozed": (_snoozed, 8, "silence", "snoozed until 2013-07-02T00:40:00Z by ada"),
    "muted": (lambda: line(mute=(Mute(start=0, end=60),)), 8, "mute", "muted: every day from 00:00 to 01:00 (UTC)"),
    "waits": (line, 5.5, "group", "waits for others until 2013-07-02T00:06:00Z"),
    "ended in the wait": (_ended, 8, "group", "it ended before it was told"),
    "a moment ago": (_a_moment_ago, 8, "deduplicate", "was told a moment ago; the next notice may go at 2013-07-02T00:10:00Z"),
    "before the policy": (_before_the_policy, 8, "deduplicate", "it was told before there was a policy"),
    "capped": (_capped, 8, "cap", "over the cap of 1 notice in 1 hour; waits for a digest, until 2013-07-02T01:02:00Z"),
    "no destination of that name": (lambda: line(to=("gone",)), 8, "route", "there is no destination gone"),
    "a route to nobody": (lambda: line(routes=(Route(match={"model": ("late",)}),)), 8, "route", "its route has no destination"),
    "no destination at all": (_without_destinations, 8, "route", "there is no destination"),
    "paused": (lambda: _paused("team"), 8, "route", "team is paused"),
    "several paused": (lambda: _paused("team", "oncall"), 8, "route", "team, oncall are paused"),
    "taken by none": (_refused, 8, "route", "team takes no episode of this model and severity"),
}


@pytest.mark.parametrize("name", REASONS)
def test_what_is_not_told_says_which_stage_held_it_back_and_why(name: str) -> None:
    """In the words that the page shows; nobody is told of it by then."""
    made, minute, stage, reason = REASONS[name]
    shown = made()
    shown.run(minute)
    assert shown.why("a") == (stage, reason)
    assert [one.id for _, notice in shown.told for one in notice.episodes if one.id == "a" and stage != "route"] == []


def test_each_stage_that_holds_back_is_among_them() -> None:
    """A stage that is added needs its line; `record` is where what is too old ends."""
    stages = {stage for _, _, stage, _ in REASONS.values()}
    assert {{"expired": "record"}.get(stage.__name__, stage.__name__) for stage in STAGES} <= stages
    assert stages == {"record", "inhibit", "silence", "mute", "group", "deduplicate", "cap", "route"}
