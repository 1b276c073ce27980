"""The page Policy, and what episode and inbox say of people and of what was not told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from plotly.io.json import to_json_plotly

from core import moment
from core.episode import Episode
from core.handling import Act, Decision, Handling
from dashboard.route import page
from tests.dashboard.twin import Empty, Twin
from tests.dashboard.year import START


def text(body: Any) -> str:
    return json.dumps(json.loads(to_json_plotly(body)), ensure_ascii=False)


class Handled(Twin):
    """A reader whose newest open episode has these fields."""

    def __init__(self, changes: Mapping[str, Any]) -> None:
        super().__init__()
        newest = max((one for one in self._episodes if one.ended_at is None), key=lambda one: one.fired_at)
        self.one: Episode = msgspec.structs.replace(newest, **changes)
        self._episodes = [self.one if one.id == newest.id else one for one in self._episodes]


async def test_the_policy_page_says_what_each_stage_does_and_where_episodes_go() -> None:
    """Settings in words, the tree, the way of each monitor, and how many silences there are."""
    found = text((await page(Twin(), "/ui/policy", "")).body)
    for said in (
        "by model; the first notice after 30 seconds",
        "20 notices of a model in 1 hour, the rest as a digest",
        "severity page to oncall",
        "all else to every destination that takes it",
        "Where would this go?",
        "silenced until tomorrow",
        "1 silence",
    ):
        assert said in found


async def test_without_a_policy_the_page_says_what_happens() -> None:
    """Every destination gets what it takes."""
    found = text((await page(Empty(), "/ui/policy", "")).body)
    assert "There is no policy" in found
    assert "Every destination gets each episode that it takes" in found


async def test_what_was_not_told_says_why_on_its_page_the_inbox_and_the_policy_page() -> None:
    """The reason, the stage, and a way to what inhibits it."""
    twin = Handled({"decision": Decision(suppressed="inhibited by nulls of late", stage="inhibit", inhibited_by="ep_cause", group=None)})
    shown = [text((await page(twin, address, "")).body) for address in (f"/ui/alerts/{twin.one.id}", "/ui/", "/ui/policy")]
    assert all("inhibited by nulls of late" in one for one in shown)
    assert "/ui/alerts/ep_cause" in shown[0]


async def test_what_people_did_is_in_the_timeline_and_in_the_inbox() -> None:
    """With names, and never as markup. An acknowledged episode is on a tab of its own."""
    acts = [
        Act(episode="e", at=START, actor="ada", action="acknowledge", comment="looking <b>"),
        Act(episode="e", at=START, actor="ada", action="assign", to="bob"),
        Act(episode="e", at=START, actor="ada", action="snooze", until=START + moment.DAY),
        Act(episode="e", at=START, actor="bob", action="feedback", useful=False),
    ]
    handling = Handling()
    for act in acts:
        handling = handling.after(act)
    twin = Handled({"handling": handling})
    own, fresh, inbox = [
        text((await page(twin, address, "")).body) for address in (f"/ui/alerts/{twin.one.id}", "/ui/", "/ui/acknowledged")
    ]
    for said in ("acknowledged by ada", "assigned to bob by ada", "snoozed until", "judged noise by bob", "looking <b>"):
        assert said in own
    assert "acknowledged by ada" in inbox
    assert "acknowledged by ada" not in fresh
    assert "judged noise" in inbox
