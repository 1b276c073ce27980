"""The filters of a page that lists: its query string."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Self
from urllib.parse import parse_qsl, quote, urlencode

from dashboard.state import address


@dataclass(frozen=True)
class Listed:
    """The filters of the list at the page `PATH`; "" is none. `after` is the cursor of the page."""

    PATH: ClassVar[str]

    after: str = ""

    @classmethod
    def of(cls, search: str) -> Self:
        """Read a query string; unknown keys are ignored."""
        asked = dict(parse_qsl(search.removeprefix("?")))
        return cls(**{one.name: asked[one.name] for one in fields(cls) if one.name in asked})

    @property
    def address(self) -> str:
        """The address of this list."""
        query = urlencode({key: value for key, value in vars(self).items() if value}, quote_via=quote)
        return address(self.PATH) + (f"?{query}" if query else "")
