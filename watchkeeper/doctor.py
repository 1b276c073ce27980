"""The checks of `watchkeeper doctor`: the machine, and the servers that the settings name."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from core import moment
from core.error import ConfigError, Retryable, WatchkeeperError
from core.finding import Finding
from watchkeeper.client import Client, ClientError
from watchkeeper.settings import settings as source
from watchkeeper.settings.settings import Settings

if TYPE_CHECKING:  # modules that may not be installed are imported where they are used
    from storage.control.store import ControlStore

_NEEDED = ("chdb", "clickhouse-connect", "sqlalchemy", "fastapi", "dash", "pyarrow", "numpy", "scipy")
_CLUSTER = ("confluent-kafka", "faust-streaming", "psycopg")
_ROOM = 2 * 2**30  # bytes free
_KINDS = ("serve", "ingest", "evaluate", "deliver")
_GONE = 30 * moment.SECOND  # a process renews its heartbeat every few seconds


def examine(data: Path | None, config: Path | None) -> Iterator[Finding]:
    """Python, libraries, settings, the data folder, each server, the processes, and whether log and facts belong together."""
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0], "install Python 3.11 or later")
    libraries = [_library(name, "server") for name in _NEEDED]
    yield from libraries
    try:
        settings = source.load(config, data=data)
    except ConfigError as error:
        yield Finding("settings", well=False, seen=error.message, remedy=error.remedy)
        return
    yield Finding("settings", well=True, seen="valid")
    if settings.kafka.bootstrap is None:
        yield _folder(settings.data)
    else:
        libraries += (clients := [_library(name, "cluster") for name in _CLUSTER])
        yield from clients
    if all(found.well for found in libraries):
        yield from servers(settings)
    yield _server(settings)


def servers(settings: Settings) -> Iterator[Finding]:
    """Each server that the settings name; if all are well, whether the offsets of the log and the facts belong together."""
    found = [*_kafka(settings), *_clickhouse(settings), *_postgres(settings)]
    yield from found
    if settings.kafka.bootstrap and all(one.well for one in found if one.name.split()[0] in {"kafka", "clickhouse", "topic"}):
        yield from _places(settings)


def _library(name: str, extra: str) -> Finding:
    try:
        return Finding(name, well=True, seen=importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, well=False, seen="not installed", remedy=f"pip install 'watchkeeper[{extra}]'")


def _folder(data: Path) -> Finding:
    there = next(path for path in (data.absolute(), *data.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK):
        return Finding(
            "data", well=False, seen=f"{there} cannot be written", remedy="give another folder with --data, or its rights to this user"
        )
    free = shutil.disk_usage(there).free
    return Finding("data", free >= _ROOM, f"{data}, {free / 2**30:.1f} GiB free", "make room: merges need some")


def _kafka(settings: Settings) -> Iterator[Finding]:
    if settings.kafka.bootstrap is not None:
        from ingest.kafka.diagnosis import diagnose
        from watchkeeper.brokers import connection

        yield from diagnose(connection(settings), settings.kafka.partitions, settings.kafka.replication)


def _clickhouse(settings: Settings) -> Iterator[Finding]:
    server = settings.clickhouse
    if (url := server.url) is not None:
        from storage.facts.diagnosis import diagnose
        from storage.facts.http import Http

        yield from diagnose(lambda: Http(url, server.user, server.secret or "", "system"), server.database, server.cluster)


def _postgres(settings: Settings) -> Iterator[Finding]:
    if settings.control.url is not None:
        from storage.control.diagnosis import diagnose
        from storage.control.store import ControlStore

        with closing(ControlStore(settings.control.url, password=settings.control.secret)) as store:
            found = list(diagnose(store))
            yield from found
            if all(one.well for one in found):
                yield from processes(store, time.time_ns() // 1_000)


def processes(store: ControlStore, now: int) -> Iterator[Finding]:
    """The processes with a recent heartbeat, with their problems, and the process types that are missing."""
    living = [document for document in store.cursors("process:").values() if now - document["at"] <= _GONE]
    for document in living:
        problems = document["problems"]
        yield Finding(
            f"{document['kind']} at {document['where']}", not problems, "; ".join(problems) or "well", "see its log" if problems else ""
        )
    for kind in [kind for kind in _KINDS if not any(document["kind"] == kind for document in living)]:
        yield Finding(
            kind, well=True, seen=f"none has given a sign of life for {_GONE // moment.SECOND} s; `watchkeeper {kind}` starts one"
        )


def _places(settings: Settings) -> Iterator[Finding]:
    """Whether the group's offsets are where the facts end. The log is asked first, because facts are written before the offset is committed."""
    from ingest.kafka.ends import Ends
    from storage.facts.diagnosis import reached
    from storage.facts.http import Http
    from watchkeeper.brokers import connection

    server = settings.clickhouse
    assert server.url is not None  # noqa: S101  # the settings see to it
    try:
        with closing(Ends(connection(settings))) as ends:
            standing = ends.per_partition()
        with closing(Http(server.url, server.user, server.secret or "", server.database)) as engine:
            held = reached(engine)
    except WatchkeeperError as error:
        yield Finding("offsets", well=False, seen=str(error), remedy="ask again" if isinstance(error, Retryable) else "see above")
        return
    wrong = {}
    for (topic, partition), at in standing.items():
        last = held.get((topic, partition), -1)
        where = f"{topic} {partition}"
        if last >= at.end:
            wrong[f"{where} ends at {at.end}, and there are facts up to {last}"] = "the topic was created again"
        elif not at.begun and at.next <= last:
            wrong[f"{where} would be read from {at.next}, and there are facts up to {last}"] = "the group has lost its offsets"
        elif not at.begun and at.next > last + 1:
            wrong[f"{where} is read up to {at.next - 1}, and the facts end at {last}"] = "the facts are older than the group's offset"
    reasons = ", or ".join(dict.fromkeys(wrong.values()))
    yield Finding(
        "offsets", not wrong, "; ".join(wrong) or "the log's and the facts' agree", f"{reasons}: docs/operations.md says what to do"
    )


def _server(settings: Settings) -> Finding:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        if probe.connect_ex(("127.0.0.1", settings.port)) != 0:
            return Finding("server", well=True, seen=f"not running, port {settings.port} is free")
    try:
        with Client(settings.url, settings.secret, patience=0.0) as client:
            status = client.status()
    except (ClientError, ValueError) as error:
        return Finding(
            "server", well=False, seen=str(error), remedy=f"something else listens on port {settings.port}? choose another with --port"
        )
    problems, seen = status.get("problems") or [], f"running, {'quiet' if status.get('quiet') else 'busy'}"
    return Finding("server", not problems, "; ".join([seen, *map(str, status.get("advice") or [])]), "; ".join(map(str, problems)))
