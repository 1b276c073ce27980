"""`watchkeeper migrate`: bring the stores to the newest schema."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from watchkeeper import settings as source
from watchkeeper.cli import terminal
from watchkeeper.cli.up import ConfigFile


def migrate(
    data: Annotated[
        Path | None, typer.Option(file_okay=False, help="The data folder. [default: watchkeeper-data]", show_default=False)
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Bring the stores in the data folder to the newest schema. `watchkeeper up` does the same when it starts.

    Example: `watchkeeper migrate --data ./data`
    """
    settings = source.load(config, data=data)
    from core.clock import SystemClock
    from storage.control.store import ControlStore
    from storage.facts import migration
    from storage.facts.engine import Engine

    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(Engine(settings.data / "facts")) as engine:
        migration.migrate(engine)
    with closing(ControlStore(f"sqlite:///{settings.data / 'control.sqlite'}", SystemClock())) as control:
        control.migrate()
    terminal.out.print(f"{settings.data}: at the newest schema")
