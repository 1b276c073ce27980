"""The kind `email`: a mail to one or more people, by SMTP, as plain text and as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import quote, urlsplit

from alerts.destination.field import one_of
from alerts.destination.mail_page import page
from alerts.destination.message import Answer, DestinationKind, Message, Transport
from alerts.destination.notice import cut
from alerts.destination.template import template, told
from core import moment
from core.episode import Delivery
from core.error import ConfigError

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+", re.ASCII)
_MOST, _SUBJECT = 50, 200  # people, characters
_SERVER = "write `smtp: mail.example.org:587`, or `smtps://mail.example.org:465` for TLS from the beginning"


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`smtp` (host and port), `to` (a list), and if need be `from`, `user` and `password` or `password_file`."""
    to, sender, user = document.get("to"), document.get("from"), document.get("user")
    people = [to] if isinstance(to, str) else to
    if not isinstance(people, list) or not 0 < len(people) <= _MOST or not all(_is_address(one) for one in people):
        raise ConfigError("`to` is no list of mail addresses", remedy=f"write up to {_MOST} addresses, `to: [oncall@example.org]`")
    if sender is not None and not _is_address(sender):
        raise ConfigError("`from` is no mail address", remedy="write `from: watchkeeper@example.org`")
    found = {"smtp": _server(document.get("smtp")), "to": ", ".join(people), "from": sender or people[0], **template(document)}
    if user is None:
        if document.get("password") is not None or document.get("password_file") is not None:
            raise ConfigError("there is a password and no `user`", remedy="write the `user` that it is of")
        return found
    if not isinstance(user, str) or not user:
        raise ConfigError("`user` is no text", remedy="write the name with which the mail server knows you")
    return {**found, "user": user, **one_of(document, "password", "write the password of `user`, or the file that holds it")}


def render(given: Mapping[str, str], delivery: Delivery, now: int) -> Message:
    """The mail. Its id is that of the notification; all about one episode is one thread."""
    said = told(given, delivery)
    domain = given["from"].rpartition("@")[2]
    mail = EmailMessage(SMTP)
    mail["From"], mail["To"] = given["from"], given["to"]
    mail["Subject"] = cut(" ".join(f"[{said.severity}] {said.title}".split()), _SUBJECT)
    mail["Date"] = moment.to_datetime(now)
    mail["Message-ID"] = f"<{delivery.id}@{domain}>"
    mail["References"] = f"<{quote(said.key, safe='')}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(said.text, cte="quoted-printable")  # whose lines are short, however long the links are
    mail.add_alternative(page(said), subtype="html", cte="quoted-printable")
    server = given["smtp"]
    if "user" in given:
        scheme, _, host = server.partition("://")
        server = f"{scheme}://{quote(given['user'], safe='')}:{quote(given['password'], safe='')}@{host}"
    return Message(server, mail.as_string(), {"from": given["from"], "to": given["to"]})


def send(wire: Transport, message: Message) -> Answer:
    """Give it to the mail server."""
    return wire.mail(*message)


def _server(smtp: object) -> str:
    """`smtp://host:port` or `smtps://host:port`."""
    if not isinstance(smtp, str) or not smtp:
        raise ConfigError("`smtp` is missing", remedy=_SERVER)
    try:
        parts = urlsplit(smtp if "://" in smtp else f"smtp://{smtp}")
        port = parts.port or {"smtp": 587, "smtps": 465}.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if not port or not parts.hostname or parts.username is not None or parts.path not in {"", "/"} or any(map(str.isspace, smtp)):
        raise ConfigError("`smtp` is no mail server", remedy=_SERVER)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


def _is_address(one: object) -> bool:
    return isinstance(one, str) and _ADDRESS.fullmatch(one) is not None


KIND = DestinationKind("email", ("smtp", "to", "from", "user", "password", "password_file", "template"), settings, render, send, links=True)
