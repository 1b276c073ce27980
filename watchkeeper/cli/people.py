"""`watchkeeper episode` and `watchkeeper silence`: what people do about episodes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from core import duration, moment
from core.clock import SystemClock
from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson

episode = typer.Typer(help="List episodes, and act on one.", no_args_is_help=True)
silence = typer.Typer(help="Silence episodes for a time.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The episode's id.")]
Comment = Annotated[str, typer.Option("--comment", help="What you know.")]


@episode.command("list")
def list_(
    state: Annotated[str, typer.Option(help="open, closed or all.")] = "open",
    model: Annotated[str | None, typer.Option(help="Of this model.")] = None,
    url: Url = None,
    json: AsJson = False,
) -> None:
    """List episodes, the last fired first, and why those that were not told were not.

    Example: `watchkeeper episode list --model taxi-fare`
    """
    if state not in {"open", "closed", "all"}:
        raise ConfigError(f"there is no state {state!r}", remedy="write open, closed or all")
    with connect(url) as client:
        found = client.episodes(state=None if state == "all" else state, model=model)
        items = list(found)
    if json:
        terminal.as_json({"items": items})
        return
    columns = ("id", "model", "monitor", "column", "segment", "severity", "level", "state", "acknowledged_by", "suppressed")
    terminal.table(columns, [[item.get(name) or "-" for name in columns] for item in items])


@episode.command()
def acknowledge(id_: Id, comment: Comment = "", url: Url = None, json: AsJson = False) -> None:
    """Say that you look after it: it is not escalated any more, and its group is not repeated once all of it is acknowledged.

    Example: `watchkeeper episode acknowledge ep_1 --comment "looking"`
    """
    _act(url, id_, "acknowledge", json=json, comment=comment)


@episode.command()
def assign(
    id_: Id, to: Annotated[str, typer.Option("--to", help="The person.")], comment: Comment = "", url: Url = None, json: AsJson = False
) -> None:
    """Assign it to somebody.

    Example: `watchkeeper episode assign ep_1 --to ada`
    """
    _act(url, id_, "assign", json=json, to=to, comment=comment)


@episode.command()
def comment(id_: Id, text: Annotated[str, typer.Argument(help="What you know.")], url: Url = None, json: AsJson = False) -> None:
    """Comment on it.

    Example: `watchkeeper episode comment ep_1 "the feed was down"`
    """
    _act(url, id_, "comment", json=json, comment=text)


@episode.command()
def snooze(
    id_: Id,
    length: Annotated[str, typer.Option("--for", help="How long, such as 2h.")],
    comment: Comment = "",
    url: Url = None,
    json: AsJson = False,
) -> None:
    """Do not tell of it for some time.

    Example: `watchkeeper episode snooze ep_1 --for 2h`
    """
    _act(url, id_, "snooze", json=json, until=_after(length), comment=comment)


@episode.command()
def resolve(id_: Id, comment: Comment = "", url: Url = None, json: AsJson = False) -> None:
    """End it by hand. Its rule is judged by later windows alone, and fires again if those breach.

    Example: `watchkeeper episode resolve ep_1 --comment "known outage"`
    """
    _act(url, id_, "resolve", json=json, comment=comment)


@episode.command()
def feedback(
    id_: Id,
    useful: Annotated[bool, typer.Option("--useful/--noise", help="Whether it was useful, or noise.")],
    comment: Comment = "",
    url: Url = None,
    json: AsJson = False,
) -> None:
    """Say whether it was useful.

    Example: `watchkeeper episode feedback ep_1 --noise`
    """
    _act(url, id_, "feedback", json=json, useful=useful, comment=comment)


@silence.command()
def add(
    match: Annotated[
        list[str], typer.Option("--match", help="field=value; several must all hold, the same field twice means one of both.")
    ],
    length: Annotated[str, typer.Option("--for", help="How long, such as 2h.")],
    comment: Comment = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which open episodes it would hold, and change nothing.")] = False,
    url: Url = None,
    json: AsJson = False,
) -> None:
    """Do not tell of episodes that match.

    Example: `watchkeeper silence add --match model=taxi-fare --match family=drift --for 2h --comment deploy`
    """
    fields: dict[str, list[str]] = {}
    for one in match:
        name, equals, value = one.partition("=")
        if not equals or not value:
            raise ConfigError(f"`--match {one}` is no match", remedy="write field=value, such as model=taxi-fare")
        fields.setdefault(name, []).append(value)
    with connect(url) as client:
        found = client.silence(fields, ends_at=_after(length), comment=comment, dry_run=dry_run)
    if json:
        terminal.as_json(found)
        return
    held = found["effect"]["count"]
    said = "would hold" if dry_run else f"{found['silence']['id']} until {found['silence']['ends_at']} holds"
    terminal.out.print(f"{said} {held} open episode{'' if held == 1 else 's'}")
    _advise(found)


@silence.command("list")
def silences(
    all_: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False, url: Url = None, json: AsJson = False
) -> None:
    """List silences.

    Example: `watchkeeper silence list`
    """
    with connect(url) as client:
        items = client.silences(all_=all_)
    if json:
        terminal.as_json({"items": items})
        return
    columns = ("id", "match", "starts_at", "ends_at", "created_by", "comment")
    terminal.table(columns, [[str(item[name]) for name in columns] for item in items])


@silence.command()
def delete(id_: Annotated[str, typer.Argument(help="The silence's id.")], url: Url = None, json: AsJson = False) -> None:
    """Delete a silence; what it held may be told.

    Example: `watchkeeper silence delete si_1`
    """
    with connect(url) as client:
        found = client.delete_silence(id_)
    if json:
        terminal.as_json(found)
    else:
        terminal.out.print(f"silence {id_}: deleted")


def _act(url: str | None, name: str, action: str, *, json: bool, **given: Any) -> None:
    with connect(url) as client:
        found = client.act(name, action, **given)
    if json:
        terminal.as_json(found)
    else:
        terminal.out.print(f"{name}: {action}, {found['state']}")
        _advise(found)


def _advise(found: dict[str, Any]) -> None:
    if advice := found.get("advice"):
        terminal.out.print(advice)


def _after(length: str) -> str:
    """The time after so long, RFC 3339."""
    return datetime.fromtimestamp((SystemClock().now() + duration.parse(length)) // moment.SECOND, UTC).isoformat().replace("+00:00", "Z")
