"""`watchkeeper config show`: the settings as they are."""

from __future__ import annotations

import typer
import yaml

from watchkeeper.cli import terminal
from watchkeeper.cli.terminal import AsJson
from watchkeeper.cli.up import ConfigFile
from watchkeeper.settings import settings as source

app = typer.Typer(help="The settings.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Settings: defaults, then a file, then `WATCHKEEPER_*` in the environment."""


@app.command()
def show(config: ConfigFile = None, json: AsJson = False) -> None:
    """Print every setting, from file and environment, secrets redacted.

    Example: `WATCHKEEPER_PORT=9000 watchkeeper config show`
    """
    shown = source.load(config).shown()
    if json:
        terminal.as_json(shown)
    else:
        terminal.out.print(yaml.safe_dump(shown, sort_keys=False), end="")
