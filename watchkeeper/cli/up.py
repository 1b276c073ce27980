"""`watchkeeper up`: the whole in one process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.importing import importing
from watchkeeper.settings import settings as source

ConfigFile = Annotated[Path | None, typer.Option("--config", exists=True, dir_okay=False, help="Settings, YAML or TOML.")]


def up(
    data: Annotated[
        Path | None, typer.Option(file_okay=False, help="The data folder. [default: watchkeeper-data]", show_default=False)
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on. [default: 127.0.0.1]", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on. [default: 8650]", show_default=False)] = None,
    config: ConfigFile = None,
) -> None:
    """Run everything in one process: HTTP, ingest, evaluation, alerts, delivery and pages, on files in one folder.

    Example: `watchkeeper up --data ./data --port 8650`
    """
    settings = source.load(config, data=data, host=host, port=port)
    with importing():
        from watchkeeper import embedded

    embedded.run(settings)
