"""The engine of a ClickHouse server, over HTTP."""

from __future__ import annotations

import logging
import re
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
# slow, and on a full disk the server would answer nothing and call it success. A statement may hold long lists.
_SETTINGS = {"wait_end_of_query": 1, "buffer_size": 64 << 20, "max_query_size": 1 << 30}
# A replicated insert is done when a majority of replicas has it, and a query sees every insert that is done.
_REPLICATED = {"insert_quorum": "auto", "insert_quorum_parallel": 0, "select_sequential_consistency": 1}
# The server takes no field of a form that is longer than 128 KiB, in bytes; a character has four at most.
_LONGEST = 30_000
_PORTS = {"http": 8123, "https": 8443}
_PARAMETER = re.compile(r"\{(\w+):([^{}]+)\}")

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

    def _bound(self, sql: str, parameters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Write parameters that are too long into the statement itself."""
        long = {name: _literal(value) for name, value in parameters.items() if _length(value) > _LONGEST}
        if not long:
            return sql, parameters
        written = _PARAMETER.sub(lambda match: f"CAST({long[match[1]]}, '{match[2]}')" if match[1] in long else match[0], sql)
        return written, {name: value for name, value in parameters.items() if name not in long}


def _address(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path."""
    try:
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname:
            return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], parts.path
    except ValueError:  # a port that is no number
        pass
    raise ConfigError(f"{url!r} is not the address of a ClickHouse server", remedy="write http://HOST:8123 or https://HOST:8443")


def _length(value: Any) -> int:
    """About how many characters a parameter has."""
    if isinstance(value, str):
        return len(value)
    return sum(_length(item) + 3 for item in value) if isinstance(value, list) else 20


def _literal(value: Any) -> str:
    """A value as ClickHouse's SQL writes it."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f"[{','.join(map(_literal, value))}]" if isinstance(value, list) else str(value)
