"""What a link from a notification opens: the episode with its facts, and the window that it names, however old."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from core import moment
from core.reading import Query
from dashboard import texts as word
from tests.browser.conftest import Served, Window
from tests.dashboard.year import START

pytestmark = pytest.mark.browser


def test_an_escalated_episode_shows_at_firing_worst_and_its_end(tab: Window, served: Served) -> None:
    """Three facts, each with the value and the window of its own reading; the badge of the worst is that of the episode."""
    one = next(
        one
        for one in served.reader.episodes("closed", None, 5000)
        if one.measure == "performance.roc_auc" and one.window_end != one.fired_at and one.segment == "all"
    )
    rows = served.reader.readings(
        Query(model=one.model, monitor=one.monitor, column="", segment="all", start=one.started_at, end=one.ended_at)
    ).to_pylist()
    assert one.ended_at is not None
    fired, worst = rows[0], min(rows, key=lambda row: row["value"])
    tab.open(f"/ui/alerts/{one.id}")
    facts = tab.page.locator("main .facts > div")
    expect(facts).to_have_count(3)
    for place, (name, row) in enumerate((("At firing", fired), ("Worst", worst), ("At its end", rows[-1]))):
        expect(facts.nth(place).locator("dt")).to_have_text(name)
        expect(facts.nth(place).locator("strong")).to_have_text(word.number(row["value"]))
        expect(facts.nth(place)).to_contain_text(moment.period(row["window_start"], row["window_end"]))
    expect(facts.nth(1).locator(".badge")).to_have_text(tab.page.locator("main .title .badge").inner_text())


def test_an_old_link_opens_its_own_window(tab: Window, served: Served) -> None:
    """Ten months before the newest: the number, the band and the chip are those of the link, and the period says where it is."""
    day = START + 40 * moment.DAY
    table = served.reader.readings(Query(model="departs-late", monitor="accuracy", column="", segment="all", start=day, end=day + 1))
    tab.open(f"/ui/models/departs-late?measure=performance.accuracy&monitor=accuracy&window={moment.text(day)}")
    expect(tab.page.locator("main .facts strong").first).to_have_text(word.number(table["value"][0].as_py()))
    expect(tab.page.locator(".chips")).to_contain_text("Window at 2013-02-10")
    expect(tab.page.locator(".chips")).to_contain_text("1 Jan to 31 Mar 2013, around the window")
    expect(tab.page.locator("[aria-label=Period] [aria-current]")).to_have_count(0)
    expect(tab.page.locator(".card").first).to_contain_text(re.compile("Window of 2013-02-10, as chosen"))
    band = tab.page.evaluate("() => document.querySelector('#performance .js-plotly-plot').layout.shapes[0].x0")
    assert band.startswith("2013-02-10")
