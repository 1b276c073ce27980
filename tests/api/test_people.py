"""What people do about episodes: who may, what it changes, and that it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import msgspec
import pytest

from alerts.engine import AlertEngine
from core import moment
from core.clock import SystemClock
from core.episode import Episode
from core.error import ConfigError, Forbidden, Missing
from core.handling import Decision
from core.policy import Policy, PolicyState, Route
from core.principal import Principal, Role
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.sample import DESTINATION, MONITOR, reading
from tests.api.twin import Twin
from tests.storage.control.database import migrated_postgres, url
from watchkeeper.change.delete import DeleteDestination, DeletePolicy
from watchkeeper.change.people import ActRequest, DeleteSilence, GroupRequest, SilenceRequest
from watchkeeper.command import do
from watchkeeper.stores import Stores

__all__ = ["migrated_postgres", "url"]

ADA, BOB = Principal("ada", Role.OPERATOR), Principal("bob", Role.VIEWER)
NOW = SystemClock().now()


@pytest.fixture
def control(url: str) -> Iterator[ControlStore]:
    store = ControlStore(url, SystemClock())
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def stores(control: ControlStore) -> Stores:
    return cast("Stores", SimpleNamespace(control=control, settings=SimpleNamespace(public="http://127.0.0.1:8650")))


@pytest.fixture
def engine(control: ControlStore) -> AlertEngine:
    return AlertEngine(control, SystemClock(), MEASURES)


@pytest.fixture
def episode(control: ControlStore, engine: AlertEngine) -> Episode:
    engine.observe(MONITOR, [reading(0, "warn")])
    return control.episodes("open")[0][0]


def act(stores: Stores, episode: Episode, action: str, **given: Any) -> dict[str, Any]:
    after: Episode = do(stores, ADA, "act on episode", ActRequest(episode=episode.id, action=action, **given))
    return after.document()


def test_every_act_is_on_the_episode_in_its_timeline_and_in_the_audit(stores: Stores, control: ControlStore, episode: Episode) -> None:
    """Acknowledge, assign, comment, snooze, feedback: with who and when; a request that is repeated changes nothing."""
    later = NOW + moment.HOUR
    act(stores, episode, "acknowledge")
    act(stores, episode, "assign", to="bob")
    for _ in range(2):
        act(stores, episode, "comment", comment="the feed was down")
    act(stores, episode, "snooze", until=later)
    found = act(stores, episode, "feedback", useful=False)
    assert {name: found[name] for name in ("acknowledged_by", "assigned_to", "snoozed_until", "useful")} == {
        "acknowledged_by": "ada",
        "assigned_to": "bob",
        "snoozed_until": moment.text(later),
        "useful": False,
    }
    assert [one["comment"] for one in found["comments"]] == ["the feed was down"]
    assert [one["what"] for one in found["timeline"]] == ["firing", "acknowledge", "assign", "comment", "snooze", "feedback"]
    assert [(one.actor, one.action) for one in control.audit_entries()[0]][:2] == [("ada", "episode.feedback"), ("ada", "episode.snooze")]


def test_an_episode_that_is_ended_by_hand_says_by_whom_and_its_rule_fires_again(
    stores: Stores, control: ControlStore, engine: AlertEngine, episode: Episode
) -> None:
    """The next breach is a new episode; ending it twice is refused."""
    found = act(stores, episode, "resolve", comment="known")
    assert (found["state"], found["ended_by"]) == ("resolved", "by_hand")
    assert [(one["what"], one["text"]) for one in found["timeline"]][1:] == [("resolved", "ended by ada: known"), ("resolve", "known")]
    assert act(stores, episode, "resolve", comment="known") == found
    with pytest.raises(ConfigError, match="ended already"):
        act(stores, episode, "resolve", comment="again")
    assert engine.observe(MONITOR, [reading(0, "warn")]) == []
    engine.observe(MONITOR, [reading(1, "warn")])
    assert [one.id != episode.id for one in control.episodes("open")[0]] == [True]


@pytest.mark.parametrize(
    ("action", "given", "words"),
    [
        ("comment", {"comment": "  "}, "`comment` is empty"),
        ("assign", {}, "`to` is missing"),
        ("snooze", {"until": 0}, "`until` is not a time after now"),
        ("feedback", {}, "`useful` is missing"),
        ("comment", {"comment": "x" * 4_001}, "too long"),
    ],
)
def test_what_an_act_needs_is_asked_for(stores: Stores, episode: Episode, action: str, given: dict[str, Any], words: str) -> None:
    """Nothing is recorded then."""
    with pytest.raises(ConfigError, match=words):
        act(stores, episode, action, **given)


def test_a_silence_says_first_what_it_would_hold(stores: Stores, control: ControlStore, episode: Episode) -> None:
    """A dry run writes nothing; the same silence again is the same; it is ended by deleting it, which is audited, and stays in the history."""
    asked: dict[str, Any] = {"match": {"family": "drift"}, "ends_at": NOW + moment.HOUR, "comment": "deploy"}
    for dry_run, there in ((True, 0), (False, 1), (False, 1)):
        found = do(stores, ADA, "silence", SilenceRequest(**asked, dry_run=dry_run))
        assert found["effect"] == {"count": 1, "episodes": [episode.id]}
        assert "There is no policy" in found["advice"]
        assert len(control.silences()) == there
    control.apply_policies([Policy(name="default")])
    assert do(stores, ADA, "silence", SilenceRequest(**asked))["advice"] is None
    (made,) = control.silences()
    assert (made.match, made.created_by, made.comment) == ({"family": ("drift",)}, "ada", "deploy")
    do(stores, ADA, "delete silence", DeleteSilence(id=made.id))
    assert control.silences(SystemClock().now()) == []
    assert [one.id for one in control.silences()] == [made.id]
    assert [one.action for one in control.audit_entries()[0]] == ["silence.deleted", "policy.created", "silence.created"]
    with pytest.raises(Missing):
        do(stores, ADA, "delete silence", DeleteSilence(id=made.id))
    wrongs: list[dict[str, Any]] = [{"match": {}}, {"match": {"team": "x"}}, {"ends_at": NOW - 1}]
    for wrong in wrongs:
        with pytest.raises(ConfigError):
            do(stores, ADA, "silence", SilenceRequest(**{**asked, **wrong}))


def test_a_group_is_acknowledged_as_a_whole(stores: Stores, control: ControlStore, engine: AlertEngine, episode: Episode) -> None:
    """The open episodes of the group or digest that nobody has acknowledged, each in the audit; a dry run says which, and again there are none."""
    for column in ("dewp", "wind"):
        engine.observe(MONITOR, [msgspec.structs.replace(reading(0, "warn"), column=column)])
    first, second, third = sorted(one.id for one in control.episodes("open")[0])
    decided = {
        first: Decision(group="gr_1", digest="dg_1"),
        second: Decision(group="gr_1"),
        third: Decision(group="gr_11", silences=("si_1",)),
    }
    with control.deciding() as change:
        change.decide([], [], decided, [], PolicyState())
    assert [[one.id for one in control.members(name)] for name in ("gr_1", "dg_1", "gr_%")] == [[first, second], [first], []]
    assert (control.silenced(), {one.id for one in control.open_ones()}) == ({"si_1": [third]}, {first, second, third})
    act(stores, cast("Episode", control.episode(second)), "acknowledge")
    for dry_run, wanted in ((True, [first]), (False, [first]), (False, [])):
        found = do(stores, ADA, "acknowledge group", GroupRequest(group="gr_1", comment="mine", dry_run=dry_run))
        assert found["effect"] == {"count": len(wanted), "episodes": wanted}
    assert [(one.subject, one.action) for one in control.audit_entries()[0]][:2] == [
        (first, "episode.acknowledge"),
        (second, "episode.acknowledge"),
    ]


async def test_the_routes_take_what_the_surface_says(
    http: httpx.AsyncClient, twin: Twin, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies become commands; what is wrong is a problem with a remedy."""
    twin.found = [episode]
    answer = await http.post(f"/v1/episodes/{episode.id}/snooze", json={"comment": "x", "until": "2100-01-01T00:00:00Z"})
    assert (answer.json()["id"], answer.json()["advice"]) == (episode.id, None)
    asked = cast("ActRequest", twin.done[-1][2])
    assert (asked.action, asked.comment, asked.until) == ("snooze", "x", moment.parse("2100-01-01T00:00:00Z"))
    assert (await http.post(f"/v1/episodes/{episode.id}/acknowledge")).status_code == 200
    monkeypatch.setattr(twin, "policy", lambda: None)
    again = await http.post(f"/v1/episodes/{episode.id}/snooze", json={"until": "2100-01-01T00:00:00Z"})
    assert again.json()["advice"].startswith("There is no policy, and without one a snooze holds nothing back")
    assert (await http.post(f"/v1/episodes/{episode.id}/praise")).status_code == 404
    assert (await http.post(f"/v1/episodes/{episode.id}/comment", json={"text": "x"})).status_code == 400
    body = {"match": {"model": "late"}, "starts_at": None, "ends_at": "2100-01-01T00:00:00Z", "comment": "y"}
    assert (await http.post("/v1/silences?dry_run=true", json=body)).status_code == 200
    assert cast("SilenceRequest", twin.done[-1][2]).dry_run
    assert (await http.post("/v1/silences", json={"ends_at": "2100-01-01T00:00:00Z"})).status_code == 400
    assert (await http.get("/v1/silences")).json() == {"items": [], "next": None}
    assert (await http.delete("/v1/silences/si_1")).status_code == 200
    assert (await http.post("/v1/groups/gr_1/acknowledge?dry_run=1", json={"comment": "z"})).status_code == 200
    assert twin.done[-1][2] == GroupRequest(group="gr_1", comment="z", dry_run=True)


