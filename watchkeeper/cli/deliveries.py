"""`watchkeeper deliveries` and `watchkeeper destination`: what became of notifications, sending them again, and tests."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson

deliveries = typer.Typer(help="What became of notifications, and sending them again.", no_args_is_help=True)
destination = typer.Typer(help="Tests of destinations.", no_args_is_help=True)
_EVERY, _PATIENCE = 0.25, 30.0  # seconds between two looks at a test, and until it is no more waited for

To = Annotated[str | None, typer.Option("--destination", help="Of this destination only.")]


@deliveries.command("list")
def listed(
    state: Annotated[str | None, typer.Option(help="pending, delivered, dead or not_sent.")] = None,
    to: To = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 50,
    url: Url = None,
    json: AsJson = False,
) -> None:
    """List notifications, the newest first.

    Example: `watchkeeper deliveries list --state dead`
    """
    with connect(url) as client:
        found = client.deliveries(state=state, destination=to, limit=limit)
    if json:
        terminal.as_json(found)
    else:
        columns = ("id", "destination", "type", "state", "attempts", "reason")
        terminal.table(columns, [[one[name] for name in columns] for one in found["items"]])


@deliveries.command()
def replay(
    delivery: Annotated[str | None, typer.Argument(help="The id of a notification.")] = None,
    dead: Annotated[
        bool, typer.Option("--dead", help="All that were given up, but those of which the receiver has taken something later.")
    ] = False,
    to: To = None,
    url: Url = None,
    json: AsJson = False,
) -> None:
    """Send a notification again, under the same id; or all that were given up.

    Example: `watchkeeper deliveries replay --dead --destination oncall`
    """
    if (delivery is None) is not dead or (to is not None and not dead):
        raise ConfigError(
            "name one notification, or write --dead", remedy="`watchkeeper deliveries list --state dead` lists what was given up"
        )
    with connect(url) as client:
        answer = client.replay_dead(to) if delivery is None else client.replay_delivery(delivery)
    if json:
        terminal.as_json(answer)
    else:
        terminal.out.print(f"{answer['replayed']} are sent again" if delivery is None else f"{delivery} is sent again")


@destination.command("test")
def check(name: Annotated[str, typer.Argument(help="The destination.")], url: Url = None, json: AsJson = False) -> None:
    """Send a test to a destination and say what became of it. Exits with 1 if it has not arrived within 30 s.

    Example: `watchkeeper destination test oncall`
    """
    with connect(url) as client:
        found: dict[str, Any] = client.check_destination(name)
        ends = time.monotonic() + _PATIENCE
        while found["state"] == "pending" and found["attempts"] == 0 and time.monotonic() < ends:
            time.sleep(_EVERY)
            found = client.delivery(found["id"])
    if json:
        terminal.as_json(found)
    elif found["state"] == "delivered":
        terminal.out.print(f"{name} has taken the test ({found['last_status']})")
    else:
        terminal.error(
            f"{name} has not taken the test: {found['reason'] or 'no process has sent it yet'}", "look at `watchkeeper deliveries list`"
        )
    if found["state"] != "delivered":
        raise typer.Exit(1)
