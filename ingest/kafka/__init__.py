"""Kafka as the log: confluent-kafka lives here."""
