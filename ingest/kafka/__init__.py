"""Kafka as the log. Only this package imports confluent-kafka."""
