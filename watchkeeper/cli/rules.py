"""`watchkeeper rules test`: unit tests of rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.cli import terminal
from watchkeeper.cli.apply import text_of
from watchkeeper.cli.terminal import AsJson

app = typer.Typer(help="Rules as code.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Rules as code: tests of when monitors open and end episodes."""


@app.command("test")
def run(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Tests, YAML.")],
    json: AsJson = False,
) -> None:
    """Play series of values through the rules of monitors, and compare the open episodes with those expected. Asks no server; ends with 1 if a test fails.

    Example: `watchkeeper rules test rules_test.yaml`
    """
    from watchkeeper import rule_test  # with it come all measures, which other commands can do without

    found = [(file, one) for file in files for one in rule_test.run(text_of(file), file.parent)]
    if json:
        terminal.as_json(
            {"items": [{"file": str(file), "test": one.name, "ok": not one.faults, "faults": list(one.faults)} for file, one in found]}
        )
    else:
        for file, one in found:
            terminal.out.print(f"{'FAILED' if one.faults else 'ok'}  {file}: {one.name}", markup=False)
            for fault in one.faults:
                terminal.out.print(f"        {fault}", markup=False)
    if any(one.faults for _, one in found):
        raise typer.Exit(1)
