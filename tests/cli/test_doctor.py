"""What the doctor finds at real servers, well and unwell, each with its remedy; and `realign`, which is one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # the library leaves it out of __all__

from core.clock import SystemClock
from core.error import Fatal, Retryable
from core.finding import Finding, clock, version
from ingest.kafka import diagnosis as kafka_look
from ingest.kafka import topics
from ingest.kafka.connection import Connection
from ingest.kafka.ends import Ends
from ingest.kafka.realign import realign
from storage.control.diagnosis import LEAST as LEAST_POSTGRES
from storage.control.store import ControlStore
from storage.facts.diagnosis import LEAST as LEAST_CLICKHOUSE
from storage.facts.diagnosis import RIGHTS, lacking
from storage.facts.http import Http
from tests.client.stand import listening
from tests.services.fixture import ClickHouseAt, KafkaAt, PostgresAt
from watchkeeper.cli.app import main
from watchkeeper.doctor import processes, servers
from watchkeeper.free_port import free_port
from watchkeeper.settings import settings as source
from watchkeeper.stores import Stores

Given = dict[str, dict[str, Any]]


def look(given: Mapping[str, Any]) -> dict[str, Finding]:
    """The findings by name."""
    return {finding.name: finding for finding in servers(source.load(None, **given))}


@pytest.fixture
def given(kafka: KafkaAt, clickhouse: ClickHouseAt, kafka_prefix: str, clickhouse_database: str, postgres_url: str) -> Given:
    """Settings that name all three servers, with nothing made on them yet."""
    facts = {"url": clickhouse.url, "user": clickhouse.user, "database": clickhouse_database}
    return {
        "kafka": {"bootstrap": kafka.bootstrap, "prefix": kafka_prefix, "partitions": 2},
        "clickhouse": {**facts, "password": clickhouse.password} if clickhouse.password else facts,
        "control": {"url": postgres_url},
    }


@pytest.fixture
def made(given: Given) -> Given:
    """The same, with schemas and topics."""
    with closing(Stores(source.load(None, **given), SystemClock())) as stores:
        stores.migrate()
    topics.create(brokers(given), 2, 1)
    return given


@pytest.fixture
def restricted(postgres: PostgresAt) -> Iterator[str]:
    """A role that may log in, and nothing else; `name:password`."""
    name = f"r{secrets.token_hex(4)}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'".encode())
    yield f"{name}:secret"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"DROP ROLE {name}".encode())


def brokers(given: Given) -> Connection:
    return Connection(bootstrap=given["kafka"]["bootstrap"], prefix=given["kafka"]["prefix"])


def settled(given: Given) -> None:
    """Return when all brokers know the leaders of the new topics' partitions."""
    until = time.monotonic() + 300
    with closing(Ends(brokers(given))) as ends:
        while time.monotonic() < until:
            try:
                ends.per_partition()
            except Retryable:
                time.sleep(0.1)
            else:
                return


def batch(given: Given, last: int) -> None:
    """A row that says: partition 0 of the predictions is written up to `last`."""
    numbers = {"partition": 0, "first": 0, "last": last, "rows": last + 1, "duplicates": 0, "rejected": 0, "outside": 0}
    times = dict.fromkeys(("first_ts", "last_ts", "watermark", "logged"), 0)
    with closing(Stores(source.load(None, **given), SystemClock())) as stores:
        stores.writer.batches([{"model": "m", "topic": "predictions", **numbers, **times}])


def test_servers_that_are_made_are_well(made: Given) -> None:
    """Versions, clocks, rights, schemas, topics, groups, writing, and the offsets of the groups."""
    found = look(made)
    assert [finding for finding in found.values() if not finding.well] == []
    assert {"kafka", "clickhouse", "postgresql", "kafka writing", "offsets"} <= found.keys()
    assert {f"{name} clock" for name in ("kafka", "clickhouse", "postgresql")} <= found.keys()


def test_what_is_not_made_yet_asks_for_migrate(given: Given) -> None:
    """Topics, tables of facts, tables of control: each by name, and looking makes none of them."""
    for _ in range(2):
        unwell = {finding.name: finding.remedy for finding in look(given).values() if not finding.well}
        assert sorted(unwell) == ["clickhouse schema", "kafka topics", "postgresql schema"]
        assert all("`watchkeeper migrate`" in remedy for remedy in unwell.values())


@pytest.mark.parametrize(
    ("address", "remedy"),
    [("127.0.0.1:{closed}", "nothing listens there"), ("no-such-host.invalid:9", "correct the host")],
)
@pytest.mark.parametrize(("part", "name"), [("kafka", "kafka"), ("clickhouse", "clickhouse"), ("control", "postgresql")])
def test_a_server_that_cannot_be_reached_is_told_apart_from_its_host(given: Given, part: str, name: str, address: str, remedy: str) -> None:
    """A port without a listener and an unknown host name have different remedies; the other servers are checked all the same."""
    place = address.format(closed=free_port())
    given[part] |= {
        "kafka": {"bootstrap": place},
        "clickhouse": {"url": f"http://{place}"},
        "control": {"url": f"postgresql://u@{place}/w"},
    }[part]
    found = look(given)
    assert not found[name].well
    assert remedy in found[name].remedy
    assert all(found[other].well for other in {"kafka", "clickhouse", "postgresql"} - {name})


