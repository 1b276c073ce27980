"""The kind `slack`: an incoming webhook of Slack, which takes text and blocks (https://docs.slack.dev/reference/block-kit/blocks)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from alerts.destination.field import address, url_or_file
from alerts.destination.message import DestinationKind, Message, post
from alerts.destination.notice import Notice, cut
from alerts.destination.template import template, told
from core import moment
from core.episode import Delivery

_HEADER, _SECTION, _FIELD = 150, 3_000, 2_000  # characters of a header, a section and a field
_LINE, _MORE = 500, 30  # characters of a line, and of what says that there are more
_FIELDS, _ELEMENTS = 10, 10  # fields of a section, elements of a context
_ICONS = {"critical": ":red_circle:", "warn": ":large_orange_circle:"}


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`url` or `url_file`: the address of an incoming webhook, which is a secret."""
    return {**url_or_file(document, "https://hooks.slack.com/services/T.../B.../..."), **template(document)}


def render(given: Mapping[str, str], delivery: Delivery, _now: int) -> Message:
    """Blocks, and the title as the text of the notification on a phone."""
    body = msgspec.json.encode(blocks(told(given, delivery))).decode()
    return Message(address(given), body, {"content-type": "application/json"})


def blocks(said: Notice) -> dict[str, Any]:
    """The message: header, sentence, facts, list, links."""
    icon = ":white_check_mark:" if said.ended else _ICONS.get(said.level, ":information_source:")
    made: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(said.title, _HEADER), "emoji": False}},
        _section(f"{icon} {escaped(said.sentence)}"),
    ]
    fields = [_mrkdwn(cut(f"*{escaped(name)}*\n{escaped(value)}", _FIELD)) for name, value in said.facts[:_FIELDS]]
    if fields:
        made.append({"type": "section", "fields": fields})
    if said.lines:
        made.append(_section(_listed(said)))
    links = [_mrkdwn(link) for words, to in said.links if len(link := f"<{escaped(to)}|{escaped(words)}>") <= _FIELD]  # half a link is none
    if links:
        made.append({"type": "context", "elements": links[:_ELEMENTS]})
    return {"text": escaped(said.title), "blocks": made}


def escaped(said: str) -> str:
    """A text in which Slack sees no link, mention or command."""
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _listed(said: Notice) -> str:
    """The lines that fit as a whole, with links: half a link is none."""
    found = [f"• <{escaped(to)}|{escaped(cut(line, _LINE))}>" if to else f"• {escaped(cut(line, _LINE))}" for line, to in said.ways]
    kept = [line for place, line in enumerate(found) if len("\n".join(found[: place + 1])) <= _SECTION - _MORE]
    return "\n".join([*kept, *([f"and {len(found) - len(kept)} more"] if len(kept) < len(found) else [])])


def _section(said: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(cut(said, _SECTION))}


def _mrkdwn(said: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": said}


KIND = DestinationKind("slack", ("url", "url_file", "template"), settings, render, post, pace=moment.SECOND, links=True)
