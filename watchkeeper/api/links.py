"""GET and POST /link: the links of notices. GET shows what a link would do and asks, since mail scanners follow links; POST does it, in the name of the link's recipient."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.responses import HTMLResponse

from alerts.action_link import PATH, ActionLink, link_of
from core import moment
from core.clock import Clock
from core.episode import Episode
from core.error import ConfigError, Fatal, Missing, Retryable
from core.principal import Principal, Role
from core.retrain import RetrainState
from core.signed_address import SIGNATURE, Refused
from watchkeeper.api import query
from watchkeeper.api.plain_page import form, page
from watchkeeper.api.ports import Services
from watchkeeper.change.people import ActRequest, GroupRequest, SilenceRequest
from watchkeeper.change.retrain import RetrainDecision

_PARAMETERS = ("action", "subject", "to", "expires", SIGNATURE)
_FORM = {
    "requestBody": {
        "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {"comment": {"type": "string"}}}}}
    }
}
_SILENCE = 2 * moment.HOUR
_WIDE = 34  # rem
_NAMED = 5  # episodes, and monitors, that the page names
_ENDS = (
    "A link also ends when its destination is deleted, gets another receiver, or gets no links any more. Newer notices have newer links."
)
_ACKNOWLEDGED = "It is not escalated any more, and not repeated once all of its group is acknowledged. News are told all the same."


class Offer(NamedTuple):
    """What a link would do: a heading, sentences, and the command that does it, once for each payload. Without a command there is nothing to do, and the sentences say why."""

    title: str
    says: Sequence[str]
    button: str = ""
    command: str = ""
    payloads: Callable[[str], Sequence[msgspec.Struct]] | None = None  # of a comment


def router(services: Services, address: str, clock: Clock) -> APIRouter:
    """The routes; `address` is that of the pages."""
    routes = APIRouter(tags=["links"])
    described = {"parameters": [{**query.parameter(name), "required": True} for name in _PARAMETERS]}

    @routes.get(
        PATH, response_class=HTMLResponse, openapi_extra=described, summary="What a link of a notice would do, as a page with a button"
    )
    async def show(request: Request) -> Response:
        return await asyncio.to_thread(_answer, dict(request.query_params), None)

    @routes.post(PATH, response_class=HTMLResponse, openapi_extra=described | _FORM, summary="Do what a link of a notice says")
    async def act(request: Request) -> Response:
        comment = (await form(request)).get("comment", "")
        return await asyncio.to_thread(_answer, dict(request.query_params), comment)

    def _answer(given: dict[str, str], comment: str | None) -> Response:
        """The page: the offer, or what was done if there is a comment, which may be empty."""
        try:
            link = link_of(given, services.destinations(), services.signing_key(), clock.now())
            who = Principal(f"{link.to} (signed link)", Role.OPERATOR)
            offer = _OFFERS[link.action](services, link, given[SIGNATURE], who, clock.now())
            if comment is None or offer.payloads is None:
                return _page(offer, link, address)
            for payload in offer.payloads(comment):
                services.do(who, offer.command, payload)
        except (Refused, Missing, ConfigError, Retryable, Fatal) as error:
            return _refusal(error, address)
        return page(
            "Done", f'<h1>Done: {escape(offer.title)}</h1><p role="status">The audit names {escape(who.name)}.</p>{_way(link, address)}'
        )

    return routes


def _acknowledge(services: Services, link: ActionLink, _key: str, _who: Principal, _now: int) -> Offer:
    if not link.subject.startswith("ep_"):
        members = services.members(link.subject)
        fresh = [one for one in members if one.handling.acknowledged_by is None]
        if not fresh:
            why = "All of its open episodes are acknowledged." if members else "None of its episodes is open any more."
            return Offer("Nothing to acknowledge", [why])
        said = [*_named(fresh), _ACKNOWLEDGED]
        title = "Acknowledge " + ("1 episode" if len(fresh) == 1 else f"{len(fresh):,} episodes")
        return Offer(title, said, "Acknowledge", "acknowledge group", lambda comment: [GroupRequest(group=link.subject, comment=comment)])
    one = _episode(services, link.subject)
    why = _over(one, link)
    if not why and one.handling.acknowledged_by is not None:
        why = f"{one.handling.acknowledged_by} has acknowledged it."
    if why:
        return Offer("Nothing to acknowledge", [one.reason, why])
    says = [*_named([one]), _ACKNOWLEDGED]
    return Offer(
        "Acknowledge an episode",
        says,
        "Acknowledge",
        "act on episode",
        lambda comment: [ActRequest(episode=one.id, action="acknowledge", comment=comment)],
    )


def _silence(services: Services, link: ActionLink, key: str, who: Principal, now: int) -> Offer:
    """The monitors of what was told are silenced for two hours from the click on, once."""
    if link.subject.startswith("ep_"):
        about: Sequence[Episode] = [_episode(services, link.subject)]
        why = _over(about[0], link)
    else:
        about = services.members(link.subject)
        why = "" if about else "None of its episodes is open any more."
    if why:
        return Offer("Nothing to silence", [why])
    monitors: dict[str, set[str]] = {}
    for one in about:
        monitors.setdefault(one.model, set()).add(one.monitor)

    def wanted(comment: str, *, dry: bool = False) -> list[SilenceRequest]:
        """One for each model: another model may have a monitor of the same name, which nobody was told of. The last one says that the link was used."""
        said = comment.strip() or f"by the link of the notice of {link.subject}"
        last = max(monitors)
        return [
            SilenceRequest(
                match={"model": model, "monitor": sorted(names)},
                ends_at=now + _SILENCE,
                comment=said,
                dry_run=dry,
                once=key if model == last else f"{key} {model}",
            )
            for model, names in sorted(monitors.items())
        ]

    asked = [services.do(who, "silence", one) for one in wanted("", dry=True)]
    if asked[-1]["result"] == "unchanged":
        return Offer("Nothing to silence", [f"This link has made its silence, until {asked[-1]['silence']['ends_at']}."])
    count = sum(one["effect"]["count"] for one in asked)
    told = [f"Monitor {_list(sorted(names))} of {model}" for model, names in sorted(monitors.items())]
    says = [
        *told[:_NAMED],
        *([f"and {len(told) - _NAMED:,} more models"] if len(told) > _NAMED else []),
        f"With a policy, its episodes are not told for two hours. {count:,} open {'episode matches' if count == 1 else 'episodes match'} now.",
        *([f"{advice}."] if (advice := asked[-1]["advice"]) else []),
    ]
    return Offer("Silence for 2 hours", says, "Silence", "silence", wanted)


def _approve(services: Services, link: ActionLink, _key: str, _who: Principal, _now: int) -> Offer:
    one = services.retrain(link.subject)
    if one is None:
        raise Missing("there is no such request for retraining", remedy="look at the page Retraining of the model")
    asked = f"Retraining of {one.model} by the hook {one.hook}: {one.reason}"
    if one.approved_by is not None or one.state is not RetrainState.AWAITING_APPROVAL:
        why = f"{one.approved_by} has approved it." if one.approved_by else f"It is {one.state.replace('_', ' ')}."
        return Offer("Nothing to approve", [asked, why])
    made = one.manifest
    rows = [] if made is None else [f"{made.rows:,} rows, {made.labelled:,} labelled, {moment.period(made.start, made.end)}"]
    says = [asked, *rows, "The target is asked, once the conditions hold."]
    return Offer(
        "Approve a retraining",
        says,
        "Approve",
        "decide on retraining",
        lambda comment: [RetrainDecision(id=one.id, action="approve", comment=comment)],
    )


_OFFERS = {"acknowledge": _acknowledge, "silence": _silence, "approve": _approve}


def _episode(services: Services, name: str) -> Episode:
    if (found := services.episode(name)) is None:
        raise Missing("the episode of this link is not there", remedy="look into the inbox")
    return found


def _over(one: Episode, link: ActionLink) -> str:
    """Why a link is good for an episode no more; empty while it is."""
    if one.ended_at is not None:
        return "The episode has ended."
    return (
        "The episode had ended and went on after this notice. The newer notice has a link of its own." if one.reopened > link.sent else ""
    )


def _named(episodes: Sequence[Episode]) -> list[str]:
    more = [f"and {len(episodes) - _NAMED:,} more"] if len(episodes) > _NAMED else []
    return [*(f"{one.model}, {one.monitor}: {one.reason}" for one in episodes[:_NAMED]), *more]


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


def _page(offer: Offer, link: ActionLink, address: str) -> Response:
    says = "".join(f"<p>{escape(one)}</p>" for one in offer.says)
    until = moment.text(link.expires)[:16].replace("T", " ")
    ask = (
        f"""<form method="post">
