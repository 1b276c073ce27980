"""The page of models with more of them than one page shows."""

from __future__ import annotations

import asyncio
import json
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
from plotly.utils import PlotlyJSONEncoder

from core import moment
from dashboard.pages import fleet
from dashboard.ports import ModelRow
from detectors.catalogue import MEASURES

MANY = 2 * fleet.ROWS + 30
NAMES = [f"m-{place:03d}" for place in range(MANY)]


def shown(search: str) -> tuple[list[str], list[str]]:
    """The models of a page and the addresses of its other pages, in order; the model before the last has an open episode."""
    rows = [ModelRow(name, "binary", 1, 0, moment.DAY, 9, 0, int(name == NAMES[-2])) for name in NAMES]
    reader = SimpleNamespace(
        measures=MEASURES, models=lambda: rows, monitors=lambda _: [], open_levels=dict, recent=lambda *_: {}, waiting=dict
    )
    drawn = json.dumps(asyncio.run(fleet.draw(cast("Any", reader), search)).body, cls=PlotlyJSONEncoder)
    return re.findall(r'"href": "/ui/models/([^"?]+)"', drawn), re.findall(r'"href": "/ui/models\?first=(\d+)"', drawn)


def test_the_pages_together_show_each_model_once_and_lead_to_one_another() -> None:
    """Those with open episodes first, then by name."""
    pages = [shown(f"?first={place}") for place in range(0, MANY, fleet.ROWS)]
    assert [name for names, _ in pages for name in names] == [NAMES[-2], *NAMES[:-2], NAMES[-1]]
    assert [ways for _, ways in pages] == [["100"], ["0", "200"], ["100"]]


@pytest.mark.parametrize(("search", "first"), [("", 0), ("?first=x", 0), ("?first=-5", 0), ("?first=150", 100), ("?first=99999", 200)])
def test_an_address_that_was_mistyped_shows_a_page_that_there_is(search: str, first: int) -> None:
    """The first, or the last, or the one that holds the place."""
    assert shown(search) == shown(f"?first={first}")
