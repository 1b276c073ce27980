"""`watchkeeper delete`: monitors, budgets, destinations, the policy, hooks and models."""

from __future__ import annotations

from typing import Annotated

import typer

from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson
from watchkeeper.client import Client

_KINDS = ("monitor", "budget", "destination", "policy", "hook", "model")


def delete(
    kind: Annotated[str, typer.Argument(help="monitor, budget, destination, policy, hook or model.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    model: Annotated[str | None, typer.Option(help="Of a monitor: its model, if several have a monitor of that name.")] = None,
    purge: Annotated[
        bool, typer.Option("--purge", help="Of a model: also remove its events and everything that was made of them.")
    ] = False,
    url: Url = None,
    json: AsJson = False,
) -> None:
    """Delete what was defined. Open episodes end; readings, episodes, definitions and the audit stay, and so do a model's events without --purge.

    Example: `watchkeeper delete monitor fare-drift --model taxi-fare`
    """
    if kind not in _KINDS:
        raise ConfigError(f"there is no kind {kind!r} of things to delete", remedy="write one of " + ", ".join(_KINDS))
    if purge and kind != "model":
        raise ConfigError(f"`--purge` is not for a {kind}", remedy="leave it out")
    if model is not None and kind != "monitor":
        raise ConfigError(f"`--model` is not for a {kind}", remedy="leave it out")
    with connect(url) as client:
        match kind:
            case "monitor":
                answer = client.delete_monitor(model or _model_of(client, name), name)
            case "budget":
                answer = client.delete_budget(name)
            case "destination":
                answer = client.delete_destination(name)
            case "policy":
                answer = client.delete_policy(name)
            case "hook":
                answer = client.delete_hook(name)
            case _:
                answer = client.delete_model(name, purge=purge)
    if json:
        terminal.as_json(answer)
    else:
        of = f" of {answer['model']}" if kind == "monitor" else ""
        terminal.out.print(f"{kind} {name}{of}: deleted{', and what was kept of it removed' if purge else ''}")


def _model_of(client: Client, name: str) -> str:
    """The model of a monitor, if only one model has a monitor of that name."""
    models = [one["model"] for one in client.monitors() if one["monitor"] == name]
    if len(models) != 1:
        what = f"models {', '.join(models[:10])} have a monitor `{name}`" if models else f"no model has a monitor `{name}`"
        raise ConfigError(what, remedy="name its model: --model MODEL" if models else "`GET /v1/monitors` lists them")
    return str(models[0])
