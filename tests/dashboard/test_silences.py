"""The page of silences: who hides what, why and until when, what it matches, what it has held back, and how it ends."""

from __future__ import annotations

from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.twin import Empty, Twin

PATH = "/ui/silences"


async def test_the_list_says_all_of_each_and_ends_one() -> None:
    """Those that are over have a view of their own, and no button."""
    drawn = await page(Twin(), PATH, "")
    said = text(drawn)
    for words in ("family drift", "active", "2100-01-01 00:00", "deploy", "End now", "2 episodes"):
        assert words in said
    assert all(f"/ui/alerts/{name}" in str(drawn.body) for name in ("ep_a", "ep_b"))
    over = text(await page(Twin(), PATH, "?state=over"))
    assert ("oncall (signed link)" in over, "End now" in over, "family drift" in over) == (True, False, False)
    assert "2 silences" in text(await page(Twin(), PATH, "?state=all"))
    assert "state: 'x' is none of over, all" in text(await page(Twin(), PATH, "?state=x"))


async def test_without_any_it_says_how_one_is_made() -> None:
    """By the command, which shows first what it would hold."""
    assert "watchkeeper silence add" in text(await page(Empty(), PATH, ""))
