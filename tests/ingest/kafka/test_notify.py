"""Notifications on a real broker: keyed, with their headers, and never in a topic of Watchkeeper's own."""

from __future__ import annotations

import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from alerts.destination import kafka as destination
from alerts.destination.message import Rejected
from alerts.exchange import Exchange
from core.episode import Delivery
from ingest.kafka.connection import Connection
from ingest.kafka.notify import NotificationProducer
from tests.services.fixture import KafkaAt
from watchkeeper.produce import produce

BODY = '{"type": "episode.fired", "timestamp": "2013-07-03T00:00:00Z", "data": {"model": "späte Flüge"}}'


def test_a_notification_is_a_record_of_the_topic(kafka: KafkaAt, kafka_prefix: str) -> None:
    """Body, key and attributes arrive; a topic of ours is refused for good."""
    topic = f"{kafka_prefix}alerts"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(topic, 1)])[topic].result(300)
    producer = NotificationProducer(Connection(bootstrap=kafka.bootstrap, prefix=kafka_prefix), 300)
    wire = Exchange(produce=produce(producer))
    delivery = Delivery(id="msg_1", destination="d", episode="ep_1", type="episode.fired", body=BODY, created=0, due=0)
    try:
        assert destination.send(wire, destination.render({"topic": topic}, delivery, 0)).status == 200
        for own in ("predictions", "ticks"):
            with pytest.raises(Rejected):
                destination.send(wire, destination.render({"topic": f"{kafka_prefix}{own}"}, delivery, 0))
    finally:
        producer.close()
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": f"{kafka_prefix}reader", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    record = consumer.poll(120)
    consumer.close()
    assert record is not None
    assert (record.error(), record.key(), record.value()) == (None, b"ep_1", BODY.encode())
    headers = dict(record.headers() or ())
    assert (headers["ce_id"], headers["ce_subject"], headers["ce_partitionkey"]) == (b"msg_1", b"sp%C3%A4te%20Fl%C3%BCge", b"ep_1")
