"""Translates the errors of ClickHouse and its driver to Retryable or Fatal, with the code's name and the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError, DataError, NotSupportedError, OperationalError, ProgrammingError

from core.error import Fatal, Retryable, WatchkeeperError

# These are Retryable: the server or its keeper is away, is starting or stopping, has too much to do, or does not know whether
# the statement was run (an insert is sent again under its token). Every other code is Fatal, because a person must look.
RETRYABLE = {
    3: "UNEXPECTED_END_OF_FILE",
    23: "CANNOT_READ_FROM_ISTREAM",
    24: "CANNOT_WRITE_TO_OSTREAM",
    32: "ATTEMPT_TO_READ_AFTER_EOF",
    74: "CANNOT_READ_FROM_FILE_DESCRIPTOR",
    75: "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
    76: "CANNOT_OPEN_FILE",
    95: "CANNOT_READ_FROM_SOCKET",
    96: "CANNOT_WRITE_TO_SOCKET",
    159: "TIMEOUT_EXCEEDED",
    160: "TOO_SLOW",
    173: "CANNOT_ALLOCATE_MEMORY",
    198: "DNS_ERROR",
    201: "QUOTA_EXCEEDED",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    203: "NO_FREE_CONNECTION",
    204: "CANNOT_FSYNC",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    216: "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
    225: "NO_ZOOKEEPER",
    234: "NO_REPLICA_HAS_PART",
    235: "DUPLICATE_DATA_PART",
    236: "ABORTED",
    241: "MEMORY_LIMIT_EXCEEDED",
    242: "TABLE_IS_READ_ONLY",
    243: "NOT_ENOUGH_SPACE",
    244: "UNEXPECTED_ZOOKEEPER_ERROR",
    252: "TOO_MANY_PARTS",
    254: "NO_ACTIVE_REPLICAS",
    265: "NO_AVAILABLE_REPLICA",
    279: "ALL_CONNECTION_TRIES_FAILED",
    285: "TOO_FEW_LIVE_REPLICAS",
    286: "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE",
    289: "REPLICA_IS_NOT_IN_QUORUM",
    297: "SHARD_HAS_NO_CONNECTIONS",
    319: "UNKNOWN_STATUS_OF_INSERT",
    341: "UNFINISHED",
    364: "RECEIVED_ERROR_TOO_MANY_REQUESTS",
    369: "ALL_REPLICAS_ARE_STALE",
    384: "PART_IS_TEMPORARILY_LOCKED",
    394: "QUERY_WAS_CANCELLED",
    416: "REPLICA_STATUS_CHANGED",
    425: "SYSTEM_ERROR",
    439: "CANNOT_SCHEDULE_TASK",
    473: "DEADLOCK_AVOIDED",
    499: "S3_ERROR",
    500: "AZURE_BLOB_STORAGE_ERROR",
    517: "CANNOT_ASSIGN_ALTER",
    519: "NO_REMOTE_SHARD_AVAILABLE",
    529: "NOT_A_LEADER",
    667: "NOT_INITIALIZED",
    677: "THREAD_WAS_CANCELED",
    696: "ASYNC_LOAD_CANCELED",
    700: "USER_SESSION_LIMIT_EXCEEDED",
    722: "ASYNC_LOAD_WAIT_FAILED",
    733: "TABLE_IS_BEING_RESTARTED",
    734: "CANNOT_WRITE_AFTER_BUFFER_CANCELED",
    735: "QUERY_WAS_CANCELLED_BY_CLIENT",
    738: "PART_IS_LOCKED",
    745: "SERVER_OVERLOADED",
    749: "TCP_CONNECTION_LIMIT_REACHED",
    762: "HTTP_CONNECTION_LIMIT_REACHED",
    776: "RESOURCE_LIMIT_EXCEEDED",
    777: "MEMORY_RESERVATION_KILLED",
    778: "MEMORY_RESERVATION_FAILED",
    904: "TOO_MANY_UNAVAILABLE_SHARDS",
    999: "KEEPER_EXCEPTION",
    1000: "POCO_EXCEPTION",
    1001: "STD_EXCEPTION",
}

_SCHEMA = "run `watchkeeper migrate`; if the tables were changed by hand, restore them"
_ACCOUNT = "set clickhouse.user and clickhouse.password to an account of that server"
REMEDIES = {
    10: _SCHEMA,
    16: _SCHEMA,
    47: _SCHEMA,
    53: _SCHEMA,
    60: _SCHEMA,
    81: "run `watchkeeper migrate`, or set clickhouse.database to the one that holds the tables",
    164: "give the account a profile that may write",
    192: _ACCOUNT,
    193: _ACCOUNT,
    194: _ACCOUNT,
    195: "let the account connect from this host",
    241: "give the server more memory, or ask for a shorter time",
    243: "free space on the server's disk, or set retention.events",
    246: "restart the server within minutes: it sets the broken part aside, and takes those that were merged into it as long as it keeps them",
    252: "see why merges on the server do not keep up",
    291: "grant the account the rights on the database that docs/operations.md lists",
    497: "grant the account the rights on the database that docs/operations.md lists",
    516: _ACCOUNT,
    701: "set clickhouse.cluster to a cluster of system.clusters",
}

_TEXT = re.compile(r"(?:.*DB::Exception: )?(.*?)(?: \([A-Z][A-Z0-9_]+\))?(?:\.?,? ?\((?:version|for url) .*)?$", re.DOTALL)
# What a proxy in front of the server answers while that is away.
_AWAY = re.compile(r"HTTP status (?:429|50[0234])\b")
# What the driver refuses itself, before it sends anything.
_REFUSED = (ProgrammingError, NotSupportedError, DataError)


class Overtaken(Retryable):
    """Another insert into the same replicated table does not have its quorum yet. The same insert, under the same token, may follow at once."""


_OVERTAKEN = 286


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raise Retryable or Fatal in place of the driver's errors within; `where` names the server in the message."""
    try:
        yield
    except ClickHouseError as error:
        raise of(error, where) from None  # its text may hold a whole statement, lists and all
    except pa.ArrowInvalid as error:  # the server's message is cut off, for example because it failed after it had begun to answer
        raise Retryable(f"{where} did not finish its answer: {_first(str(error))}; see the server's log") from None


