"""Search finds models, columns, segments, monitors and episodes; help says the keys and the words."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from core import text as values
from dashboard.glossary import WORDS
from dashboard.pages import search
from dashboard.pages.history import Choice
from dashboard.pages.search import SHOWN
from dashboard.route import page
from dashboard.state import PageState
from tests.dashboard.test_page import text
from tests.dashboard.twin import Empty, Twin

PATH = "/ui/search"


@pytest.fixture(scope="module")
def twin() -> Twin:
    return Twin()


async def found(twin: Twin, asked: str) -> str:
    """The page as text, with its addresses."""
    drawn = await page(twin, PATH, f"?q={quote(asked)}")
    return f"{text(drawn)} {drawn.body}"


async def test_each_kind_is_found_by_parts_of_its_name(twin: Twin) -> None:
    """With a link to its page, whatever the case."""
    for asked, kind, href in (
        ("DEPARTS", "Models", "'/ui/models/departs-late'"),
        ("temp departs", "Columns", "/ui/models/departs-late/columns/temp"),
        ("carrier=ev", "Segments", "segment=carrier%3DEV"),
        ("psi departs", "Monitors", "/ui/alerts?model=departs-late&monitor="),
        (twin.episodes(None, None, 1)[0].id, "Episodes", f"/ui/alerts/{twin.episodes(None, None, 1)[0].id}"),
    ):
        said = await found(twin, asked)
        assert kind in said, asked
        assert href in said, asked


async def test_the_best_comes_first_and_more_are_counted(twin: Twin) -> None:
    """Names that begin with it are before those that hold it, and a long list says how long it is."""
    listed = [(name, more, str) for name, more in (("a temp", ""), ("x", "of temp"), ("Temp", ""), ("y", ""))]
    assert [name for name, _, _ in search._fit(listed, "temp")] == ["Temp", "a temp", "x"]
    assert f"{SHOWN} of " in await found(twin, "a")


async def test_ten_thousand_monitors_are_searched_beside_the_answers_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, and addresses are made of those alone that are shown."""
    twin, threads, made = Twin(), set[int](), list[str]()
    (one, *_), fit = twin.monitors(None), search._fit
    twin._monitors = {one.model: [msgspec.structs.replace(one, name=f"drift {number:05}") for number in range(10_000)]}

    def watched(*given: Any) -> Any:
        threads.add(threading.get_ident())
        return fit(*given)

    class Episodes(Choice):
        @property
        def address(self) -> str:
            made.append(self.monitor)
            return super().address

    monkeypatch.setattr(search, "_fit", watched)
    monkeypatch.setattr(search, "Episodes", Episodes)
    assert f"{SHOWN} of 10,000" in await found(twin, "drift 0")
    assert made == [f"drift {number:05}" for number in range(SHOWN)]
    assert threading.get_ident() not in threads


async def test_what_is_not_there_is_said(twin: Twin) -> None:
    """Hostile text comes back as text; without words nothing is read."""
    said = await found(twin, "<script>nowhere</script>")
    assert "Nothing found" in said
    assert "Write what you look for" in text(await page(Empty(), PATH, "?q=%20"))
    twin.failing = {"models", "episodes"}
    assert "Write what you look for" in text(await page(twin, PATH, ""))
    twin.failing = set()


HOSTILE = ("<script>alert(1)</script>", "x" * 300, "🙂 été", "\u202e\u05d0\u05d1", "a,b=c%2C", "null", '"><img src=x onerror=y>')


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
async def test_any_value_is_found_shown_as_text_and_led_to(value: str) -> None:
    """The text of the link is the value, cut if it is long; its address reads back to the segment; the tooltip has the whole."""
    twin = Twin()
    contract = twin._contracts["departs-late"]
    segment = f"carrier={values.quote(value)}"
    dimensions = (msgspec.structs.replace(contract.dimensions[0], name="carrier", values=(values.quote(value),)),)
    twin._contracts = {"m": msgspec.structs.replace(contract, model="m", dimensions=dimensions)}
    drawn = json.loads(text(await page(twin, PATH, f"?q={quote(f'carrier={value}'[:60])}")))
    (link,) = [one for one in links(drawn) if "segment=" in one["href"]]
    assert PageState.of(link["href"].partition("?")[2]).segment == segment
    said = link["children"] if isinstance(link["children"], str) else link["children"]["props"]["title"]
    assert said == f"carrier={value}"


def links(node: Any) -> list[dict[str, Any]]:
    """The props of all links."""
    if isinstance(node, list):
        return [found for one in node for found in links(one)]
    if not isinstance(node, dict):
        return []
    return ([node["props"]] if node.get("type") == "A" else []) + [found for value in node.values() for found in links(value)]


async def test_help_has_the_words_of_the_glossary(twin: Twin) -> None:
    """All of what people see, in the words of the documentation, without its links."""
    written = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\*\*.+?) \| (.+) \|$", written.partition("## How it works")[0], flags=re.MULTILINE)
    bare = [tuple(re.sub(r"[*`]", "", re.sub(r"\s*\(\[[^]]*\]\([^)]*\)\)", "", one)) for one in row) for row in rows]
    assert bare == list(WORDS)
    said = text(await page(twin, "/ui/help", ""))
    assert "waiting event" in said
    assert "the window before, and the window after" in said
