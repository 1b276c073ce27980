"""A file is sent as a stream: over HTTP or to Kafka."""
