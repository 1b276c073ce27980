"""The links of notices: a scanner's GET changes nothing, POST does one thing in the name of the recipient, and no other address is taken."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from alerts.action_link import LIFETIME, ActionLink, ActionLinks
from alerts.deliver import Deliverer
from alerts.engine import AlertEngine
from alerts.policy.watch import PolicyWatch
from core import moment
from core.clock import ManualClock, SystemClock
from core.destination import Destination
from core.episode import DeliveryState, Episode
from core.policy import Policy, Silence
from core.principal import LOCAL, Principal
from core.retrain import Retrain, RetrainState
from core.signed_address import signed_address
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import MONITOR, SECRET, reading
from tests.api.test_doors import Documents, guarded
from tests.api.twin import RETRAIN, Twin
from watchkeeper.change.delete import DeleteDestination
from watchkeeper.command import do
from watchkeeper.stores import Stores

BASE = "http://127.0.0.1:8650"
WHO = "team (signed link)"
_EVER = 40 * 366 * moment.DAY


class Stored(Twin):
    """The services of a real control store."""

    def __init__(self, control: ControlStore) -> None:
        super().__init__()
        self._control = control
        self._stores = cast("Stores", SimpleNamespace(control=control, settings=SimpleNamespace(public=BASE)))

    def signing_key(self) -> bytes:
        return self._control.signing_key()

    def destinations(self) -> list[Destination]:
        return self._control.destinations()

    def episode(self, name: str) -> Episode | None:
        return self._control.episode(name)

    def members(self, name: str) -> list[Episode]:
        return self._control.members(name)

    def silences(self, since: int | None = None) -> list[Silence]:
        return self._control.silences(since)

    def do(self, principal: Principal, command: str, payload: msgspec.Struct) -> Any:
        return do(self._stores, principal, command, payload)


class Stage:
    """An episode that a chat was told of, and the pages that its links open."""

    def __init__(self, control: ControlStore, receiver: Receiver) -> None:
        self.control, self.receiver, self.clock = control, receiver, ManualClock(SystemClock().now())
        self.engine = AlertEngine(control, self.clock, MEASURES, _EVER, address=BASE)
        self.deliverer = Deliverer(control, self.clock, links=ActionLinks(BASE, control.signing_key))
        self.to(Destination(name="team", kind="slack", settings={"url": receiver.url}))
        self.services = Stored(control)
        self.app = guarded(Documents(), self.clock, twin=self.services)

    def to(self, destination: Destination) -> None:
        """Apply the only destination."""
        self.control.apply_destinations([destination])

    def told(self) -> dict[str, str]:
        """The links of the last message, by their words."""
        self.deliverer.deliver_due()
        blocks = json.loads(self.receiver.calls[-1].body)["blocks"]
        texts = [part["text"] for block in blocks if block["type"] == "context" for part in block["elements"]]
        return {words: address.replace("&amp;", "&") for address, words in (text.strip("<>").split("|") for text in texts)}

    def client(self) -> httpx.AsyncClient:
        """Somebody without a token, at a server that asks for one."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url=BASE)

    @property
    def episode(self) -> Episode:
        return self.control.episodes()[0][0]

    def audited(self) -> list[tuple[str, str]]:
        return [(one.actor, one.action) for one in self.control.audit_entries()[0] if one.actor != "local"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    control = ControlStore(f"sqlite:///{tmp_path}/control.sqlite", SystemClock())
    control.migrate()
    with Receiver() as receiver:
        yield Stage(control, receiver)
    control.close()


@pytest.fixture
async def http(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with stage.client() as client:
        yield client


async def test_a_link_shows_what_it_does_and_does_it_when_it_is_posted(stage: Stage, http: httpx.AsyncClient) -> None:
    """No token is needed; the audit, the timeline and the page name the recipient. A second click finds nothing to do."""
    stage.engine.observe(MONITOR, [reading(0, "critical")])
    links = stage.told()
    assert list(links) == ["Open in Watchkeeper", "Acknowledge", "Silence for 2 hours"]
    for _ in range(3):
        shown = await http.get(links["Acknowledge"] + "&utm_source=scanner")
        assert (shown.status_code, '<form method="post">' in shown.text) == (200, True)
        assert "Population stability index of temp is 0.31" in shown.text
        assert (await http.head(links["Acknowledge"])).status_code == 405
    assert (stage.episode.handling.acts, stage.audited()) == ((), [])
    done = await http.post(links["Acknowledge"], data={"comment": "ada"}, headers={"origin": BASE})
    assert (done.status_code, WHO in done.text) == (200, True)
    assert (stage.episode.handling.acknowledged_by, stage.episode.handling.acts[0].comment) == (WHO, "ada")
    again = await http.post(links["Acknowledge"])
    assert "Nothing to acknowledge" in again.text
    assert stage.audited() == [(WHO, "episode.acknowledge")]


async def test_a_silence_is_made_once_by_a_link(stage: Stage, http: httpx.AsyncClient) -> None:
    """It holds the monitor for two hours from the click on, and the page says first how many episodes it matches."""
    stage.engine.observe(MONITOR, [reading(0, "critical")])
    link = stage.told()["Silence for 2 hours"]
    shown = (await http.get(link)).text
    assert ("1 open episode matches now" in shown, "There is no policy" in shown) == (True, True)
    assert stage.control.silences() == []
    assert (await http.post(link)).status_code == 200
    (made,) = stage.control.silences()
    assert (made.match, made.created_by) == ({"model": ("late",), "monitor": ("drift",)}, WHO)
    assert made.ends_at == stage.clock.now() + 2 * moment.HOUR
    stage.clock.advance(moment.MINUTE)
    assert "has made its silence" in (await http.post(link)).text
    assert stage.audited() == [(WHO, "silence.created")]


async def test_a_link_of_a_group_acknowledges_what_is_open_of_it(stage: Stage, http: httpx.AsyncClient) -> None:
    """All episodes of the notice, and no other, in one transaction."""
    stage.control.apply_policies([Policy(name="default", group_wait=0, group_by=("monitor",))])
    for column in ("temp", "dewp"):
        changed = msgspec.structs.replace(MONITOR, columns=("temp", "dewp"))
        stage.engine.observe(changed, [msgspec.structs.replace(reading(0, "critical"), column=column)])
    other = msgspec.structs.replace(MONITOR, name="other")
    policy = PolicyWatch(stage.control, stage.clock, _EVER, address=BASE)
    policy.look()
    links = stage.told()
    stage.engine.observe(other, [msgspec.structs.replace(reading(0, "warn"), monitor="other")])
    policy.look()
    assert "Acknowledge 2 episodes" in (await http.get(links["Acknowledge"])).text
    assert (await http.post(links["Acknowledge"])).status_code == 200
    taken = {one.monitor: one.handling.acknowledged_by for one in stage.control.episodes("open")[0]}
    assert taken == {"drift": WHO, "other": None}
    assert "All of its open episodes are acknowledged" in (await http.get(links["Acknowledge"])).text


async def test_a_silence_of_a_group_holds_no_monitor_that_was_not_told(stage: Stage, http: httpx.AsyncClient) -> None:
    """Of two models each gets a silence of its own monitors; the other's of the same name goes on."""
    stage.control.apply_policies([Policy(name="default", group_wait=0, group_by=("family",))])
    for model, name in (("late", "drift"), ("tip", "shift")):
        monitor = msgspec.structs.replace(MONITOR, model=model, name=name)
        stage.engine.observe(monitor, [msgspec.structs.replace(reading(0, "critical"), model=model, monitor=name)])
    PolicyWatch(stage.control, stage.clock, _EVER, address=BASE).look()
    link = stage.told()["Silence for 2 hours"]
    assert "2 open episodes match now" in (await http.get(link)).text
    assert (await http.post(link)).status_code == 200
    held = sorted((*one.match["model"], *one.match["monitor"]) for one in stage.control.silences())
    assert held == [("late", "drift"), ("tip", "shift")]
    assert "has made its silence" in (await http.post(link)).text
    assert len(stage.control.silences()) == 2


@pytest.mark.parametrize("changed", ["action", "subject", "to", "expires", "signature", "purpose"])
async def test_what_was_changed_is_refused(stage: Stage, http: httpx.AsyncClient, changed: str) -> None:
    """The link of one action is good for no other, for nothing else and for nobody else, no longer than it says; and the signature of an export for no link."""
    stage.engine.observe(MONITOR, [reading(0, "critical")])
    link = stage.told()["Acknowledge"]
    parts = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    worse = {"action": "silence", "subject": "ep_2", "to": "boss", "expires": "2100-01-01T00:00:00Z", "signature": parts["signature"][::-1]}
    if changed == "purpose":
        key = stage.control.signing_key()
        link = signed_address(
            f"{BASE}/link", "training", key, stage.clock.now() + moment.HOUR, action="acknowledge", subject="ep", to="team"
        )
    else:
        link = str(httpx.URL(f"{BASE}/link", params=parts | {changed: worse[changed]}))
    for answer in (await http.get(link), await http.post(link)):
        assert (answer.status_code, "did nothing" in answer.text) == (403, True)
    assert stage.audited() == []


async def test_a_link_ends_with_its_time_its_destination_and_its_episode(
    stage: Stage, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a week, when the destination gets no links any more or is gone, and when the episode has ended, or went on after the notice."""
    stage.engine.observe(MONITOR, [reading(0, "critical")])
    link, silence = (stage.told()[words] for words in ("Acknowledge", "Silence for 2 hours"))
    stage.to(Destination(name="team", kind="slack", settings={"url": stage.receiver.url}, links=False))
    assert (await http.post(link)).status_code == 403
    stage.to(Destination(name="team", kind="slack", settings={"url": stage.receiver.url}))
    on = msgspec.structs.replace(stage.episode, reopened=stage.clock.now() + moment.HOUR)
    with monkeypatch.context() as patched:
        patched.setattr(stage.services, "episode", lambda _: on)
        for one in (link, silence):
            assert "went on after this notice" in (await http.post(one)).text
    stage.clock.advance(LIFETIME)
    assert "expired at" in (await http.get(link)).text
    stage.clock.advance(-LIFETIME)
    stage.engine.observe(MONITOR, [reading(1, "ok")])
    for one in (link, silence):
        assert "The episode has ended" in (await http.post(one)).text
    stage.to(Destination(name="team", kind="slack", settings={"url": "http://127.0.0.1:9/others"}))
    assert (await http.post(link)).status_code == 403
    stage.services.do(LOCAL, "delete destination", DeleteDestination(name="team"))
    assert (await http.post(link)).status_code == 403
    assert stage.audited() == []


async def test_a_retraining_is_approved_by_a_link(stage: Stage, http: httpx.AsyncClient) -> None:
    """What waits for a person can be approved from the notice, once."""
    waits = msgspec.structs.replace(RETRAIN, state=RetrainState.AWAITING_APPROVAL)
    kept: list[Retrain] = [waits]
    stage.services.retrain = lambda name: kept[-1] if name == "rt_1" else None  # type: ignore[method-assign]
    done: list[tuple[Principal, str, msgspec.Struct]] = []
    stage.services.do = lambda *asked: done.append(asked)  # type: ignore[method-assign]
    link = ActionLink(action="approve", subject="rt_1", to="team", expires=stage.clock.now() + LIFETIME)
    (team,) = stage.control.destinations()
    address = link.address(BASE, stage.control.signing_key(), team)
    assert "Retraining of taxi-fare by the hook retrain: asked for by ada" in (await http.get(address)).text
    assert done == []
    assert (await http.post(address, data={"comment": "go"})).status_code == 200
    ((who, command, asked),) = done
    assert (who.name, command, msgspec.to_builtins(asked)) == (
        WHO,
        "decide on retraining",
        {"id": "rt_1", "action": "approve", "comment": "go"},
    )
    kept.append(msgspec.structs.replace(waits, state=RetrainState.DISPATCHED, approved_by="ada"))
    assert "ada has approved it" in (await http.post(address)).text
    assert len(done) == 1


def test_links_are_not_stored_and_are_hidden_in_what_receivers_say(stage: Stage) -> None:
    """Whoever may read deliveries cannot act by them: neither their body nor an answer that says a link back holds its signature. Each attempt has the same links."""
    stage.engine.observe(MONITOR, [reading(0, "critical")])
    stage.receiver.answers = [(500, {})]
    stage.deliverer.deliver_due()
    stage.clock.advance(moment.MINUTE)
    stage.deliverer.deliver_due()
    first, second = (call.body for call in stage.receiver.calls)
    assert first == second
    assert b"signature=" in first
    (sent,) = stage.control.deliveries()[0]
    assert (sent.state, "signature" in sent.body, "/link" in sent.body) == (DeliveryState.DELIVERED, False, False)


@pytest.mark.parametrize(
    ("kind", "settings", "links", "there"),
    [
        ("webhook", {"secret": SECRET}, None, False),
        ("webhook", {"secret": SECRET}, True, True),
        ("slack", {}, False, False),
        ("console", {}, None, False),
    ],
)
def test_a_destination_says_whether_it_gets_links(
    stage: Stage, kind: str, settings: dict[str, str], links: bool | None, *, there: bool
) -> None:
    """Messages to people have them, bodies for programs do not, unless the destination says otherwise."""
    to = Destination(name="team", kind=kind, settings={"url": stage.receiver.url, **settings}, links=links)
    stage.engine.observe(MONITOR, [reading(0, "critical")])
    (sent,) = stage.control.deliveries()[0]
    made = ActionLinks(BASE, stage.control.signing_key)(sent, to)
    assert (set(made) == {"acknowledge", "silence"}) is there
