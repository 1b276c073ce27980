"""Sends a file as a stream, over HTTP or to Kafka."""
