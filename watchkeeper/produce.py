"""Notifications to Kafka: the producer of ingest, as delivery sees it."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.destination.kafka import KEY, TRUST
from alerts.destination.message import Answer, Rejected, Unsent
from alerts.exchange import Produce
from ingest.kafka.notify import NotificationProducer


def produce(producer: NotificationProducer) -> Produce:
    """A function that writes a record, and raises Rejected for a topic of Watchkeeper's own and Unsent if the record was not taken."""

    def send(topic: str, body: str, headers: Mapping[str, str]) -> Answer:
        if topic == TRUST:
            topic = producer.own("trust")
        elif producer.owns(topic):
            raise Rejected(f"the topic {topic} is one of Watchkeeper's own")
        if why := producer.send(topic, body, headers[KEY], headers):
            raise Unsent(why)
        return Answer(200)

    return send
