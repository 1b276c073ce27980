"""`watchkeeper noise`: what the episodes of each monitor were worth."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from core.noise import advice
from watchkeeper.cli import terminal
from watchkeeper.cli.backtest import utc
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson

_COLUMNS = ("monitor", "model", "fired", "open", "told", "acknowledged", "useful", "noise", "brief", "notices")


def noise(
    model: Annotated[str | None, typer.Option(help="Of this model only.")] = None,
    monitor: Annotated[str | None, typer.Option(help="Of this monitor only.")] = None,
    start: Annotated[datetime | None, typer.Option("--from", help="Episodes that fired then or later, event time, UTC.")] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="Episodes that fired before.")] = None,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Look for a change of each monitor that a back-test supports; takes seconds each.")
    ] = False,
    url: Url = None,
    json: AsJson = False,
) -> None:
    """List how many episodes each monitor opened, what people thought of them, and how many notices they cost. `brief` ones cleared within one window.

    Example: `watchkeeper noise --model flight-delay --from 2024-01-01 --suggest`
    """
    with connect(url) as client, terminal.progress() as shown:
        found: list[dict[str, Any]] = client.noise(model=model, monitor=monitor, start=utc(start), end=utc(end))
        for one in shown.track(found, description="suggestions") if suggest else ():
            of = {"model": one["model"], "monitor": one["monitor"]}
            one["suggestion"] = client.noise(**of, start=utc(start), end=utc(end), suggest="true")[0]["suggestion"]
    if json:
        terminal.as_json({"items": found})
        return
    terminal.table(_COLUMNS, [[one[name] for name in _COLUMNS] for one in found])
    for one in found if suggest else ():
        terminal.say(f"{one['monitor']} of {one['model']}: {advice(one['suggestion'])}")
