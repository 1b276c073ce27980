"""`watchkeeper backtest`: what the monitors of a file would have raised."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.apply import text_of
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson

_COLUMNS = ("monitor", "windows", "readings", "alarm windows", "expected by chance", "episodes")


def backtest(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Definitions, YAML; its monitors are tried.")],
    start: Annotated[datetime | None, typer.Option("--from", help="Windows that begin then or later, UTC.")] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="Windows that begin before.")] = None,
    url: Url = None,
    json: AsJson = False,
) -> None:
    """Say how often the monitors of a file would have alarmed over the events that are there. Nothing is written.

    Example: `watchkeeper backtest monitors.yaml --from 2024-01-01`
    """
    from monitors.definition.document import Faults, bare, entries  # with them come numpy and measures
    from monitors.definition.field import version

    faults = Faults()
    written = [one for one in entries(text_of(file), faults) if one.kind == "monitor"]
    versions = [faults.read(one, "version", version, None) for one in written]  # `1.10` without quotes has lost its text below
    faults.close()
    monitors = [{"monitor": one.name, **bare(one.fields), "version": of} for one, of in zip(written, versions, strict=True)]
    if not monitors:
        raise ConfigError(
            f"{file} defines no monitor", remedy="write for example `- {monitor: drift, model: taxi-fare, measure: drift.psi, warn: 0.1}`"
        )
    found: list[dict[str, Any]] = []
    with connect(url) as client, terminal.progress() as shown:
        task = shown.add_task("monitors", total=len(monitors))
        for monitor in monitors:
            answer = client.backtest(monitor, start=utc(start), end=utc(end))
            found.append({"monitor": monitor["monitor"], "model": monitor.get("model"), **answer})
            shown.advance(task)
    if json:
        terminal.as_json({"items": found})
        return
    terminal.table(_COLUMNS, [_row(one) for one in found])
    for one in found:
        for episode in one["episodes"]:
            terminal.say(
                f"{one['monitor']}: {episode['level']} from {episode['fired_at']} to {episode['ended_at'] or 'now'}: {episode['reason']}"
            )


def _row(one: dict[str, Any]) -> list[object]:
    expected = one["expected_false_alarm_windows"]
    counts = [one[name] for name in ("windows", "readings", "alarm_windows")]
    return [one["monitor"], *counts, "-" if expected is None else f"{expected:.2g}", len(one["episodes"])]


def utc(time: datetime | None) -> str | None:
    """A time of the command line as the API takes it."""
    return None if time is None else f"{time.isoformat()}Z"
