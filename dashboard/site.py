"""The list of pages: a new page is a file in `pages` and an entry here.

The list drives the router, the navigation and the tests that open every page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from dashboard.pages import (
    column,
    deliveries,
    drift,
    episode,
    fairness,
    fleet,
    history,
    inbox,
    model,
    performance,
    pipeline,
    policy,
    quality,
    trust,
)
from dashboard.panel import Page

Draw = Callable[..., Awaitable[Page]]


class PageEntry(NamedTuple):
    """A page at `path` under `/ui/`. `draw(reader, search, *parts)` draws it; `parts` are the parts of the address in place of each `*` of the path.

    `label` is its name in the navigation. A page without a label belongs to the entry of the page at `under`.
    """

    path: str
    draw: Draw
    label: str = ""
    under: str = ""

    def parts(self, asked: Sequence[str]) -> list[str] | None:
        """The parts of an address in place of each `*`; None if it is not an address of this page."""
        own = self.path.split("/")
        if len(own) != len(asked) or any(mine not in ("*", given) for mine, given in zip(own, asked, strict=True)):
            return None
        return [given for mine, given in zip(own, asked, strict=True) if mine == "*"]

    @property
    def place(self) -> str:
        """The path of the navigation entry to which it belongs."""
        return self.path if self.label else self.under


SITE: tuple[PageEntry, ...] = (
    PageEntry("", inbox.draw, label="Inbox"),
    PageEntry("alerts", history.draw),
    PageEntry("alerts/*", episode.draw),
    PageEntry("models", fleet.draw, label="Models"),
    PageEntry("policy", policy.draw, label="Policy"),
    PageEntry("deliveries", deliveries.draw, label="Deliveries"),
    PageEntry("pipeline", pipeline.draw, label="Pipeline"),
    PageEntry("models/*", model.draw, under="models"),
    PageEntry("models/*/performance", performance.draw, under="models"),
    PageEntry("models/*/drift", drift.draw, under="models"),
    PageEntry("models/*/quality", quality.draw, under="models"),
    PageEntry("models/*/trust", trust.draw, under="models"),
    PageEntry("models/*/fairness", fairness.draw, under="models"),
    PageEntry("models/*/columns/*", column.draw, under="models"),
)
