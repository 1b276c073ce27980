"""Sessions of browsers: a signed value in a cookie. A session ends after its time, by a log-out, or when its token is changed or removed."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import Any, Protocol

from itsdangerous import BadSignature, URLSafeSerializer

from core import moment
from core.clock import Clock
from core.document_name import LOGOUT
from core.error import Retryable, WatchkeeperError
from core.principal import Principal
from watchkeeper.api.key import Keys

_log = logging.getLogger(__name__)

COOKIE = "watchkeeper"  # and the port; browsers send a cookie to every port of a host
_FRESH = 2.0  # seconds for which the list of ended sessions is cached; so long another process may still accept one


def cookie_name(host: str | None) -> str:
    """The name of the cookie at an address, by the Host header: of two servers on one machine each has its own.

    >>> cookie_name("127.0.0.1:8650"), cookie_name("watch.example")
    ('watchkeeper-8650', 'watchkeeper')
    """
    port = (host or "").rpartition(":")[2]
    return f"{COOKIE}-{port}" if port.isascii() and port.isdigit() else COOKIE


class Documents(Protocol):
    """The documents in which all `serve` processes note which sessions were ended."""

    def cursors(self, prefix: str) -> dict[str, dict[str, Any]]:
        """The documents whose names begin with `prefix`."""
        ...

    def save_cursor(self, name: str, payload: dict[str, Any]) -> None:
        """Save a document."""
        ...

    def forget(self, name: str) -> None:
        """Remove a document."""
        ...


class Sessions:
    """Sessions, each of which lasts `length` microseconds.

    A session is signed with the token by which it was opened. A process accepts it if its settings have that token.
    """

    def __init__(self, keys: Keys, length: int, documents: Documents, clock: Clock) -> None:
        self._signers = [(principal, _signer(token)) for token, principal in keys]
        self.length, self._documents, self._clock = length, documents, clock
        self._lock = Lock()
        self._ended: Mapping[str, Any] | None = None  # None until the store has answered once
        self._asked = float("-inf")

    def begin(self, principal: Principal) -> str:
        """The value of a new session's cookie."""
        signer = dict(self._signers)[principal]
        return str(signer.dumps({"id": secrets.token_hex(16), "until": self._clock.now() + self.length}))

    def whose(self, cookie: str) -> Principal | None:
        """The principal of the session of a cookie; None if there is no such session. It may ask the store, so call it in a thread.

        Raises Retryable while it is not known which sessions were ended.
        """
        principal, session = self._read(cookie)
        if principal is None or session["until"] <= self._clock.now() or LOGOUT + session["id"] in self._known():
            return None
        return principal

    def end(self, cookie: str) -> None:
        """End a session, in every process. Raises Retryable if that cannot be noted now."""
        principal, session = self._read(cookie)
        if principal is None:
            return
        now = self._clock.now()
        for name, document in self._documents.cursors(LOGOUT).items():
            if document["until"] <= now:
                self._documents.forget(name)
        name, document = LOGOUT + session["id"], {"until": session["until"]}
        self._documents.save_cursor(name, document)
        with self._lock:
            self._ended = None if self._ended is None else {**self._ended, name: document}
            self._asked = float("-inf")

    def _read(self, cookie: str) -> tuple[Principal | None, dict[str, Any]]:
        """The principal and the content of a cookie's session; None if none of our tokens has signed it."""
        for principal, signer in self._signers:
            with suppress(BadSignature):
                if isinstance(session := signer.loads(cookie), dict):
                    return principal, session
        return None, {}

    def _known(self) -> Mapping[str, Any]:
        with self._lock:
            if time.monotonic() - self._asked > _FRESH:
                self._asked = time.monotonic()
                try:
                    self._ended = self._documents.cursors(LOGOUT)
                except WatchkeeperError as error:
                    _log.warning("which sessions were ended cannot be read, what was known holds: %s", error)
            if self._ended is None:
                raise Retryable("it is not known yet which sessions were ended: the store does not answer")
            return self._ended


def _signer(token: str) -> URLSafeSerializer:
    return URLSafeSerializer(token, salt="watchkeeper.session", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256})


def seconds(sessions: Sessions) -> int:
    """For how long a browser keeps the cookie."""
    return sessions.length // moment.SECOND
