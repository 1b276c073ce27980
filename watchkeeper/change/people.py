"""The commands of people: what they do about episodes, and silences."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from alerts import retire
from alerts.policy.document import match_from
from alerts.policy.match import matches
from core import moment
from core.clock import SystemClock
from core.document_name import OWNER
from core.episode import Episode
from core.error import ConfigError, Missing
from core.handling import Act
from core.policy import Policy, Silence
from watchkeeper.change.context import Context

ACTIONS = ("acknowledge", "assign", "comment", "snooze", "resolve", "feedback")
_LONGEST = 4_000  # characters of a comment
_AGAIN = moment.MINUTE  # the same act within it is a request that was repeated
_FAR = 366 * moment.DAY
_LISTED = 100  # episodes that an effect names


class ActRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody does about an episode. `until` is in microseconds."""

    episode: str
    action: str
    comment: str = ""
    to: str | None = None
    until: int | None = None
    useful: bool | None = None


class SilenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A silence; without `starts_at` it begins now. `dry_run` only says what it would hold. What is asked for `once`, under one key, is made once, whenever it is asked again."""

    match: dict[str, Any]
    ends_at: int
    starts_at: int | None = None
    comment: str = ""
    dry_run: bool = False
    once: str = ""


class GroupRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The group or digest whose open episodes somebody acknowledges. `dry_run` only says which."""

    group: str
    comment: str = ""
    dry_run: bool = False


class DeleteSilence(msgspec.Struct, frozen=True, kw_only=True):
    """A silence."""

    id: str


def act(context: Context, given: ActRequest) -> Episode:
    """Do something about an episode. Returns the episode after it. The same act again within a minute changes nothing."""
    control, now = context.stores.control, SystemClock().now()
    episode = control.episode(given.episode)
    if episode is None:
        raise Missing(f"there is no episode {given.episode[:100]!r}", remedy="GET /v1/episodes lists them")
    done = Act(
        episode=given.episode,
        at=now,
        actor=context.actor,
        action=given.action,
        comment=given.comment,
        to=given.to if given.action == "assign" else None,
        until=given.until if given.action == "snooze" else None,
        useful=given.useful if given.action == "feedback" else None,
    )
    last = episode.handling.acts[-1] if episode.handling.acts else None
    if last is None or now - last.at > _AGAIN or msgspec.structs.replace(last, at=now) != done:
        _check(given, episode, now)
        if given.action == "resolve":
            _resolve(context, episode, done)
        else:
            control.add_act(done)
    after = control.episode(given.episode)
    return episode if after is None else after


def acknowledge_group(context: Context, given: GroupRequest) -> Mapping[str, Any]:
    """Acknowledge the open episodes of a group or digest that nobody has acknowledged, or only say which they are. Returns them."""
    control, now = context.stores.control, SystemClock().now()
    _comment(given.comment)
    wanted = [one.id for one in control.members(given.group) if one.handling.acknowledged_by is None]
    if not given.dry_run:
        acts = [Act(episode=name, at=now, actor=context.actor, action="acknowledge", comment=given.comment) for name in wanted]
        control.add_acts(acts)
    return {"group": given.group, "effect": _effect(wanted)}


def silence(context: Context, given: SilenceRequest) -> Mapping[str, Any]:
    """Add a silence, or only say what it would hold. The same silence again changes nothing. Returns it, the open episodes that it matches, and advice where it holds nothing back."""
    control, now = context.stores.control, SystemClock().now()
    match = match_from(given.match)
    starts = now if given.starts_at is None else given.starts_at
    if not match:
        raise ConfigError("`match` is empty, and would silence everything", remedy="write for example {model: taxi-fare}")
    if given.ends_at <= max(now, starts) or given.ends_at > now + _FAR:
        raise ConfigError("`ends_at` is not after now and `starts_at`, or more than a year away", remedy="give a time within the next year")
    _comment(given.comment)
    key = given.once or (sorted(match.items()), given.starts_at, given.ends_at, given.comment, context.actor)
    name = "si_" + hashlib.sha256(msgspec.json.encode(key)).hexdigest()[:16]
    made = Silence(id=name, match=match, starts_at=starts, ends_at=given.ends_at, comment=given.comment, created_by=context.actor)
    held = [one.id for one in control.open_ones() if matches(match, one)]
    there = next((one for one in control.silences(None if given.once else now) if one.id == name), None)
    if there is None and not given.dry_run:
        control.add_silence(made, context.actor)
    advice = advised("silence", control.policy())
    return {"silence": document(there or made), "result": "unchanged" if there else "created", "effect": _effect(held), "advice": advice}


def advised(what: str, policy: Policy | None) -> str | None:
    """That a silence or a snooze holds nothing back, where there is no policy."""
    if policy is not None:
        return None
    return f"There is no policy, and without one a {what} holds nothing back: apply a policy, such as `- policy: default`"


def delete_silence(context: Context, given: DeleteSilence) -> Mapping[str, Any]:
    """End a silence now; what it held may be told."""
    if context.stores.control.delete_silence(given.id, context.actor) is None:
        raise Missing(f"there is no silence {given.id[:100]!r}", remedy="GET /v1/silences lists them")
    return {"kind": "silence", "model": None, "name": given.id, "result": "deleted"}


def document(one: Silence) -> dict[str, Any]:
    """A silence as the API gives it."""
    match = {field: values[0] if len(values) == 1 else list(values) for field, values in one.match.items()}
    times = {"starts_at": moment.text(one.starts_at), "ends_at": moment.text(one.ends_at)}
    return {"id": one.id, "match": match, **times, "comment": one.comment, "created_by": one.created_by}


def _check(given: ActRequest, episode: Episode, now: int) -> None:
    """Raise ConfigError unless the act has what it needs."""
    _comment(given.comment)
    if given.action == "comment" and not given.comment.strip():
        raise ConfigError("`comment` is empty", remedy="write what you know")
    if given.action == "assign" and not (given.to or "").strip():
        raise ConfigError("`to` is missing", remedy="name the person, such as ada")
    if given.to is not None and (len(given.to) > 200 or not given.to.isprintable()):
        raise ConfigError("`to` is no name", remedy="write 1 to 200 printable characters")
    if given.action == "snooze" and (given.until is None or not now < given.until <= now + _FAR):
        raise ConfigError("`until` is not a time after now, within a year", remedy="write for example 2026-07-01T12:00:00Z")
    if given.action == "feedback" and given.useful is None:
        raise ConfigError("`useful` is missing", remedy="write true if it was useful, false if it was noise")
    if given.action == "resolve" and episode.ended_at is not None:
        raise ConfigError("the episode has ended already", remedy="leave it as it is")


def _effect(episodes: Sequence[str]) -> dict[str, Any]:
    return {"count": len(episodes), "episodes": list(episodes[:_LISTED])}


def _comment(comment: str) -> None:
    if len(comment) > _LONGEST or "\0" in comment:
        raise ConfigError("`comment` is too long, or holds a NUL", remedy=f"write up to {_LONGEST} characters")


def _resolve(context: Context, episode: Episode, done: Act) -> None:
    """End an episode by hand, in one transaction with the act. Its owner waits, so that both do not end it."""
    with context.stores.control.retiring(context.actor) as change:
        change.hold(OWNER + episode.model)
        why = f"ended by {context.actor}" + (f": {done.comment}" if done.comment else "")
        if not retire.resolve(episode, why, change, change.now, context.stores.settings.public):
            raise ConfigError("the episode has ended already", remedy="leave it as it is")
        change.act(msgspec.structs.replace(done, at=change.now))
