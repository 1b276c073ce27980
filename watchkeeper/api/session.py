"""Sessions of browsers: a signed value in a cookie, which ends by its time, by a log-out, or when its token is changed or gone."""

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
_FRESH = 2.0  # seconds for which the ended sessions are known: so long another process may still take one


def cookie_name(host: str | None) -> str:
    """The name of the cookie at an address, by the Host header: of two servers on one machine each has its own.

    >>> cookie_name("127.0.0.1:8650"), cookie_name("watch.example")
    ('watchkeeper-8650', 'watchkeeper')
    """
    port = (host or "").rpartition(":")[2]
    return f"{COOKIE}-{port}" if port.isascii() and port.isdigit() else COOKIE


class Documents(Protocol):
    """Where all processes that serve note which sessions were ended."""

    def cursors(self, prefix: str) -> dict[str, dict[str, Any]]:
        """The documents whose names begin so."""
        ...

    def save_cursor(self, name: str, payload: dict[str, Any]) -> None:
        """Save a document."""
        ...

    def forget(self, name: str) -> None:
        """Remove a document."""
        ...


class Sessions:
    """The sessions that tokens have opened, each for `length` microseconds.

    A session is signed with the token that opened it, so every process with that token in its settings takes it, and none without.
    """

    def __init__(self, keys: Keys, length: int, documents: Documents, clock: Clock) -> None:
        self._signers = [(principal, _signer(token)) for token, principal in keys]
        self.length, self._documents, self._clock = length, documents, clock
        self._lock = Lock()
        self._ended: Mapping[str, Any] | None = None  # until the store has answered once
        self._asked = float("-inf")

    def begin(self, principal: Principal) -> str:
        """The value of a new session's cookie."""
        signer = dict(self._signers)[principal]
        return str(signer.dumps({"id": secrets.token_hex(16), "until": self._clock.now() + self.length}))

    def whose(self, cookie: str) -> Principal | None:
        """Whose session goes on, by a cookie's value; None if there is none. May ask the store: call it in a thread.

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
        """Whose session a cookie's value is, and what stands in it; None if no token of ours has signed it."""
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
