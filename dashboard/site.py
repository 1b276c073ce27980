"""The pages: a new one is a file in `pages` and an entry here.

The list drives the router, the navigation and the tests that open every page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from dashboard.pages import column, episode, fleet, history, inbox, model, pipeline
from dashboard.panel import Page

Draw = Callable[..., Awaitable[Page]]


class PageEntry(NamedTuple):
    """A page at `path` under `/ui/`; `draw(reader, search, *parts)` draws it, `parts` being what stands in the place of `*` in the path.

    `label` is its name in the navigation; a page without one belongs there to the page at `under`.
    """

    path: str
    draw: Draw
    label: str = ""
    under: str = ""

    def parts(self, asked: Sequence[str]) -> list[str] | None:
        """What the parts of an address stand for, in order; None if it is not that of this page."""
        own = self.path.split("/")
        if len(own) != len(asked) or any(mine not in ("*", given) for mine, given in zip(own, asked, strict=True)):
            return None
        return [given for mine, given in zip(own, asked, strict=True) if mine == "*"]

    @property
    def place(self) -> str:
        """The path of the entry of the navigation that it belongs to."""
        return self.path if self.label else self.under


SITE: tuple[PageEntry, ...] = (
    PageEntry("", inbox.draw, label="Inbox"),
    PageEntry("alerts", history.draw),
    PageEntry("alerts/*", episode.draw),
    PageEntry("models", fleet.draw, label="Models"),
    PageEntry("pipeline", pipeline.draw, label="Pipeline"),
    PageEntry("models/*", model.draw, under="models"),
    PageEntry("models/*/columns/*", column.draw, under="models"),
)
