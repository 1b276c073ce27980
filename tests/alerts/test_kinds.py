"""Each kind of destination makes what its service takes, of one notice, and shows no secret."""

from __future__ import annotations

import base64
import email
import json
from collections.abc import Iterator, Mapping
from email.policy import default
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from aiosmtpd.controller import Controller
from standardwebhooks import Webhook

from alerts.deliver import Deliverer
from alerts.destination.document import destination_from
from alerts.destination.kind import kind
from alerts.destination.message import Rejected, Unsent
from alerts.destination.notice import notice
from alerts.destination.secret_file import SecretFiles
from alerts.engine import AlertEngine
from alerts.exchange import Exchange
from alerts.guard import Guard, Refused
from alerts.policy.watch import PolicyWatch
from core import moment
from core.clock import ManualClock, SystemClock
from core.destination import Destination
from core.episode import Delivery, DeliveryState, EpisodeRecord
from core.error import ConfigError
from core.policy import Policy
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.outside import ALERTMANAGER, PAGERDUTY, SLACK, TEAMS
from tests.alerts.sample import MONITOR, SECRET, START, reading
from watchkeeper.free_port import free_port

OTHER = "whsec_" + base64.b64encode(b"another secret of thirty-two byte").decode()
KEY = "R0123456789abcdef0123456789abcde"
NOW = START + 3 * moment.DAY
_EVER = 40 * 366 * moment.DAY
DOCUMENTS: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://example.org/hook", "secret": SECRET},
    "slack": {"url": "https://hooks.slack.com/services/T0/B0/hidden"},
    "teams": {"url": "https://prod.example.org/workflows/hidden?sig=hidden"},
    "pagerduty": {"routing_key": KEY},
    "alertmanager": {"url": "http://alertmanager.example.org:9093/"},
    "email": {"smtp": "mail.example.org", "to": ["oncall@example.org"], "user": "u", "password": "hidden"},
    "kafka": {"topic": "alerts"},
    "console": {},
}
SCHEMAS = {"slack": SLACK, "teams": TEAMS, "pagerduty": PAGERDUTY, "alertmanager": ALERTMANAGER}
LONG = "x" * 5_000 + " <@everyone> & [a](http://evil.example) *bold*"


def made(name: str, **changes: Any) -> Destination:
    return destination_from({"destination": name, "kind": name, **DOCUMENTS[name], **changes})


def notification(type_: str, data: Mapping[str, Any], key: str = "ep_1") -> Delivery:
    body = json.dumps({"type": type_, "timestamp": "2013-07-03T00:00:00Z", "data": data})
    return Delivery(id="msg_1", destination="d", episode=key, type=type_, body=body, created=NOW, due=NOW)


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """An episode as the engine tells of it, with all that a notice can say."""
    store, clock = ControlStore(f"sqlite:///{tmp_path_factory.mktemp('control')}/control.sqlite"), ManualClock(START + 2 * moment.DAY)
    store.migrate()
    store.apply_destinations([Destination(name="out", kind="console")])
    monitor = msgspec.structs.replace(MONITOR, owner="weather team", runbook="https://wiki.example.org/drift", description="Is it warm?")
    told = reading(0, "critical", lower=0.2, upper=0.4, n_effective=812.0, n_baseline=9_000)
    told = msgspec.structs.replace(told, evidence={"contributions": [{"bin": "[1,2)", "target": 0.5, "baseline": 0.1, "share": 0.8}]})
    AlertEngine(store, clock, MEASURES, address="https://watch.example.org").observe(monitor, [told])
    data: Mapping[str, Any] = json.loads(store.due(clock.now())[0].body)["data"]
    store.close()
    return data


