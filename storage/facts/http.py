"""The engine of a ClickHouse server, over HTTP."""

from __future__ import annotations

import logging
from typing import Any, cast
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.binding import quote_identifier
from clickhouse_connect.driver.httpclient import HttpClient
from clickhouse_connect.driver.httputil import get_pool_manager

from core.error import ConfigError
from storage.facts.engine import DATABASE, Engine
from storage.facts.fault import translated

# The server buffers an answer until it is whole, so that an error in the middle becomes an error. It buffers in memory as far as possible: a file is
# slow, and on a full disk the server would answer nothing and call it success.
_SETTINGS = {"wait_end_of_query": 1, "buffer_size": 64 << 20}
# A replicated insert is done when a majority of replicas has it, and a query sees every insert that is done.
_REPLICATED = {"insert_quorum": "auto", "insert_quorum_parallel": 0, "select_sequential_consistency": 1}
_PORTS = {"http": 8123, "https": 8443}

logging.getLogger("clickhouse_connect").setLevel(logging.ERROR)  # it logs a warning for each error that it raises


class Http(Engine):
    """A ClickHouse server at `url` (http or https), shared by all threads; the database is made if it is not there.

    With `cluster`, tables are replicated over the replicas of that cluster's one shard. Raises Retryable if the server does not answer, and
    Fatal if it does not take the account.
    """

    def __init__(self, url: str, user: str = "default", password: str = "", database: str = DATABASE, cluster: str | None = None) -> None:
        scheme, host, port, path = _address(url)
        super().__init__(f"ClickHouse at {scheme}://{host}:{port}", database, cluster)
        with translated(self.where):
            client = clickhouse_connect.get_client(
                interface=scheme,
                host=host,
                port=port,
                username=user,
                password=password,
                proxy_path=path.strip("/"),
                settings={**self.SETTINGS, **_SETTINGS, **(_REPLICATED if cluster else {})},
                pool_mgr=get_pool_manager(maxsize=64),
                autogenerate_session_id=False,
                compress="lz4",
                connect_timeout=5,
                send_receive_timeout=120,
                client_name="watchkeeper",
            )
        self._connected = cast("HttpClient", client)
        self._connected.http_retries = 0  # the caller tries again; urllib3's retries would write the whole query into the log
        if not self.query("SELECT 1 FROM system.databases WHERE name = {name:String}", {"name": database}).num_rows:
            self.define(f"CREATE DATABASE IF NOT EXISTS {quote_identifier(database)} ENGINE = Atomic")
        self._connected.database = database

    def close(self) -> None:
        """Close the connections."""
        self._connected.close_connections()

    def _client(self) -> Any:
        return self._connected


def _address(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path."""
    try:
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname:
            return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], parts.path
    except ValueError:  # a port that is no number
        pass
    raise ConfigError(f"{url!r} is not the address of a ClickHouse server", remedy="write http://HOST:8123 or https://HOST:8443")
