"""The page Contracts and baselines of a model."""

from __future__ import annotations

from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin

ADDRESS = "/ui/models/departs-late/contracts"


async def test_versions_say_what_changed_when_and_by_whom() -> None:
    """The newest first, each with the rows and the period of its reference."""
    shown = text(await page(Twin(), ADDRESS, ""))
    assert "2 versions of the contract" in shown
    assert shown.index("VX of carrier is a segment of its own") < shown.index("the first one")
    assert all(said in shown for said in ("2013-05-01 00:00", "watchkeeper", "ana", "28,000 rows, 2012-01-02 to 2012-12-31"))


async def test_baselines_say_which_monitors_compare_with_them() -> None:
    """By their words, with the title of each monitor's measure."""
    shown = text(await page(Twin(), ADDRESS, ""))
    assert "Baselines in use" in shown
    assert "the reference" in shown
    assert "input-drift" in shown
    assert "The reference came with version 1: 28,000 rows" in shown  # the second version took up a value, and brought none


async def test_a_model_that_is_not_there_has_no_versions() -> None:
    """As on all pages of a model."""
    assert "There is no model" in text(await page(Twin(), "/ui/models/none/contracts", ""))
