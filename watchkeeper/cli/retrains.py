"""`watchkeeper retrain` and `watchkeeper retrains`: to ask for a retraining, to see what was asked for, and to decide."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson

retrains = typer.Typer()
Id = Annotated[str, typer.Argument(help="The id of a request.")]
Comment = Annotated[str, typer.Option("--comment", help="Why.")]


def retrain(
    model: Annotated[str, typer.Argument(help="The model.")],
    hook: Annotated[str | None, typer.Option("--hook", help="The hook, if the model has several.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays with the request.")] = "",
    url: Url = None,
    json: AsJson = False,
) -> None:
    """Ask for a retraining of a model by its hook. If a request is open, this joins it.

    Example: `watchkeeper retrain flight-delay --reason "new airports"`
    """
    with connect(url) as client:
        found = client.retrain(hook or _hook(client.hooks(model), model), reason)
    _print(found, as_json=json)


@retrains.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    model: Annotated[str | None, typer.Option("--model", help="Of this model only.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="In this state only, or in several with commas.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 50,
    url: Url = None,
    json: AsJson = False,
) -> None:
    """List requests for retraining, the newest first.

    Example: `watchkeeper retrains --state awaiting_approval`
    """
    if context.invoked_subcommand is not None:
        return
    with connect(url) as client:
        found = client.retrains(model=model, state=state, limit=limit)
    if json:
        terminal.as_json(found)
    else:
        columns = ("id", "model", "hook", "state", "version", "created")
        terminal.table((*columns, "last"), [[*(one[name] for name in columns), one["history"][-1]["reason"]] for one in found])


@retrains.command()
def approve(name: Id, comment: Comment = "", url: Url = None, json: AsJson = False) -> None:
    """Approve a request, so that its target is asked once all conditions hold.

    Example: `watchkeeper retrains approve rt_0123`
    """
    _decide(name, "approve", comment, url, as_json=json)


@retrains.command()
def cancel(name: Id, comment: Comment = "", url: Url = None, json: AsJson = False) -> None:
    """Cancel a request. A run that its target has begun goes on there.

    Example: `watchkeeper retrains cancel rt_0123 --comment "wrong data"`
    """
    _decide(name, "cancel", comment, url, as_json=json)


def _decide(name: str, action: str, comment: str, url: str | None, *, as_json: bool) -> None:
    with connect(url) as client:
        found = client.decide_retrain(name, action, comment)
    _print(found, as_json=as_json)


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.as_json(found)
    else:
        terminal.out.print(f"{found['id']} of {found['model']}: {found['state']}, {found['history'][-1]['reason']}")


def _hook(hooks: list[dict[str, Any]], model: str) -> str:
    """The hook of a model that has one only."""
    if len(hooks) != 1:
        names = ", ".join(str(one["hook"]) for one in hooks)
        problem = f"`{model}` has the hooks {names}" if hooks else f"no hook asks for a retraining of `{model}`"
        raise ConfigError(problem, remedy="name one: --hook NAME" if hooks else "apply a definition `- hook: NAME`")
    return str(hooks[0]["hook"])
