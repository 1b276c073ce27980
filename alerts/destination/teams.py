"""The kind `teams`: a workflow of Microsoft Teams that starts at a webhook request and posts an adaptive card (https://adaptivecards.io/schemas/adaptive-card.json)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from alerts.destination.field import address, url_or_file
from alerts.destination.message import DestinationKind, Message, post
from alerts.destination.notice import Notice, cut
from alerts.destination.template import template, told
from core import moment
from core.episode import Delivery

_TEXT, _SHORT = 2_000, 500  # characters of a block, and of a fact or line: a message of more than 28 KB is refused
_COLOURS = {"critical": "attention", "warn": "warning"}
_MARKS = re.compile(r"([\\`*_\[\]()<>#])")


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`url` or `url_file`: the address of the workflow, which is a secret."""
    return {**url_or_file(document, "https://prod-00.westeurope.logic.azure.com/workflows/..."), **template(document)}


def render(given: Mapping[str, str], delivery: Delivery, _now: int) -> Message:
    """A message with one card."""
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card(told(given, delivery))}
    body = msgspec.json.encode({"type": "message", "attachments": [attachment]}).decode()
    return Message(address(given), body, {"content-type": "application/json"})


def card(said: Notice) -> dict[str, Any]:
    """The card: title, sentence, facts, list, buttons with links."""
    colour = "good" if said.ended else _COLOURS.get(said.level, "default")
    body: list[dict[str, Any]] = [
        {**_block(said.title), "weight": "bolder", "size": "medium", "color": colour},
        _block(said.sentence),
        *(
            [{"type": "FactSet", "facts": [{"title": name, "value": _plain(value, _SHORT)} for name, value in said.facts]}]
            if said.facts
            else []
        ),
        *(
            [{"type": "TextBlock", "wrap": True, "text": "\n".join(f"- {_plain(line, _SHORT)}" for line in said.lines)}]
            if said.lines
            else []
        ),
    ]
    actions = [{"type": "Action.OpenUrl", "title": words, "url": to} for words, to in said.links]
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        **({"actions": actions} if actions else {}),
    }


def _block(said: str) -> dict[str, Any]:
    return {"type": "TextBlock", "wrap": True, "text": _plain(said)}


def _plain(said: str, most: int = _TEXT) -> str:
    """A text without marks of Markdown, which cards understand."""
    return _MARKS.sub(r"\\\1", cut(said, most))


KIND = DestinationKind("teams", ("url", "url_file", "template"), settings, render, post, pace=moment.SECOND, links=True)