def all_notifications(episode: Mapping[str, Any]) -> Iterator[Delivery]:
    """One of each type, and one of texts that are long and not meant well."""
    group = {
        **{name: episode[name] for name in ("severity", "level", "model", "window_start", "window_end", "url")},
        "group": "gr_1",
        "sentence": "temp moved",
        "models": ["late", "tip"],
        "episodes": [episode] * 10,
        "count": 31,
    }
    trust = {
        "model": "late",
        "version": "all",
        "segment": "a=1",
        "state": "do_not_trust",
        "before": "watch",
        "since": None,
        "url": "http://x/",
    }
    hostile = {**episode, "reason": LONG, "model": LONG, "column": LONG, "owner": LONG, "segment": LONG + "\r\nBcc: evil@example.org"}
    yield notification("episode.fired", episode)
    yield notification("episode.fired", hostile)
    yield notification("episode.resolved", {**episode, "state": "resolved", "ended_at": "2013-07-03T00:00:00Z"})
    yield notification("episode.fired", {**episode, "value": None, "column": "", "level": "warn", "runbook": None, "reading": None})
    yield notification("group.fired", group, "gr_1")
    yield notification("group.resolved", group, "gr_1")
    yield notification("trust.changed", {**trust, "reasons": [{"text": "Accuracy is 0.5"}]}, "")
    compared = {
        **trust,
        "comparison": "shadow",
        "severity": "ticket",
        "sentence": LONG,
        "window_start": "2013-07-02T00:00:00Z",
        "rows_a": 9,
    }
    compared |= {"window_end": "2013-07-03T00:00:00Z", "rows_b": None}
    yield notification("comparison.ready", {**compared, "verdict": "ready"}, "comparison|late|shadow|all")
    yield notification("comparison.worse", {**compared, "verdict": "worse"}, "comparison|late|shadow|all")
    incident = {"incident": "sys_1", "since": "2013-07-02T00:00:00Z", "url": "https://watch.example.org/ui/pipeline"}
    yield notification("system.fired", {**incident, "problems": ["Kafka does not answer", LONG], "new": [LONG]}, "sys_1")
    yield notification("system.resolved", {**incident, "problems": [], "new": []}, "sys_1")
    yield notification("destination.test", {"sentence": "Nothing is wrong.", "url": "http://x/"}, "")


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_notification_is_what_the_service_takes(name: str, episode: Mapping[str, Any]) -> None:
    """Of every type, also with texts that are longer than allowed; the schema is that of the service's documentation."""
    destination, validator = made(name), jsonschema_rs.validator_for(SCHEMAS[name])
    for delivery in all_notifications(episode):
        message = kind(name).render(destination.settings, delivery, NOW)
        validator.validate(json.loads(message.body))
        assert len(message.body) < (28_000 if name == "teams" else 512_000)
        assert message.headers == {"content-type": "application/json"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_can_refuse(name: str, episode: Mapping[str, Any]) -> None:
    """A field that the service does not know fails."""
    body = json.loads(kind(name).render(made(name).settings, notification("episode.fired", episode), NOW).body)
    (body[0] if isinstance(body, list) else body)["colour"] = "red"
    assert not jsonschema_rs.validator_for(SCHEMAS[name]).is_valid(body)


def test_the_notice_says_what_people_ask_first(episode: Mapping[str, Any]) -> None:
    """What moved, how far, against which threshold, on how many rows, since when, whose it is, what makes most of it, and where to go."""
    said = notice(notification("episode.fired", episode))
    assert said.title == "Critical: late, drift, temp"
    assert said.sentence.startswith("Population stability index of temp is 0.31; critical from 0.25")
    assert dict(said.facts) == {
        "Value": "0.31 (95 % interval 0.2 to 0.4)",
        "Threshold": "warn from 0.1, critical from 0.25",
        "Rows": "2,377 (worth 812 independent ones), before 9,000",
        "Window": "2013-07-01T00:00:00Z to 2013-07-02T00:00:00Z",
        "Since": "2013-07-01T00:00:00Z",
        "Share of traffic": "100.0 %",
        "Severity": "ticket",
        "Owner": "weather team",
        "Description": "Is it warm?",
    }
    assert said.lines == ("1 to below 2: 50.0 % of rows, before 10.0 %",)
    assert said.links == (("Open in Watchkeeper", episode["url"]), ("Runbook", "https://wiki.example.org/drift"))


def test_slack_sees_no_mention_or_link_of_the_data(episode: Mapping[str, Any]) -> None:
    """What comes from events is text."""
    told = notification("episode.fired", {**episode, "reason": "<!channel> <https://evil.example|click> & more"})
    body = kind("slack").render(made("slack").settings, told, NOW).body
    assert "<!channel>" not in body
    assert "&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp; more" in body


def test_pagerduty_opens_and_closes_one_incident(episode: Mapping[str, Any]) -> None:
    """The dedup key is the episode's, or the group's."""
    bodies = [json.loads(kind("pagerduty").render(made("pagerduty").settings, one, NOW).body) for one in all_notifications(episode)]
    assert [(body["event_action"], body["dedup_key"]) for body in bodies if body["dedup_key"] in {episode["id"], "gr_1"}] == [
        ("trigger", episode["id"]),
        ("trigger", episode["id"]),
        ("resolve", episode["id"]),
        ("trigger", episode["id"]),
        ("trigger", "gr_1"),
        ("resolve", "gr_1"),
    ]
    assert made("pagerduty").settings["url"] == "https://events.pagerduty.com/v2/enqueue"


def test_alertmanager_knows_an_alert_by_labels_that_do_not_change(episode: Mapping[str, Any]) -> None:
    """An open one ends a little ahead unless it is sent again; one that is over has ended."""
    fired, _, resolved, warn, *_ = [
        json.loads(kind("alertmanager").render(made("alertmanager").settings, one, NOW).body)[0] for one in all_notifications(episode)
    ]
    assert fired["labels"] == resolved["labels"]
    assert fired["labels"]["alertname"] == "drift"
    assert moment.parse(fired["endsAt"]) == NOW + 5 * moment.MINUTE
    assert moment.parse(resolved["endsAt"]) <= NOW
    assert "level" not in warn["labels"]
    assert (
        kind("alertmanager")
        .render(made("alertmanager").settings, notification("episode.fired", episode), NOW)
        .to.endswith(":9093/api/v2/alerts")
    )


def test_a_webhook_is_signed_with_every_secret_while_one_takes_the_place_of_another(episode: Mapping[str, Any]) -> None:
    """Whoever has either verifies; the headers are those of CloudEvents, too."""
    now = SystemClock().now()
    message = kind("webhook").render(made("webhook", secret=[SECRET, OTHER]).settings, notification("episode.fired", episode), now)
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(message.body, dict(message.headers))["type"] == "episode.fired"
    assert {name: said for name, said in message.headers.items() if name.startswith("ce-")} == {
        "ce-specversion": "1.0",
        "ce-id": message.headers["webhook-id"],
        "ce-type": "io.watchkeeper.episode.fired.v1",
        "ce-source": "/watchkeeper",
        "ce-time": "2013-07-03T00:00:00Z",
        "ce-subject": "late",
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_kind_shows_its_secrets(name: str) -> None:
    """Neither as a value nor in an address whose path is one."""
    shown = repr(made(name)) + str(made(name).shown())
    assert not any(secret in shown for secret in ("hidden", SECRET, KEY))


@pytest.mark.parametrize(
    ("name", "change", "named"),
    [
        ("slack", {"url": None}, "one of `url` and `url_file`"),
        ("slack", {"url_file": "/run/x"}, "one of `url` and `url_file`"),
        ("slack", {"url": "hooks"}, "`url`"),
        ("teams", {"secret": SECRET}, "`secret`"),
        ("pagerduty", {"routing_key": "short"}, "`routing_key`"),
        ("pagerduty", {"url": "mailto:x"}, "`url`"),
        ("email", {"to": []}, "`to`"),
        ("email", {"to": ["a@b\nBcc: c@d"]}, "`to`"),
        ("email", {"from": "me"}, "`from`"),
        ("email", {"smtp": "http://x"}, "`smtp`"),
        ("email", {"smtp": "smtp://u:p@x"}, "`smtp`"),
        ("email", {"user": None}, "`user`"),
        ("email", {"password": None}, "`password`"),
        ("kafka", {"topic": "a/b"}, "`topic`"),
        ("webhook", {"secret": [SECRET, "hunter2"]}, "`secret`"),
        ("webhook", {"secret": [SECRET] * 5}, "`secret`"),
        ("webhook", {"secret": f"{SECRET} {OTHER}"}, "`secret`"),
    ],
)
def test_a_fault_of_a_kind_is_named(name: str, change: dict[str, Any], named: str) -> None:
    """By its field, with a remedy and without the secret."""
    with pytest.raises(ConfigError) as refused:
        made(name, **change)
    assert named in refused.value.message
    assert refused.value.remedy
    assert "hunter2" not in str(refused.value)


def test_a_topic_has_one_key_for_each_episode_and_each_place_of_trust(episode: Mapping[str, Any]) -> None:
    """So that records of one stay in order, and a compacted topic keeps the last state."""
    render, settings = kind("kafka").render, made("kafka").settings
    data = {"model": "late", "version": "2", "segment": "line=a", "state": "watch", "before": "trusted", "reasons": []}
    changed = [notification("trust.changed", data | {"state": state}, "") for state in ("watch", "do_not_trust")]
    assert {render(settings, one, NOW).headers["ce_partitionkey"] for one in changed} == {"late|2|line=a"}
    assert render(settings, notification("episode.fired", episode), NOW).headers["ce_partitionkey"] == "ep_1"


def test_what_is_in_a_file_is_read_at_each_sending(tmp_path: Path, episode: Mapping[str, Any]) -> None:
    """A file that is not there yet, or holds nonsense, is waited for, and its content is not told."""
    file = tmp_path / "slack"
    destination, files = made("slack", url=None, url_file=str(file)), SecretFiles([str(tmp_path)])

    def to() -> str:
        return kind("slack").render(files.opened(destination.settings), notification("episode.fired", episode), NOW).to

    with pytest.raises(Unsent, match="cannot be read"):
        to()
    file.write_text("hunter2")
    with pytest.raises(Unsent, match="holds no http or https address"):
        to()
    file.write_text("https://hooks.example.org/x\n")
    assert to() == "https://hooks.example.org/x"


class Mailbox:
    """Takes mails, or answers with a code."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer, self.mails = answer, list[Any]()

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 - the name is the library's
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=default)))
        return self.answer


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("answer", "state"),
    [("250 OK", DeliveryState.DELIVERED), ("451 later", DeliveryState.PENDING), ("554 no", DeliveryState.DEAD)],
)
def test_a_mail_arrives_at_a_real_server(
    store: ControlStore, clock: ManualClock, episode: Mapping[str, Any], answer: str, state: DeliveryState
) -> None:
    """With everything as text, in a thread for each episode; the server's code decides what becomes of it."""
    box = Mailbox(answer)
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    to = made("email", smtp=f"127.0.0.1:{controller.port}", to=["a@example.org", "b@example.org"], user=None, password=None)
    store.apply_destinations([to])
    with store.recording() as ledger:
        row = msgspec.structs.replace(
            next(all_notifications(episode)), destination="email", episode=episode["id"], created=clock.now(), due=clock.now()
        )
        ledger.write(EpisodeRecord(deliveries=[row]))
    deliverer = Deliverer(store, clock)
    deliverer.deliver_due()
    deliverer.stop()
    controller.stop()
    ((sender, people, mail),) = box.mails
    assert (sender, people) == ("a@example.org", ["a@example.org", "b@example.org"])
    assert mail["subject"] == "[ticket] Critical: late, drift, temp"
    assert mail["message-id"] == "<msg_1@example.org>"
    plain, page = (mail.get_body((form,)).get_content() for form in ("plain", "html"))
    assert "Runbook: https://wiki.example.org/drift" in plain
    assert '<a href="https://wiki.example.org/drift"' in page
    assert store.delivery_counts()[state] == 1


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_is_over_the_cap_is_one_mail(store: ControlStore, clock: ManualClock) -> None:
    """A digest of the policy: the subject says how many, both forms list each with its link, and what an episode says is no HTML."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    to = made("email", smtp=f"127.0.0.1:{controller.port}", to=["a@example.org"], user=None, password=None, links=False)
    store.apply_destinations([to])
    store.apply_policies([Policy(name="default", group_by=("column",), group_wait=0, cap=(1, moment.HOUR))])
    columns = [f"c{at:02}" for at in range(11)] + ["<b>&"]
    many = msgspec.structs.replace(MONITOR, columns=tuple(columns))
    AlertEngine(store, clock, MEASURES, _EVER, address="http://w").observe(many, [reading(0, "critical", column=name) for name in columns])
    PolicyWatch(store, clock, _EVER, address="http://w").look()
    deliverer = Deliverer(store, clock)
    deliverer.deliver_due()
    deliverer.stop()
    controller.stop()
    ((_, _, mail),) = box.mails
    plain, page = (mail.get_body((form,)).get_content() for form in ("plain", "html"))
    assert mail["subject"] == "[ticket] Digest: late, 12 alerts"
    assert "Told because: a digest of 12 groups: more than the cap allows" in plain
    links = [f"http://w/ui/alerts/{one.id}" for one in store.episodes("open")[0]]
    assert [page.count(f'<a href="{link}"') >= 1 for link in links] == [True] * 12
    assert all(f"index of {name} is" in plain for name in columns)
    assert ("index of <b>& is" in page, "index of &lt;b&gt;&amp; is" in page) == (False, True)
    assert "src=" not in page


def test_a_long_list_is_cut_between_lines_for_slack(episode: Mapping[str, Any]) -> None:
    """Each line is a whole link, and the last line says how many there are beyond."""
    one = {**episode, "reason": "x" * 400}
    data = {"group": "dg_1", "sentence": "s", "severity": "page", "level": "warn", "model": "late", "models": ["late"], "count": 20}
    data |= {"window_start": "2013-07-01T00:00:00Z", "window_end": "2013-07-02T00:00:00Z", "episodes": [one] * 20, "url": "http://x/"}
    body = json.loads(kind("slack").render(made("slack").settings, notification("group.digest", data), NOW).body)
    (listed,) = [block["text"]["text"] for block in body["blocks"] if "•" in str(block)]
    *lines, last = listed.split("\n")
    assert all(line.startswith("• <http") and line.endswith(">") for line in lines)
    assert last == f"and {20 - len(lines)} more"
    assert len(listed) <= 3_000


def test_a_password_is_not_sent_without_tls(episode: Mapping[str, Any]) -> None:
    """The notification is given up with the reason."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    message = kind("email").render(
        made("email", smtp=f"127.0.0.1:{controller.port}").settings,
        notification("episode.fired", episode),
        NOW,
    )
    with pytest.raises(Rejected, match="a password is not sent without it"):
        kind("email").send(Exchange(5), message)
    with pytest.raises(Refused, match=r"alerts\.allow does not name it"):
        kind("email").send(Exchange(5, Guard()), message)
    controller.stop()
    assert box.mails == []