<label for="comment">Your name, or what you know (optional)</label>
<input id="comment" name="comment" maxlength="1000">
<button>{escape(offer.button)}</button>
</form>
<p class="note">This link was sent to {escape(link.to)}, in whose name it acts. It is good until {until} UTC.</p>"""
        if offer.payloads is not None
        else ""
    )
    return page(escape(offer.title), f"<h1>{escape(offer.title)}</h1>{says}{ask}{_way(link, address)}", width=_WIDE)


def _way(link: ActionLink, address: str) -> str:
    """To the episode; to the inbox of a group or request."""
    place = f"alerts/{link.subject}" if link.subject.startswith("ep_") else ""
    return f'<p class="note"><a href="{escape(address)}/ui/{escape(place)}">Open in Watchkeeper</a></p>'


def _refusal(error: Exception, address: str) -> Response:
    """The page of an error, for people."""
    match error:
        case Refused():
            status, said = 403, f"It cannot be used: {error}. {_ENDS}"
        case Missing():
            status, said = 404, f"{error}; {error.remedy}."
        case ConfigError():
            status, said = 422, f"{error.message}; {error.remedy}."
        case _:
            status, said = 503, "The server cannot do it now. Try again in a moment."
    way = f'<p class="note"><a href="{escape(address)}/ui/">Open Watchkeeper</a></p>'
    return page("Link", f'<h1>This link did nothing</h1><p class="bad" role="alert">{escape(said)}</p>{way}', status, width=_WIDE)
