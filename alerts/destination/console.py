"""The kind `console`: notifications as lines on standard output, or in a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from alerts.destination.message import Answer, DestinationKind, Message, Transport, Unsent
from core.episode import Delivery
from core.error import ConfigError


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`file`, the absolute path of a log to which lines are added; without it they go to the standard output of the process that delivers.

    A person who may define destinations must not be able to write into any file of the server. So the path must end in `.log`, and links are not followed.
    """
    file = document.get("file")
    if file is None:
        return {}
    if not isinstance(file, str) or not PurePath(file).is_absolute() or PurePath(file).suffix != ".log" or "\0" in file:
        raise ConfigError(
            "`file` is no absolute path of a `.log`", remedy="write a path such as /var/log/watchkeeper/episodes.log, or leave it out"
        )
    return {"file": file}


def render(given: Mapping[str, str], delivery: Delivery, _now: int) -> Message:
    """One line: time, type, level or state, model and monitor or segment, the reason, and the address of the page."""
    notice = msgspec.json.decode(delivery.body)
    words = (notice["timestamp"], notice["type"], *_said(notice["data"]), notice["data"]["url"])
    return Message(given.get("file", ""), " ".join(str(word) for word in words if word) + "\n", {})


def _said(data: Mapping[str, Any]) -> tuple[str, ...]:
    """What an episode says, a group, a state of trust, or a test."""
    if "monitor" in data:
        return data["level"], f"{data['model']}/{data['monitor']}:", data["reason"]
    if "group" in data:
        return data["level"], f"{data['model'] or ', '.join(data['models'])}:", data["sentence"]
    if "state" not in data:
        return (data["sentence"],)
    return (
        data["state"],
        f"{data['model']} version {data['version']}, {data['segment']}:",
        *(reason["text"] for reason in data["reasons"][:1]),
    )


def send(_wire: Transport, message: Message) -> Answer:
    """Add the line."""
    try:
        if message.to:
            with open(message.to, "a", encoding="utf-8", opener=_no_link) as file:
                file.write(message.body)
        else:
            sys.stdout.write(message.body)
            sys.stdout.flush()
    except OSError as error:
        raise Unsent(f"the line cannot be written: {error.strerror}") from None
    return Answer(200)


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o640)


KIND = DestinationKind("console", ("file",), settings, render, send)