def test_tls_on_a_plain_port_is_told(given: Given) -> None:
    """For each server, from its client's error. A plain HTTP server replaces ClickHouse, because the tests' engine may crash at a handshake."""
    given["control"]["url"] += "?sslmode=require"
    given["kafka"]["options"] = {"security.protocol": "SSL"}
    with listening() as plain:
        given["clickhouse"]["url"] = plain.url.replace("http:", "https:")
        found = look(given)
    assert [found[name].remedy.partition(":")[0] for name in ("kafka", "clickhouse", "postgresql")] == [
        "the server speaks no TLS on that port"
    ] * 3


def test_a_wrong_password_is_told(given: Given) -> None:
    """With the setting that holds it."""
    parts = urlsplit(given["control"]["url"])
    given["control"]["url"] = urlunsplit(parts._replace(netloc=f"{parts.username}:wrong@{parts.netloc.rpartition('@')[2]}"))
    given["clickhouse"] |= {"user": "nobody", "password": "wrong"}
    found = look(given)
    assert "WATCHKEEPER_CONTROL__PASSWORD" in found["postgresql"].remedy
    assert "AUTHENTICATION_FAILED (516)" in found["clickhouse"].seen
    assert "clickhouse.password" in found["clickhouse"].remedy


def test_a_role_without_a_right_is_given_the_grant(made: Given, restricted: str) -> None:
    """The remedy is SQL that can be run."""
    parts = urlsplit(made["control"]["url"])
    user = restricted.partition(":")[0]
    found = look(made | {"control": {"url": urlunsplit(parts._replace(netloc=f"{restricted}@{parts.netloc.rpartition('@')[2]}"))}})
    assert not found["postgresql rights"].well
    assert f"GRANT SELECT, INSERT, UPDATE ON public.outbox TO {user}" in found["postgresql rights"].remedy


def test_a_missing_right_on_clickhouse_is_497(clickhouse: ClickHouseAt) -> None:
    """The engine's own user may not make users: asked beforehand it is found lacking, tried it is 497 with the GRANT to ask for."""
    with closing(Http(clickhouse.url, clickhouse.user, clickhouse.password, "system")) as engine:
        assert lacking(engine, "anywhere", RIGHTS) == []
        assert lacking(engine, "*", (*RIGHTS, "CREATE USER")) == ["CREATE USER"]
        with pytest.raises(Fatal, match=r"ACCESS_DENIED \(497\).*the grant CREATE USER.*grant the account"):
            engine.command("CREATE USER somebody")


@pytest.mark.parametrize(
    ("least", "older", "enough"),
    [(LEAST_CLICKHOUSE, "24.8.14.39", "25.3.1.1"), (LEAST_POSTGRES, "13.22", "14.0"), (kafka_look.LEAST, "3.8-IV0", "3.9-IV0")],
)
def test_a_version_that_is_too_old_is_told(least: tuple[int, ...], older: str, enough: str) -> None:
    """With the one to install."""
    assert version("x", enough, least, "").well
    assert not (found := version("x", older, least, "why")).well
    assert found.remedy == f"install {'.'.join(map(str, least))} or later: why"


def test_a_clock_that_is_more_than_5_s_off_is_told() -> None:
    """In either direction; the time that the answer took does not count."""
    second = 1_000_000
    assert clock("x", 0, 4 * second, 10).well
    assert clock("x", 0, -9 * second + 1, 0).seen.startswith("9.0 s behind")
    assert not clock("x", 0, 9 * second, 10).well
    assert clock("x", 0, 9 * second, 5 * second).well


def test_topics_that_lose_events_are_told(given: Given) -> None:
    """Fewer partitions, a short retention, the producers' times: each with what to set."""
    admin = AdminClient({"bootstrap.servers": given["kafka"]["bootstrap"]})
    prefix = given["kafka"]["prefix"]
    config = {"retention.ms": "3600000", "message.timestamp.type": "CreateTime"}
    for done in admin.create_topics([NewTopic(f"{prefix}predictions", 1, 1, config=config)]).values():
        done.result(300)
    topics.create(brokers(given), 2, 1)
    found = look(given)[f"topic {prefix}predictions"]
    assert found.seen.startswith("1 partitions, kafka.partitions is 2; message.timestamp.type=CreateTime: ")
    assert "set retention.ms=604800000" in found.remedy
    assert "set message.timestamp.type=LogAppendTime" in found.remedy


