"""`watchkeeper demo`: a year of flights, two models, one webhook; everything on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TaskID

from watchkeeper import interrupt
from watchkeeper.cli import terminal


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "watchkeeper"


def demo(
    data: Annotated[
        Path | None, typer.Option(file_okay=False, help="The server's folder. [default: a temporary one]", show_default=False)
    ] = None,
    port: Annotated[int, typer.Option(help="The server's port; 0 is a free one.")] = 8650,
    cache: Annotated[
        Path | None, typer.Option(file_okay=False, help="Where the flights are kept. [default: ~/.cache/watchkeeper]", show_default=False)
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Send the last days only. [default: eleven months]", show_default=False)] = None,
    leave: Annotated[bool, typer.Option("--exit", help="Stop when everything is evaluated.")] = False,
) -> None:
    """Show everything on real data: the flights of New York in 2013, with a model of delays at departure and one of delays at arrival.

    Example: `watchkeeper demo --port 9000`
    """
    interrupt.install_handlers()
    try:
        _demo(data, port, cache or _cache(), days, leave=leave)
    except KeyboardInterrupt:
        terminal.say("stopped")


def _demo(data: Path | None, port: int, cache: Path, days: int | None, *, leave: bool) -> None:
    from watchkeeper.demo.run import run

    with terminal.progress() as progress:
        tasks: dict[str, TaskID] = {}

        def advance(model: str, events: int, total: int) -> None:
            if model not in tasks:
                tasks[model] = progress.add_task(f"{model}: sending", total=total)
            progress.advance(tasks[model], events)

        run(data=data, port=port, cache=cache, days=days, leave=leave, say=terminal.say, advance=advance)
