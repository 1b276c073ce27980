"""The tokens that let in, and whose each is."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence

from core.principal import Principal


class Keys:
    """Tokens and their principals. Without any, nobody is asked for one."""

    def __init__(self, pairs: Sequence[tuple[str, Principal]] = ()) -> None:
        self._pairs = tuple(pairs)

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def __iter__(self) -> Iterator[tuple[str, Principal]]:
        return iter(self._pairs)

    def whose(self, token: bytes) -> Principal | None:
        """The principal of a token. All are compared, each in constant time: how long it takes tells nothing about them."""
        found = [principal for key, principal in self._pairs if hmac.compare_digest(token, key.encode())]
        return found[0] if found else None