def test_an_offset_that_does_not_belong_to_the_facts_is_told(made: Given) -> None:
    """The topic created again, the group without offsets, facts older than the offsets: what happened is named."""
    group = brokers(made).group("ingest")
    topic = f"{made['kafka']['prefix']}predictions"
    admin = AdminClient({"bootstrap.servers": made["kafka"]["bootstrap"]})
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 1, 7)])])[group].result()
    assert "the facts are older than the group's offset" in look(made)["offsets"].remedy
    batch(made, 41)
    found = look(made)["offsets"]
    assert "predictions 0 ends at 0, and there are facts up to 41" in found.seen
    assert found.remedy.startswith("the topic was created again, or the facts are older")


def test_realign_lets_ingest_read_on_from_where_the_facts_end(made: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restore each partition goes on after its last fact, one without facts from its beginning; owners start again; then the doctor finds no fault."""
    producer = Producer(brokers(made).producer())
    for partition, records in ((0, 50), (1, 5)):
        for _ in range(records):
            producer.produce(f"{made['kafka']['prefix']}predictions", b"{}", partition=partition)
    assert producer.flush(300) == 0
    settled(made)
    batch(made, 41)
    with closing(Stores(source.load(None, **made), SystemClock())) as stores:
        epoch = stores.control.take("owner:m")
        stores.control.save_cursor("owner:m", {"predictions": {"0": 49}}, epoch)
    for part, name, value in ((part, *item) for part, of in made.items() for item in of.items()):
        monkeypatch.setenv(f"WATCHKEEPER_{part}__{name}".upper(), str(value))
    assert "the group has lost its offsets" in look(made)["offsets"].remedy
    assert main(["realign"]) == 0
    assert look(made)["offsets"].well
    with closing(Ends(brokers(made))) as ends:
        assert {place: at.next for place, at in ends.per_partition().items() if place[0] == "predictions"} == {
            ("predictions", 0): 42,
            ("predictions", 1): 0,
        }
    with closing(ControlStore(made["control"]["url"])) as control:
        assert control.cursor("owner:m") == {}
        control.holds("owner:m", epoch)


def test_lost_offsets_alone_are_found_again(made: Given) -> None:
    """Where the group has none and there are facts; an offset that it has, and a partition without facts, stay."""
    group, prefix = brokers(made).group("ingest"), made["kafka"]["prefix"]
    producer = Producer(brokers(made).producer())
    for _ in range(50):
        producer.produce(f"{prefix}predictions", b"{}", partition=0)
        producer.produce(f"{prefix}labels", b"{}", partition=0)
    assert producer.flush(300) == 0
    settled(made)
    admin = AdminClient({"bootstrap.servers": made["kafka"]["bootstrap"]})
    kept = TopicPartition(f"{prefix}labels", 0, 7, "v1|i|9")
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [kept])])[group].result()
    reached = {("predictions", 0): 41, ("labels", 0): 41}
    assert realign(brokers(made), reached, lost=True) == {("predictions", 0): 42}
    assert realign(brokers(made), reached, lost=True) == {}
    answer = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result()
    assert {(told.topic, told.offset, told.metadata or "") for told in answer.topic_partitions or []} == {
        (f"{prefix}predictions", 42, ""), (f"{prefix}labels", 7, "v1|i|9"),
    }  # fmt: skip
    with pytest.raises(Fatal, match="facts beyond the end of predictions 1; the topic was created again"):
        realign(brokers(made), {("predictions", 1): 5}, lost=True)


def test_realign_moves_nothing_where_that_would_be_wrong(made: Given) -> None:
    """Facts beyond the topic's end are another topic's; a group with members commits for itself."""
    settled(made)
    with pytest.raises(Fatal, match="facts beyond the end of predictions 0; the topic was created again"):
        realign(brokers(made), {("predictions", 0): 41})
    member = Consumer(brokers(made).consumer("ingest"))
    member.subscribe([f"{made['kafka']['prefix']}predictions"])
    until = time.monotonic() + 300
    while time.monotonic() < until and not member.assignment():
        member.poll(0.2)
    with pytest.raises(Fatal, match="has members; stop all ingest processes"):
        realign(brokers(made), {})
    member.close()


def test_the_processes_are_told_by_their_last_sign_of_life(postgres_url: str) -> None:
    """One that complains is unwell; one that has been silent for long is none; kinds without any are named."""
    now = time.time_ns() // 1_000
    with closing(ControlStore(postgres_url)) as store:
        store.migrate()
        for kind, age, problems in (("ingest", 1, ["ClickHouse is away"]), ("serve", 2, []), ("deliver", 120, [])):
            sign = {"kind": kind, "where": "here:1", "at": now - age * 1_000_000, "problems": problems}
            store.save_cursor(f"process:{kind}:here:1", sign)
        found = {finding.name: finding for finding in processes(store, now)}
    assert (found["ingest at here:1"].well, found["ingest at here:1"].seen) == (False, "ClickHouse is away")
    assert found["serve at here:1"].well
    assert sorted(found) == ["deliver", "evaluate", "ingest at here:1", "serve at here:1"]
