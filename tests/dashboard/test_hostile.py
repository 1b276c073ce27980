"""Names that are hostile to pages are text on every page: they are in texts whole, in addresses encoded, and in charts, whose texts are markup, escaped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from plotly.io.json import to_json_plotly

from dashboard import components as piece
from dashboard import late
from dashboard.ports import Reader
from dashboard.route import page
from dashboard.site import LATE, SITE, PageEntry
from dashboard.state import address
from tests.dashboard.spoilt import COLUMN, GROUPING, MODEL, MONITOR, VALUE, Spoilt

HOSTILE = ("<img src=x", "<script>", "</script>", "<u onclick", "<s>")
ADDRESSES = ("href", "src", "action")
MARKUP = {"figure"}  # a chart: tags in its texts would be followed


@pytest.fixture(scope="module")
def reader() -> Reader:
    """A year of hostile names."""
    return cast("Reader", Spoilt())


def _path(entry: PageEntry, reader: Reader) -> str:
    event = "<img src=x onerror=alert(1)>"
    last = {"alerts/*": [reader.open_ones()[0].id], "models/*/columns/*": [MODEL, COLUMN], "models/*/events/*": [MODEL, event]}
    return address(*entry.filled(last.get(entry.path, [MODEL])))


def _strings(node: Any, key: str = "", *, chart: bool = False) -> Iterator[tuple[str, str, bool]]:
    """The texts of a page: the property in which each stands, the text, and whether it is within a chart."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _strings(value, name, chart=chart or name in MARKUP)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value, key, chart=chart)
    elif isinstance(node, str):
        yield key, node, chart


def _check(drawn: list[Any]) -> str:
    """Look at everything that a page holds; returns it as one text."""
    found = json.loads(to_json_plotly(drawn))
    for key, text, chart in _strings(found):
        assert key != "dangerously_allow_html"
        if key in ADDRESSES:
            assert not any(one in text for one in (*HOSTILE, '"', " ")), (key, text[:200])
            assert not text or text.startswith(("/", "#", "http")), (key, text)
            assert not text.casefold().startswith("javascript:"), text
        if chart and key not in {"customdata", "id", "uirevision"}:
            assert not any(one in text for one in HOSTILE), (key, text[:200])
    whole = json.dumps(found, ensure_ascii=False)
    assert '"type": "Markdown"' not in whole
    assert "could not be drawn" not in whole
    return whole


@pytest.mark.parametrize("search", ["", "?segment=carrier%3DUA&find=temp"])
@pytest.mark.parametrize("entry", SITE, ids=lambda entry: entry.path or "inbox")
async def test_every_page_has_them_as_text(entry: PageEntry, search: str, reader: Reader) -> None:
    """No page fails; those of the model have its name, and those of monitors theirs."""
    asked = search.replace("carrier", GROUPING).replace("UA", VALUE).replace("temp", COLUMN) if entry.of_model else entry.search
    whole = _check((await page(reader, _path(entry, reader), asked)).body)
    if entry.of_model:
        assert json.dumps(MODEL, ensure_ascii=False)[1:-1] in whole
    if entry.path == "monitors":
        assert json.dumps(MONITOR, ensure_ascii=False)[1:-1] in whole


async def test_parts_that_come_later_have_them_as_text(reader: Reader) -> None:
    """Causes, slices, sides of a comparison, the trial of a monitor and the worth of its episodes."""
    one = reader.open_ones()[0]
    given = {"causes": [one.id, ""], "segments": [MODEL, ""], "sides": [MODEL, ""], "worth": [MODEL, one.monitor, "/ui/alerts/1"]}
    given["trial"] = [f"?model={MODEL}&monitor={MONITOR}&measure=drift.psi&columns={COLUMN}"]
    assert set(given) == set(LATE)
    for kind, parts in given.items():
        _check(piece.several(await late.draw(reader, LATE, json.dumps([kind, *parts]))))
