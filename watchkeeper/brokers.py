"""The connection to the brokers of the settings."""

from __future__ import annotations

from core import moment
from core.error import ConfigError
from ingest.kafka.connection import Connection
from watchkeeper.settings.settings import Settings


def connection(settings: Settings) -> Connection:
    """The connection. Raises ConfigError if the settings name no brokers."""
    kafka = settings.kafka
    if kafka.bootstrap is None:
        raise ConfigError(
            "kafka.bootstrap is not set: this is a process of a cluster",
            remedy="set WATCHKEEPER_KAFKA__BOOTSTRAP=host:9092, or run everything in one process with `watchkeeper up`",
        )
    return Connection(
        bootstrap=kafka.bootstrap,
        prefix=kafka.prefix,
        group_protocol=kafka.group_protocol,
        instance=kafka.instance,
        session=kafka.session / moment.SECOND,
        options=kafka.options,
    )
