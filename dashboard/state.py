"""The state of a page is in its address: `PageState` is read from the query string, and every link is made from a state."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from core import moment
from core.segment import ALL

ROOT = "/ui/"
RANGES = {"7d": "7 days", "30d": "30 days", "90d": "90 days", "365d": "1 year", "all": "All"}
DEFAULT_RANGE = "90d"
_NAMES = (
    "segment",
    "measure",
    "monitor",
    "by",
    "find",
    "sort",
    "positive",
    "target",
    "baseline",
    "version",
    "b_segment",
    "b_version",
    "cells",
    "episode",
)
_OTHER: dict[str, Any] = {"b_segment": "", "b_version": "", "b_window": None}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)  # means midnight in UTC


@dataclass(frozen=True)
class PageState:
    """What a person has chosen. Times are microseconds; "" and None leave the choice to the page.

    `window` is the start of the selected window; `as_of` is the time whose knowledge is shown, None for now; `start` and `end` are an absolute range that overrides `range`;
    `by` is the grouping of the table of segments; `find`, `sort` and `page` are of a table of columns;
    `positive` is the class that scores are of, and `bin` the score bin of the cut; `target` and `baseline` are windows and a baseline that were picked (`dashboard.picked`);
    `version` is the version of the model whose rows are shown; `b_segment`, `b_version` and `b_window` are where the other side of a comparison differs (`dashboard.pages.sides`);
    `cells` is what is selected in a heat map of segments (`dashboard.selection`).
    `episode` is the one from which the person came. `notices` say which parts of the address could not be read.
    """

    segment: str = ALL
    measure: str = ""
    monitor: str = ""
    by: str = ""
    find: str = ""
    sort: str = ""
    page: int = 1
    positive: str = ""
    target: str = ""
    baseline: str = ""
    version: str = ""
    b_segment: str = ""
    b_version: str = ""
    cells: str = ""
    b_window: int | None = None
    bin: int | None = None
    range: str = DEFAULT_RANGE
    start: int | None = None
    end: int | None = None
    window: int | None = None
    as_of: int | None = None
    episode: str = ""
    notices: tuple[str, ...] = ()

    @staticmethod
    def of(search: str) -> PageState:
        """Read a query string. What cannot be read is left at its default and named in `notices`; unknown keys are ignored."""
        asked = dict(parse_qsl(search.removeprefix("?")))
        notices: list[str] = []

        def time(key: str) -> int | None:
            if not (text := asked.get(key, "")):
                return None
            try:
                return moment.parse_query(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
            except ValueError as error:
                notices.append(f"{key}: {error}")
                return None

        chosen = asked.get("range", DEFAULT_RANGE)
        if chosen not in RANGES:
            notices.append(f"range: {chosen[:40]!r} is none of {', '.join(RANGES)}")
            chosen = DEFAULT_RANGE
        start, end = time("from"), time("to")
        if start is not None and end is not None and start >= end:
            notices.append("from is not before to")
            start = end = None
        names: dict[str, Any] = {key: asked[key] for key in _NAMES if asked.get(key)}
        page, place = (_whole(asked.get(key, "")) for key in ("page", "bin"))
        times: dict[str, Any] = {"start": start, "end": end, "window": time("window"), "as_of": time("as_of"), "b_window": time("b_window")}
        return PageState(**names, **times, page=max(page or 1, 1), bin=place, range=chosen, notices=tuple(notices))

    @property
    def shared(self) -> PageState:
        """What the pages of a model have in common: segment, version, period, windows, baseline and the time as of which they are known, and the episode from which the person came."""
        return replace(self, measure="", monitor="", by="", find="", sort="", page=1, positive="", bin=None, cells="", **_OTHER)

    def but(self, **changes: Any) -> PageState:
        """The same state with some parts changed."""
        return replace(self, **changes)

    @property
    def query(self) -> str:
        """The query string that `of` reads back; "" where everything is at its default."""
        pairs = {
            "segment": "" if self.segment == ALL else self.segment,
            "measure": self.measure,
            "monitor": self.monitor,
            "by": self.by,
            "find": self.find,
            "sort": self.sort,
            "page": "" if self.page == 1 else str(self.page),
            "positive": self.positive,
            "target": self.target,
            "baseline": self.baseline,
            "version": self.version,
            "b_segment": self.b_segment,
            "b_version": self.b_version,
            "b_window": "" if self.b_window is None else moment.text(self.b_window),
            "cells": self.cells,
            "bin": "" if self.bin is None else str(self.bin),
            "range": "" if self.range == DEFAULT_RANGE else self.range,
            "from": "" if self.start is None else moment.text(self.start),
            "to": "" if self.end is None else moment.text(self.end),
            "window": "" if self.window is None else moment.text(self.window),
            "as_of": "" if self.as_of is None else moment.text(self.as_of),
            "episode": self.episode,
        }
        text = urlencode({key: value for key, value in pairs.items() if value}, quote_via=quote, safe=":")
        return f"?{text}" if text else ""


def _whole(text: str) -> int | None:
    """A whole number of a few digits; None if a text is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def address(*parts: str, state: PageState | None = None) -> str:
    """The address of a page: `address("models", "fare", state=...)` is `/ui/models/fare?...`."""
    return ROOT + "/".join(quote(part, safe="@") for part in parts) + (state.query if state else "")
