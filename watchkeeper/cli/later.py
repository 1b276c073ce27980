"""Commands that are planned and not built yet, which are refused by name."""

from __future__ import annotations

import typer

from watchkeeper.cli import terminal

COMMANDS = {
    "export": "Write readings or events to a file.",
}
ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True}


def refuse(context: typer.Context) -> None:
    """Say that the command is not available yet."""
    terminal.error(f"`watchkeeper {context.info_name}` is not available yet", "`watchkeeper up` runs the whole in one process")
    raise typer.Exit(1)
