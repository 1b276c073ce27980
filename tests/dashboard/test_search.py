"""Search finds models, columns, segments, monitors and episodes; help says the keys and the words."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from dashboard.glossary import WORDS
from dashboard.pages import search
from dashboard.pages.search import SHOWN
from dashboard.route import page
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
    listed = [("a temp", "", "1"), ("x", "of temp", "2"), ("Temp", "", "3"), ("y", "", "4")]
    assert [href for _, _, href in search._fit(listed, "temp")] == ["3", "1", "2"]
    assert f"{SHOWN} of " in await found(twin, "a")


async def test_what_is_not_there_is_said(twin: Twin) -> None:
    """Hostile text comes back as text; without words nothing is read."""
    said = await found(twin, "<script>nowhere</script>")
    assert "Nothing found" in said
    assert "Write what you look for" in text(await page(Empty(), PATH, "?q=%20"))
    twin.failing = {"models", "episodes"}
    assert "Write what you look for" in text(await page(twin, PATH, ""))
    twin.failing = set()


async def test_help_has_the_words_of_the_glossary(twin: Twin) -> None:
    """All of what people see, in the words of the documentation, without its links."""
    written = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\*\*.+?) \| (.+) \|$", written.partition("## How it works")[0], flags=re.MULTILINE)
    bare = [tuple(re.sub(r"[*`]", "", re.sub(r"\s*\(\[[^]]*\]\([^)]*\)\)", "", one)) for one in row) for row in rows]
    assert bare == list(WORDS)
    said = text(await page(twin, "/ui/help", ""))
    assert "waiting event" in said
    assert "the window before, and the window after" in said