def test_who_may_only_read_may_not_act(stores: Stores, episode: Episode) -> None:
    """An operator may; no definition changes."""
    with pytest.raises(Forbidden, match="needs `operator`"):
        do(stores, BOB, "act on episode", ActRequest(episode=episode.id, action="acknowledge"))


def test_a_destination_that_the_policy_names_is_not_deleted(stores: Stores, control: ControlStore) -> None:
    """Its notices would be lost; the answer says where it is named."""
    eve = Principal("eve", Role.EDITOR)
    control.apply_destinations([DESTINATION])
    control.apply_policies([Policy(name="default", routes=(Route(match={"model": ("late",)}, to=("oncall",)),))])
    with pytest.raises(ConfigError, match=r"policy `default` names `oncall` at `routes\[0\]\.to`"):
        do(stores, eve, "delete destination", DeleteDestination(name="oncall"))
    assert [one.name for one in control.destinations()] == ["oncall"]
    do(stores, eve, "delete policy", DeletePolicy(name="default"))
    do(stores, eve, "delete destination", DeleteDestination(name="oncall"))
    assert control.destinations() == []


def test_the_noise_report_counts_what_was_told_and_what_people_thought(stores: Stores, control: ControlStore, engine: AlertEngine) -> None:
    """Only what was delivered is a cost. The episode clears within its window: it is brief."""
    control.apply_destinations([DESTINATION])
    engine.observe(MONITOR, [reading(0, "warn")])
    engine.observe(MONITOR, [reading(1, "ok")])
    (episode,) = control.episodes("closed")[0]
    act(stores, episode, "feedback", useful=False)
    assert [(one.useful, one.brief, one.notices) for one in control.fired()] == [(False, True, frozenset())]
    assert control.fired("late", "drift", episode.fired_at, episode.fired_at + 1) == control.fired()
    for wanted in ({"model": "other"}, {"monitor": "other"}, {"start": episode.fired_at + 1}, {"end": episode.fired_at}):
        assert control.fired(**cast("Any", wanted)) == []
