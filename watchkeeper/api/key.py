"""The tokens of the settings, and the principal of each."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence

from core.principal import Principal


class Keys:
    """Tokens and their principals. Without tokens, requests need none."""

    def __init__(self, pairs: Sequence[tuple[str, Principal]] = ()) -> None:
        self._pairs = tuple(pairs)

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def __iter__(self) -> Iterator[tuple[str, Principal]]:
        return iter(self._pairs)

    def whose(self, token: bytes) -> Principal | None:
        """The principal of a token. It is compared with all tokens, each in constant time, so that the time reveals nothing about them."""
        found = [principal for key, principal in self._pairs if hmac.compare_digest(token, key.encode())]
        return found[0] if found else None
