"""The list of pages: a new page is a file in `pages` and a line here.

The list drives the router, the four places on top, the tabs, and the tests that open every page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from dashboard import late
from dashboard.pages import (
    audit,
    baselines,
    cause,
    column,
    compare,
    contracts,
    deliveries,
    drift,
    episode,
    event,
    events,
    fairness,
    fleet,
    guide,
    history,
    inbox,
    model,
    monitor,
    monitors,
    performance,
    pipeline,
    policy,
    quality,
    retraining,
    search,
    service,
    sides,
    silences,
    slices,
    trust,
    users,
    worth,
)
from dashboard.panel import Page

Draw = Callable[..., Awaitable[Page]]


class Place(StrEnum):
    """The places on top of every page."""

    INBOX = "Inbox"
    MODELS = "Models"
    MONITORS = "Monitors"
    SYSTEM = "System"


_MODEL = "models/*"


class PageEntry(NamedTuple):
    """A page at `path` under `/ui/`. `draw(reader, search, *parts)` draws it; `parts` are the parts of the address in place of each `*` of the path.

    `tab` is its name among the tabs of its place, or of the model if its path is below one; a page without a name is reached by links only. A section is a page `under` a tab, whose
    path that is: it gets its place in a second row, below that tab. `search` is the query string with which its tab opens.
    """

    path: str
    draw: Draw
    place: Place
    tab: str = ""
    under: str = ""
    search: str = ""

    def parts(self, asked: Sequence[str]) -> list[str] | None:
        """The parts of an address in place of each `*`; None if it is not an address of this page."""
        own = self.path.split("/")
        if len(own) != len(asked) or any(mine not in ("*", given) for mine, given in zip(own, asked, strict=True)):
            return None
        return [given for mine, given in zip(own, asked, strict=True) if mine == "*"]

    def filled(self, parts: Sequence[str]) -> list[str]:
        """The steps of its address, with `parts` in place of each `*`, as many as there are."""
        given = iter(parts)
        return [next(given) if step == "*" else step for step in self.path.split("/")]

    @property
    def of_model(self) -> bool:
        """Whether it is a page of a model."""
        return self.path == _MODEL or self.path.startswith(f"{_MODEL}/")


SITE: tuple[PageEntry, ...] = (
    PageEntry("", inbox.draw, Place.INBOX, "Open"),
    PageEntry("acknowledged", inbox.acknowledged, Place.INBOX, "Acknowledged"),
    PageEntry("alerts", history.draw, Place.INBOX, "Ended", search="?state=closed"),
    PageEntry("alerts/*", episode.draw, Place.INBOX),
    PageEntry("models", fleet.draw, Place.MODELS),
    PageEntry("models/*", model.draw, Place.MODELS, "Overview"),
    PageEntry("models/*/performance", performance.draw, Place.MODELS, "Performance"),
    PageEntry("models/*/fairness", fairness.draw, Place.MODELS, "Fairness", under="models/*/performance"),
    PageEntry("models/*/service", service.draw, Place.MODELS, "Service", under="models/*/performance"),
    PageEntry("models/*/trust", trust.draw, Place.MODELS, "Trust", under="models/*/performance"),
    PageEntry("models/*/drift", drift.draw, Place.MODELS, "Drift"),
    PageEntry("models/*/columns/*", column.draw, Place.MODELS, under="models/*/drift"),
    PageEntry("models/*/quality", quality.draw, Place.MODELS, "Quality"),
    PageEntry("models/*/segments", slices.draw, Place.MODELS, "Segments"),
    PageEntry("models/*/events", events.draw, Place.MODELS, "Events"),
    PageEntry("models/*/events/*", event.draw, Place.MODELS, under="models/*/events"),
    PageEntry("models/*/compare", compare.draw, Place.MODELS, "Compare"),
    PageEntry("models/*/retraining", retraining.draw, Place.MODELS, "Versions and retraining"),
    PageEntry("models/*/contracts", contracts.draw, Place.MODELS, "Contracts and baselines", under="models/*/retraining"),
    PageEntry("monitors", monitors.draw, Place.MONITORS, "Monitors"),
    PageEntry("monitor", monitor.draw, Place.MONITORS, "New monitor", under="monitors"),
    PageEntry("baselines", baselines.draw, Place.MONITORS, "Baselines"),
    PageEntry("policy", policy.draw, Place.MONITORS, "Policy"),
    PageEntry("silences", silences.draw, Place.MONITORS, "Silences"),
    PageEntry("deliveries", deliveries.draw, Place.MONITORS, "Deliveries"),
    PageEntry("pipeline", pipeline.draw, Place.SYSTEM, "Pipeline"),
    PageEntry("users", users.draw, Place.SYSTEM, "Users and tokens"),
    PageEntry("audit", audit.draw, Place.SYSTEM, "Audit"),
    PageEntry("help", guide.draw, Place.SYSTEM, "Help"),
    PageEntry("search", search.draw, Place.MODELS),
)


LATE: dict[str, late.Draw] = {
    "causes": cause.causes,
    "segments": slices.slices,
    "sides": sides.sides,
    "trial": monitor.tried,
    "worth": worth.worth,
}
"""The parts of pages that callbacks of their own draw (`dashboard.late`), by kind."""


def places() -> list[tuple[Place, str]]:
    """The places in their order, each with the path of its first page."""
    return [(place, next(entry.path for entry in SITE if entry.place is place)) for place in Place]


def tabs(at: PageEntry) -> list[PageEntry]:
    """The tabs on a page."""
    return [one for one in SITE if one.tab and not one.under and (one.place, one.of_model) == (at.place, at.of_model)]


def sections(at: PageEntry) -> list[PageEntry]:
    """The second row of tabs on a page: the tab to which it belongs, and the pages under that."""
    top = at.under or at.path
    return [one for one in SITE if one.tab and (one.path == top or (one.under and one.under == top))]
