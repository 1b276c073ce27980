"""`watchkeeper doctor`: is this machine ready, is the server well?"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from core.error import ConfigError
from watchkeeper import settings as source
from watchkeeper.cli import terminal
from watchkeeper.cli.terminal import AsJson
from watchkeeper.cli.up import ConfigFile
from watchkeeper.client import Client, ClientError

_NEEDED = ("chdb", "clickhouse-connect", "sqlalchemy", "fastapi", "dash", "pyarrow", "numpy", "scipy")
_ROOM = 2 * 2**30  # bytes free


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, what was seen, and what to do if not."""

    name: str
    well: bool
    seen: str
    remedy: str = ""


def doctor(
    data: Annotated[
        Path | None, typer.Option(file_okay=False, help="The data folder. [default: watchkeeper-data]", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: AsJson = False,
) -> None:
    """Look at Python, the libraries, the settings, the data folder and the server, and say what to do where something is wrong.

    Example: `watchkeeper doctor --data ./data`
    """
    findings = list(_look(data, config))
    if json:
        terminal.as_json({"items": [asdict(finding) for finding in findings]})
    else:
        terminal.table(
            ("", "", ""),
            [("ok" if it.well else "NOT WELL", it.name, it.seen + (f": {it.remedy}" if not it.well else "")) for it in findings],
        )
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def _look(data: Path | None, config: Path | None) -> Iterator[Finding]:
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0], "install Python 3.11 or later")
    for name in _NEEDED:
        yield _library(name)
    try:
        settings = source.load(config, data=data)
    except ConfigError as error:
        yield Finding("settings", well=False, seen=error.message, remedy=error.remedy)
        return
    yield Finding("settings", well=True, seen="valid")
    yield _folder(settings.data)
    yield _server(settings)


def _library(name: str) -> Finding:
    try:
        return Finding(name, well=True, seen=importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, well=False, seen="not installed", remedy="pip install 'watchkeeper[server]'")


def _folder(data: Path) -> Finding:
    there = next(path for path in (data.absolute(), *data.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK):
        return Finding(
            "data", well=False, seen=f"{there} cannot be written", remedy="give another folder with --data, or its rights to this user"
        )
    free = shutil.disk_usage(there).free
    return Finding("data", free >= _ROOM, f"{data}, {free / 2**30:.1f} GiB free", "make room: merges need some")


def _server(settings: source.Settings) -> Finding:
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
    problems = status.get("problems") or []
    return Finding("server", not problems, f"running, {'quiet' if status.get('quiet') else 'busy'}", "; ".join(map(str, problems)))
