"""`watchkeeper rebuild`: the panes of a model are made again from its raw events."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from watchkeeper.cli import terminal
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson
from watchkeeper.client import Client

_EVERY = 0.5  # seconds between two requests


def rebuild(
    model: Annotated[str, typer.Argument(help="The model.")],
    url: Url = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Return when it is done; Ctrl-C ends the waiting only.")] = True,
    json: AsJson = False,
) -> None:
    """Make all panes of a model again from raw events, while events keep coming. Panes of an earlier version may lack sums that measures need now.

    Only readings whose results differ change. A rebuild that is interrupted goes on where it was. A second request while it runs changes nothing.

    Example: `watchkeeper rebuild taxi-fare`
    """
    with connect(url) as client:
        found = client.rebuild(model)
        if wait:
            found = _awaited(client, model)
    if json:
        terminal.as_json(found)
    else:
        terminal.table(("model", "state", "slots made again", "of"), [[model, found["state"], found["done"], found["slots"]]])


def _awaited(client: Client, model: str) -> dict[str, Any]:
    """Wait for the end of the rebuild, and show its progress. Returns its last state."""
    with terminal.progress() as shown:
        task = shown.add_task(f"panes of {model}", total=None)
        while (found := client.rebuilding(model))["state"] in {"waiting", "running"}:
            shown.update(task, total=found["slots"] or None, completed=found["done"])
            time.sleep(_EVERY)
    return found
