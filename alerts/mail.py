"""Gives mails to SMTP servers, at addresses that the guard has judged, with one deadline for all of it."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from alerts.destination.message import Answer, Rejected, Unsent

_TAKEN = 250

Lookup = Callable[[str, int, float], list[str]]  # the judged addresses of a host and port, in so many seconds


def send(server: str, body: str, headers: Mapping[str, str], lookup: Lookup, seconds: float) -> Answer:
    """Give a mail to `smtp://user:password@host:port` or `smtps://...`; `headers` name `from` and `to`. TLS is used if the server has it.

    `lookup` raises Refused, which is passed on, TimeoutError, or OSError if the name has no address. Raises Rejected if the server will not take it, and Unsent for
    a failure that may be temporary. A password is not sent without TLS.
    """
    parts = urlsplit(server)
    try:
        # Without QUIT at the end: what the server has taken must not fail any more.
        with contextlib.closing(_Session(lookup, seconds, tls=parts.scheme == "smtps")) as session, session.deadline():
            session.connect(parts.hostname or "", parts.port or 0)
            _begin(session, tls=parts.scheme == "smtps")
            if parts.username is not None:
                _enter(session, unquote(parts.username), unquote(parts.password or ""))
            lost = session.sendmail(headers["from"], headers["to"].split(", "), body.encode())
    except smtplib.SMTPRecipientsRefused as error:
        raise _fault(min((code for code, _ in error.recipients.values()), default=0), "takes none of the addresses in `to`") from None
    except smtplib.SMTPResponseException as error:
        raise _fault(error.smtp_code, "does not take it") from None
    except TimeoutError:
        raise Unsent(f"no answer within {seconds:g} s") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: a closed file, when the deadline has ended it
        raise Unsent(f"no answer: {type(error).__name__}") from None
    return Answer(_TAKEN, None, f"not taken for {len(lost)} of the addresses" if lost else "")


class _Session(smtplib.SMTP):
    """A connection whose target is an address that was judged; the certificate is checked against the name."""

    def __init__(self, lookup: Lookup, seconds: float, *, tls: bool) -> None:
        self._lookup, self._tls = lookup, tls
        self._line: socket.socket | None = None  # the connection once more, whatever wraps it
        self._ends = time.monotonic() + seconds
        super().__init__(timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        """The socket of the connection: a hook of the library."""
        failure = OSError("no address")
        self._host = host
        for address in self._lookup(host, port, max(0.01, self.left)):
            try:
                made = socket.create_connection((address, port), max(0.01, self.left))
            except OSError as error:
                failure = error
                continue
            self._line = made.dup()
            if self.left <= 0:  # the timer may have looked for it in vain
                made.close()
                raise TimeoutError
            return ssl.create_default_context().wrap_socket(made, server_hostname=host) if self._tls else made
        raise failure

    def close(self) -> None:
        """Close the connection."""
        super().close()
        if self._line is not None:
            self._line.close()

    def deadline(self) -> _Deadline:
        """Ends the connection when the time is over: a timeout counts from the last byte."""
        return _Deadline(self)

    def end(self) -> None:
        """End it from another thread."""
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self._ends - time.monotonic()


class _Deadline:
    def __init__(self, session: _Session) -> None:
        self._session = session
        self._timer = threading.Timer(max(0.01, session.left), session.end)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._timer.cancel()
        if isinstance(error, (smtplib.SMTPException, OSError, ValueError)) and self._session.left <= 0:
            raise TimeoutError from error


def _begin(session: _Session, *, tls: bool) -> None:
    session.ehlo_or_helo_if_needed()
    if not tls and session.has_extn("starttls"):
        session.starttls(context=ssl.create_default_context())
        session.ehlo_or_helo_if_needed()


def _enter(session: _Session, user: str, password: str) -> None:
    if not isinstance(session.sock, ssl.SSLSocket):
        raise Rejected("the mail server has no TLS, and a password is not sent without it")
    session.login(user, password)


def _fault(code: int, words: str) -> Unsent:
    """The failure that a code stands for: 5xx is final."""
    text = f"the mail server {words} ({code})"
    return Rejected(text) if 500 <= code < 600 and code not in {530, 534, 535, 538} else Unsent(text)