def of(error: ClickHouseError, where: str) -> WatchkeeperError:
    """The error of ours for one of the driver's."""
    code: int | None = getattr(error, "code", None)
    if code is None:
        if isinstance(error, _REFUSED):
            return Fatal(f"{where}: {_first(str(error))}")
        if isinstance(error, OperationalError) or _AWAY.search(str(error)):
            return Retryable(f"{where} does not answer: {_root(error)}; see that the server runs and can be reached from here")
        return Fatal(f"{where} does not answer like ClickHouse: {_first(str(error))}; set clickhouse.url to its HTTP port")
    name = getattr(error, "name", None) or RETRYABLE.get(code) or "error"
    said = str(error)[:2_000]
    text = _TEXT.search(said)
    remedy = f"; {REMEDIES[code]}" if code in REMEDIES else ""
    message = f"{where} says {name} ({code}): {_first(text[1] if text else said)}{remedy}"
    if code == _OVERTAKEN:
        return Overtaken(message)
    return Retryable(message) if code in RETRYABLE else Fatal(message)


def _root(error: BaseException) -> str:
    """The innermost cause: `Connection refused` rather than the errors around it."""
    while (inner := getattr(error, "reason", None) or error.__cause__) is not None and isinstance(inner, BaseException):
        error = inner
    return _first(str(error) or type(error).__name__)


def _first(text: str) -> str:
    """The beginning of a text, as long as a log line may be."""
    return " ".join(text.split())[:300]
