"""Policies as people write them: what is read, and what is refused at which place."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.policy.document import check_destinations, destinations_of, policy_from, written
from core import moment
from core.error import ConfigError
from core.policy import Inhibit, Mute, Policy, Route

DOCUMENT: dict[str, Any] = {
    "policy": "default",
    "group_by": ["model"],
    "group_wait": "30s",
    "group_interval": "5m",
    "repeat_interval": "4h",
    "cap": "20 per 1h",
    "routes": [
        {"match": {"severity": "page"}, "to": ["oncall"], "escalate_after": "15m", "escalate_to": ["manager"]},
        {"match": {"family": ["drift", "quality"]}, "to": ["team-slack"], "continue": False},
    ],
    "inhibit": [{"source": {"family": "quality"}, "target": {"family": "drift"}, "equal": ["model", "column"]}],
    "mute": [{"match": {"model": "batch-scoring"}, "days": ["sat", "sun"], "from": "00:00", "to": "24:00", "timezone": "Europe/Rome"}],
}


def test_a_policy_is_read_and_written_as_it_was() -> None:
    """Every field of the grammar, and the defaults."""
    found = policy_from(DOCUMENT)
    assert found == Policy(
        name="default",
        cap=(20, moment.HOUR),
        routes=(
            Route(match={"severity": ("page",)}, to=("oncall",), escalate_after=15 * moment.MINUTE, escalate_to=("manager",)),
            Route(match={"family": ("drift", "quality")}, to=("team-slack",)),
        ),
        inhibit=(Inhibit(source={"family": ("quality",)}, target={"family": ("drift",)}, equal=("model", "column")),),
        mute=(Mute(match={"model": ("batch-scoring",)}, days=(5, 6), timezone="Europe/Rome"),),
    )
    assert policy_from(written(found)) == found
    assert policy_from({"policy": "default"}) == Policy(name="default")
    assert policy_from({"policy": "default", "group_wait": "0s"}).group_wait == 0


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"groupby": ["model"]}, "`groupby`", "no such field"),
        ({"group_by": ["team"]}, "`group_by`", "`team` is not allowed"),
        ({"group_wait": "soon"}, "`group_wait`", "not a duration"),
        ({"cap": "many"}, "`cap`", "write `20 per 1h`"),
        ({"routes": [{"to": ["a"]}, {"match": {"severity": "urgent"}, "to": ["a"]}]}, "`routes[1].match.severity`", "report, ticket, page"),
        ({"routes": [{"match": {}}]}, "`routes[0]`", "goes nowhere"),
        ({"routes": [{"match": {"severity": None}, "to": ["a"]}]}, "`routes[0].match.severity`", "is empty"),
        ({"routes": [{"match": None, "to": ["a"]}]}, "`routes[0].match`", "is empty"),
        ({"mute": [{"match": None}]}, "`mute[0].match`", "is empty"),
        ({"inhibit": [{"source": {"family": None}, "target": {"family": "drift"}}]}, "`inhibit[0].source.family`", "is empty"),
        ({"inhibit": [{"source": {"family": "a"}, "target": {"family": "b"}, "equal": None}]}, "`inhibit[0].equal`", "is empty"),
        ({"routes": [{"to": ["a"], "escalate_after": "15m"}]}, "`routes[0]`", "`escalate_to` is missing"),
        ({"routes": [{"to": ["a"], "routes": [{"to": "a", "continue": "no"}]}]}, "`routes[0].routes[0].continue`", "true or false"),
        ({"routes": {"to": "a"}}, "`routes`", "not a list of mappings"),
        ({"inhibit": [{"source": {"family": "quality"}}]}, "`inhibit[0]`", "`target` is missing"),
        ({"inhibit": [{"source": {"a": "b"}, "target": {"model": "c"}}]}, "`inhibit[0].source.a`", "no such field"),
        ({"mute": [{"days": ["someday"]}]}, "`mute[0].days`", "mon, tue"),
        ({"mute": [{"from": "25:00"}]}, "`mute[0].from`", "no time of day"),
        ({"mute": [{"from": "24:30"}]}, "`mute[0].from`", "no time of day"),
        ({"mute": [{"from": "06:00", "to": "06:00"}]}, "`mute[0]`", "hours are empty"),
        ({"mute": [{"timezone": "Mars/Olympus"}]}, "`mute[0].timezone`", "no time zone"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(changes: dict[str, Any], place: str, words: str) -> None:
    """What, where, and what to write instead."""
    with pytest.raises(ConfigError) as refused:
        policy_from({"policy": "default", **changes})
    assert str(refused.value).startswith(f"policy `default`, {place}: ")
    assert words in str(refused.value)


def test_a_destination_that_is_not_there_is_refused_with_its_place() -> None:
    """A typing error would lose notices."""
    found = policy_from(DOCUMENT)
    assert destinations_of(found) == {
        "oncall": "`routes[0].to`",
        "manager": "`routes[0].escalate_to`",
        "team-slack": "`routes[1].to`",
    }
    check_destinations(found, {"oncall", "manager", "team-slack"})
    with pytest.raises(ConfigError, match=r"policy `default`, `routes\[0\]\.escalate_to`: there is no destination `manager`"):
        check_destinations(found, {"oncall", "team-slack"})
