"""`watchkeeper doctor`: is this machine ready, are the servers well?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.cli import terminal
from watchkeeper.cli.terminal import AsJson
from watchkeeper.cli.up import ConfigFile


def doctor(
    data: Annotated[
        Path | None, typer.Option(file_okay=False, help="The data folder. [default: watchkeeper-data]", show_default=False)
    ] = None,
    config: ConfigFile = None,
    json: AsJson = False,
) -> None:
    """Check Python, the libraries, the settings, the data folder and every server, and say what to do if something is wrong.

    Example: `watchkeeper doctor --data ./data`
    """
    from watchkeeper.doctor import examine

    findings = list(examine(data, config))
    if json:
        terminal.as_json({"items": [asdict(finding) for finding in findings]})
    else:
        rows = [(it.name, it.seen if it.well or not it.remedy else f"{it.seen}: {it.remedy}") for it in findings]
        terminal.table(("", "", ""), [("ok" if it.well else "NOT WELL", *row) for it, row in zip(findings, rows, strict=True)])
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)
