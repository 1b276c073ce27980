"""Reads topics back, from their beginning to their end."""

from __future__ import annotations

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition


def everything(bootstrap: str, topic: str) -> list[Message]:
    """All messages of a topic, partition after partition, each in its order."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reading", "enable.auto.commit": False, "enable.partition.eof": True, "log_level": 0}
    )
    try:
        partitions = [TopicPartition(topic, part, 0) for part in consumer.list_topics(topic, timeout=120).topics[topic].partitions]
        consumer.assign(partitions)
        found, open_ = [], len(partitions)
        while open_:
            message = consumer.poll(10)
            assert message is not None, "the broker is silent"
            if (error := message.error()) is None:
                found.append(message)
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                open_ -= 1
        return sorted(found, key=lambda message: (message.partition(), message.offset()))
    finally:
        consumer.close()
