"""Real Kafka, ClickHouse and PostgreSQL without containers, for tests and development. Imports nothing of ours."""
