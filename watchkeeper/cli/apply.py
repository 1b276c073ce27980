"""`watchkeeper apply`: monitors, destinations and contracts as code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson


def apply(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Definitions, YAML.")],
    url: Url = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Let a declared contract replace one that comes from a reference.")] = False,
    json: AsJson = False,
) -> None:
    """Create or change monitors, destinations and contracts by name. What the file leaves out stays as it is.

    Example: `watchkeeper apply monitors.yaml --dry-run`
    """
    text = text_of(file)
    with connect(url) as client:
        items = client.apply(text, dry_run=dry_run, replace=replace)
    if json:
        terminal.as_json({"items": items})
    else:
        terminal.table(
            ("kind", "model", "name", "result"), [[item.get(key) or "-" for key in ("kind", "model", "name", "result")] for item in items]
        )


def text_of(file: Path) -> str:
    """The text of a file of definitions. Raises ConfigError."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8 at byte {error.start}", remedy="save it as UTF-8") from None
