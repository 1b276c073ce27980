"""The process types of a cluster: `ingest`, `evaluate`, `deliver` and `serve`, on Kafka, ClickHouse and PostgreSQL."""
