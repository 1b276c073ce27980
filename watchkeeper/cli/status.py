"""`watchkeeper status`: how the server is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from watchkeeper.cli import terminal
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson


def status(url: Url = None, json: AsJson = False) -> None:
    """Say whether the stream is quiet, how far ingest and evaluation are, and what is wrong.

    Example: `watchkeeper status --json`
    """
    with connect(url, patience=1.0) as client:
        answer = client.status()
    if json:
        terminal.as_json(answer)
        return
    processes = {"processes": ", ".join(f"{process['kind']} at {process['where']}" for process in answer.get("processes") or [])}
    terminal.table(
        ("", ""), _flat({key: value for key, value in (answer | processes).items() if key not in {"problems", "advice"} and value != ""})
    )
    for problem in answer.get("problems") or []:
        terminal.warn(str(problem))
    for one in answer.get("advice") or []:
        terminal.out.print(str(one))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield (
                f"{prefix}{key}",
                {True: "yes", False: "no", None: "-"}.get(value, value) if value is None or isinstance(value, bool) else value,
            )
