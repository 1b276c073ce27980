"""Pages without a browser: what is on them, what fails alone, how little is asked."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from plotly.io.json import to_json_plotly

from core.reading import Query
from dashboard.panel import Page
from dashboard.route import page
from dashboard.series import choose
from dashboard.shell import health
from tests.dashboard.twin import Empty, Twin

ADDRESSES = [
    "/ui/",
    "/ui/models",
    "/ui/models/departs-late",
    "/ui/models/arrival-delay",
    "/ui/models/departs-late/columns/temp",
    "/ui/models/departs-late/columns/carrier",
]


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


def text(drawn: Page) -> str:
    """All that is on a page, as its JSON."""
    return json.dumps(json.loads(to_json_plotly(drawn.body)), ensure_ascii=False)


class Asked:
    """A reader that counts what is asked of another."""

    def __init__(self, reader: Twin) -> None:
        self.reader, self.rows, self.calls = reader, 0, Counter[str]()

    def __getattr__(self, name: str) -> Any:
        def asked(*given: Any) -> Any:
            self.calls[name] += 1
            answer = getattr(self.reader, name)(*given)
            self.rows += answer.num_rows if name == "readings" else 0
            return answer

        return asked


@pytest.mark.parametrize("address", ADDRESSES)
async def test_no_panel_of_a_page_fails(address: str, twin: Twin) -> None:
    """Drawn whole, over any period, for a thin segment and a segment that is not there."""
    for search in (
        "",
        "?range=all",
        "?range=7d&segment=carrier%3DOO",
        "?segment=carrier%3DNOBODY",
        "?from=2000-01-01T00:00:00Z&to=2000-02-01T00:00:00Z",
        "?window=2013-09-17T00:00:00Z",
    ):
        assert "could not be drawn" not in text(await page(twin, address, search)), search


@pytest.mark.parametrize("address", ADDRESSES)
async def test_an_installation_where_nothing_happened_says_so(address: str) -> None:
    """No model: every page says what is missing, and none fails."""
    found = text(await page(Empty(), address, ""))
    assert "could not be drawn" not in found
    assert any(word in found for word in ("No model yet", "There is no model", "has no column"))


async def test_the_model_page_asks_only_for_what_it_draws(twin: Twin) -> None:
    """A year, 20 segments, 10 columns: the readings asked for are those of one segment and of one grouping, in at most a dozen questions."""
    asked = Asked(twin)
    await page(asked, "/ui/models/departs-late", "?range=365d&by=carrier")
    assert asked.rows <= 365 * (3 + 16 + 10) + 40
    assert asked.calls["readings"] <= 6
    assert asked.calls.total() <= 14


@pytest.mark.parametrize("part", ["readings", "traffic", "histogram"])
async def test_a_reader_that_fails_in_one_question_leaves_the_others(part: str) -> None:
    """The page is there, and says which part is not."""
    broken = Twin()
    broken.failing.add(part)
    address = "/ui/models/departs-late" if part != "histogram" else "/ui/models/departs-late/columns/temp"
    drawn = await page(broken, address, "")
    assert "could not be drawn" in text(drawn)
    assert drawn.title.endswith("departs-late")


async def test_the_inbox_groups_a_storm_and_puts_the_worst_first(twin: Twin) -> None:
    """One row a monitor, however many of its columns and segments are in alarm."""
    opened = twin.episodes("open", None, 500)
    found = text(await page(twin, "/ui/", ""))
    groups = {(one.model, one.monitor) for one in opened}
    assert found.count('"className": "episode critical"') + found.count('"className": "episode warn"') == len(groups)
    assert f'"{len(opened)}"' in found


async def test_a_quiet_inbox_shows_that_it_is_alive(twin: Twin) -> None:
    """All quiet, and up to when data were seen."""
    quiet = Twin()
    quiet._episodes = []
    found = text(await page(quiet, "/ui/", ""))
    assert "All quiet" in found
    assert "2013-12-31 23:00 UTC" in found


async def test_an_episode_shows_its_sentence_rule_and_deliveries(twin: Twin) -> None:
    """Why, under which rule, and who was told."""
    one = next(one for one in twin.episodes("closed", None, 500) if one.deliveries)
    found = text(await page(twin, f"/ui/alerts/{one.id}", ""))
    assert json.dumps(one.reason)[1:-1] in found
    assert "fired to oncall: delivered, 1 attempt, last answer 204" in found
    assert "Revision 1 of" in found


def test_the_shown_monitor_is_the_wanted_one_else_one_with_limits(twin: Twin) -> None:
    """Two monitors take one measure: the choice is never by chance."""
    monitors = twin.monitors("departs-late")
    chosen = choose(monitors, "drift.psi")
    wanted = choose(monitors, "drift.psi", "default-drift.psi")
    assert chosen is not None
    assert chosen.name == "input-drift"
    assert wanted is not None
    assert wanted.name == "default-drift.psi"
    assert choose(monitors, "performance.mae") is None


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"quiet": True, "problems": []}, "Up to date"),
        ({"quiet": False, "problems": []}, "Catching up"),
        ({"quiet": True, "problems": ["disk is full", "late"]}, "disk is full and 1 more"),
        ({"problems": [{"title": "chDB is away"}]}, "chDB is away"),
    ],
)
def test_the_head_says_whether_the_page_can_be_trusted(status: dict[str, Any], said: str) -> None:
    """A problem before everything else."""
    assert str(health(status)[-1]).strip() == said


def test_the_twin_answers_as_the_seam_says(twin: Twin) -> None:
    """Half-open in time; a grouping selects its values and no cross."""
    starts = twin.readings(
        Query(model="departs-late", monitor="accuracy", segment="origin", start=1_357_084_800_000_000, end=1_357_171_200_000_000)
    )
    assert starts.num_rows == 3
