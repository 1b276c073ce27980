"""Pages without a browser: what is on them, that a failing part does not blank the page, and how many queries they make."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from plotly.io.json import to_json_plotly

from core import moment
from core.contract import Column, Kind
from core.episode import Level, State, Transition
from core.reading import Query
from dashboard import texts as word
from dashboard.pages.episode import _step as step_words
from dashboard.panel import Page
from dashboard.route import page
from dashboard.series import Series, choose
from dashboard.shell import health
from dashboard.state import PageState as Choice
from dashboard.view_model import looked, window_of
from tests.dashboard.twin import Empty, Twin
from tests.dashboard.year import DAYS, START

ADDRESSES = [
    "/ui/",
    "/ui/models",
    "/ui/acknowledged",
    "/ui/monitors",
    "/ui/policy",
    "/ui/pipeline",
    "/ui/deliveries",
    "/ui/models/departs-late",
    "/ui/models/arrival-delay",
    "/ui/models/departs-late/performance",
    "/ui/models/arrival-delay/performance",
    "/ui/models/departs-late/drift",
    "/ui/models/departs-late/quality",
    "/ui/models/departs-late/trust",
    "/ui/models/arrival-delay/trust",
    "/ui/models/departs-late/retraining",
    "/ui/models/arrival-delay/retraining",
    "/ui/models/departs-late/compare",
    "/ui/models/departs-late/columns/temp",
    "/ui/models/departs-late/columns/carrier",
]

NOW = START + (DAYS + 3) * moment.DAY


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


def text(drawn: Page) -> str:
    """All that is on a page, as its JSON."""
    return json.dumps(json.loads(to_json_plotly(drawn.body)), ensure_ascii=False)


class Asked:
    """A reader that counts the calls of another one."""

    def __init__(self, reader: Twin) -> None:
        self.reader, self.rows, self.calls = reader, 0, Counter[str]()
        self.measures = reader.measures

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
    """Without a model every page says what is missing, and none fails."""
    found = text(await page(Empty(), address, ""))
    assert "could not be drawn" not in found
    said = (
        "No model yet",
        "There is no model",
        "has no column",
        "There is no policy",
        "No delivery",
        "No monitor",
        "No acknowledged episode",
        "1. Send an event",
    )
    assert any(word in found for word in said)


async def test_the_model_page_asks_only_for_what_it_draws(twin: Twin) -> None:
    """A year, 20 segments, 10 columns: the readings asked for are those of one segment and of one grouping, in at most seventeen questions."""
    asked = Asked(twin)
    await page(asked, "/ui/models/departs-late", "?range=365d&by=carrier")
    assert asked.rows <= 365 * (3 + 16 + 10) + 40
    assert asked.calls["readings"] <= 6
    assert asked.calls.total() <= 17


async def test_the_model_page_says_what_is_none_of_its_classes() -> None:
    """How many predictions and labels, and which classes there are; nothing where there are none."""
    twin = Twin()
    said = "came with a class that the model does not have"
    assert said not in text(await page(twin, "/ui/models/departs-late", ""))
    twin.strangers = {"predictions": 1_200, "labels": 1}
    assert f"1,200 predictions and 1 label {said} (" in text(await page(twin, "/ui/models/departs-late", ""))


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


async def test_an_episode_of_a_paused_monitor_says_so() -> None:
    """It is marked on its page and in the inbox while it is open, and no other is. Owner and description are on its page; the runbook is a link."""
    paused = Twin()
    one, ended = (paused.episodes(state, None, 500)[0] for state in ("open", "closed"))
    words: dict[str, Any] = {"owner": "flight desk", "description": "what it is for", "runbook": "https://wiki.example.org/late"}
    paused._episodes = [msgspec.structs.replace(one, **words), ended]
    episode = text(await page(paused, f"/ui/alerts/{one.id}", ""))
    assert '"Paused"' not in episode + text(await page(paused, "/ui/", ""))
    assert all(f'"{word}"' in episode for word in (*words.values(), "Owner", "Runbook"))
    assert '"href": "https://wiki.example.org/late"' in episode
    paused._monitors = {model: [msgspec.structs.replace(each, enabled=False) for each in of] for model, of in paused._monitors.items()}
    found = [text(await page(paused, path, "")) for path in (f"/ui/alerts/{one.id}", "/ui/", f"/ui/alerts/{ended.id}")]
    assert ['"Paused"' in each for each in found] == [True, True, False]


async def test_an_episode_shows_its_sentence_rule_and_deliveries(twin: Twin) -> None:
    """Why it fired, under which rule, and to which destinations it was sent."""
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
    ("status", "age", "icon", "said"),
    [
        ({"quiet": True, "problems": []}, 40 * moment.SECOND, "✓", "Newest event 40 s ago"),
        ({"quiet": True, "problems": []}, 3 * moment.DAY, "○", "Newest event 3 d ago"),
        ({"quiet": True, "problems": []}, None, "○", "No event yet"),
        ({"quiet": False, "problems": []}, 3 * moment.DAY, "↻", "Catching up · newest event 3 d ago"),
        ({"quiet": True, "problems": ["disk is full", "late"]}, 3 * moment.DAY, "▲", "2 problems · newest event 3 d ago"),
        ({"quiet": True, "problems": ["x" * 300]}, 3 * moment.DAY, "▲", "1 problem · newest event 3 d ago"),
        ({"problems": [{"title": "chDB is away"}]}, None, "▲", "chDB is away"),
    ],
)
def test_the_head_says_whether_the_page_can_be_trusted(
    status: dict[str, Any], age: int | None, icon: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A problem before everything else; then how old the newest event is, which is green only where it came lately."""
    monkeypatch.setattr(word, "now", lambda: NOW)
    head = health(status, None if age is None else NOW - age)
    assert (head[0].children, "".join(part if isinstance(part, str) else part.children for part in head[1:]).strip()) == (icon, said)


async def test_the_inbox_lists_the_problems_of_the_service(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, for the head has no room for them; without a problem there is no such card."""
    assert "Problems of the service" not in text(await page(twin, "/ui/", ""))
    wrong = ["destination oncall: 3 attempts in a row failed; look at the receiver", "x" * 300]
    monkeypatch.setattr(twin, "status", lambda: {"quiet": True, "problems": wrong})
    shown = text(await page(twin, "/ui/", ""))
    assert all(f'"children": "{one}"' in shown for one in wrong)


async def test_a_model_says_that_its_reference_should_be_given_again(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """On its overview."""
    assert "give the same file again" not in text(await page(twin, "/ui/models/departs-late", ""))
    row = twin.model("departs-late")
    assert row is not None
    told = replace(row, advice=["an earlier version; give the same file again"])
    monkeypatch.setattr(twin, "model", lambda _model: told)
    assert "give the same file again" in text(await page(twin, "/ui/models/departs-late", ""))


def test_the_twin_answers_as_the_seam_says(twin: Twin) -> None:
    """Half-open in time; a grouping selects its values and no cross."""
    starts = twin.readings(
        Query(model="departs-late", monitor="accuracy", segment="origin", start=1_357_084_800_000_000, end=1_357_171_200_000_000)
    )
    assert starts.num_rows == 3


async def test_an_episode_is_drawn_within_its_data(twin: Twin) -> None:
    """Twelve windows before it where they are there, four after its end; nothing is drawn where no reading can be."""
    for one in (*twin.episodes("closed", None, 500)[::40], *twin.episodes("open", None, 500)[:3]):
        drawn = json.loads(to_json_plotly((await page(twin, f"/ui/alerts/{one.id}", "")).body))
        chart = next(figure for figure in figures(drawn) if figure["layout"].get("meta", {}).get("pick") == "window")
        low, high = (moment.parse(time) for time in chart["layout"]["xaxis"]["range"])
        end = START + DAYS * moment.DAY
        assert low == max(START, one.started_at - 12 * moment.DAY)
        assert high == (end if one.ended_at is None else min(end, one.ended_at + 4 * moment.DAY))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (State.NORMAL, State.FIRING, "fired"),
        (State.RESOLVED, State.FIRING, "fired"),
        (State.PENDING, State.FIRING, "fired"),
        (State.FIRING, State.FIRING, "critical reached"),
        (State.RECOVERING, State.FIRING, "firing again"),
        (State.FIRING, State.NODATA, "no data"),
        (State.RECOVERING, State.RESOLVED, "resolved"),
    ],
)
def test_a_step_of_an_episode_is_said_of_the_episode(before: State, after: State, words: str) -> None:
    """Not of its rule: a new episode fires, even if its rule had resolved an older one."""
    step = Transition(
        episode="e", at=0, before=before, after=after, level=Level.CRITICAL, reason="", window_start=0, window_end=1, revision=1
    )
    assert step_words(step) == words


def test_the_window_looked_at_is_the_newest_that_was_judged() -> None:
    """A fragment of a day at the end is passed over, and the page says so; a chosen window is kept; where nothing was judged, the newest value."""
    series = replace(blank(4), value=[1.0, 2.0, 3.0, 4.0], verdict=["ok", "warn", "insufficient", "insufficient"])
    assert (window_of(Choice(), series), looked(Choice(), series, 1)) == (1, "Window of 1970-01-02, the newest with enough samples")
    chosen = Choice(window=2 * moment.DAY)
    assert (window_of(chosen, series), looked(chosen, series, 2)) == (2, "Window of 1970-01-03, as chosen")
    thin = replace(series, verdict=["insufficient"] * 4)
    assert (window_of(Choice(), thin), looked(Choice(), thin, 3)) == (3, "Window of 1970-01-04, the newest")


@pytest.mark.parametrize("verdict", ["insufficient", "ok"])
def test_an_unfinished_window_is_not_what_is_looked_at_first(verdict: str) -> None:
    """The data end one event into the fourth day: the third is looked at, whether or not one sample is enough; alone, the fragment is."""
    series = replace(blank(4), value=[1.0, 2.0, 3.0, 4.0], n=[50, 48, 52, 1], verdict=[verdict] * 4)
    assert window_of(Choice(), series) == 2
    assert "1970-01-03, the newest" in looked(Choice(), series, 2)
    alone = replace(blank(4), value=[None, None, None, 4.0], n=[0, 0, 0, 1], verdict=["nodata"] * 3 + [verdict])
    assert window_of(Choice(), alone) == 3


def blank(size: int) -> Series:
    """Daily windows without a reading."""
    none: list[Any] = [None] * size
    return Series(0, moment.DAY, none, none, none, none, none, none, [""] * size, none)


def figures(node: Any) -> list[dict[str, Any]]:
    """All figures of a drawn page."""
    if isinstance(node, dict):
        own = [node["figure"]] if "figure" in node else []
        return own + [figure for value in node.values() for figure in figures(value)]
    return [figure for value in node for figure in figures(value)] if isinstance(node, list) else []


async def test_the_pipeline_tells_what_waits_and_what_could_not_be_used(twin: Twin) -> None:
    """Rows of the last hour by topic, dead letters with their reason and place, and the oldest event of each model."""
    drawn = text(await page(twin, "/ui/pipeline", ""))
    for said in (
        "Records waiting",
        "8,760",
        "no time zone: write 2013-07-01T00:00:00Z",
        "0/7/2",
        "Slots repaired",
        "Event time",
        "departs-late",
    ):
        assert said in drawn


async def test_signals_are_offered_where_the_contract_has_them(twin: Twin) -> None:
    """The page Drift leads to each; the page of one that no monitor watches shows its distribution, and its drift computed on demand."""
    model = "departs-late"
    assert "Signals" not in text(await page(twin, f"/ui/models/{model}/drift", ""))
    before = twin._contracts[model]
    signals = (
        Column(name="@latency_ms", kind=Kind.NUMERIC, edges=(1.0, 10.0, 100.0)),
        Column(name="@status", kind=Kind.CATEGORICAL, categories=("ok", "error")),
    )
    twin._contracts[model] = msgspec.structs.replace(before, signals=signals)
    try:
        offered = text(await page(twin, f"/ui/models/{model}/drift", ""))
        assert all(f"columns/{one.name}" in offered for one in signals)
        for one in signals:
            shown = text(await page(twin, f"/ui/models/{model}/columns/{one.name}", ""))
            assert "No monitor watches this: computed now, not stored, no alarms." in shown
            assert f"{one.name}: " in shown
    finally:
        twin._contracts[model] = before


async def test_the_page_trust_says_where_the_model_must_not_be_trusted_and_why(twin: Twin) -> None:
    """The worst segment first, with the reading that makes its state; a model without states says what would give it some."""
    said = text(await page(twin, "/ui/models/departs-late/trust", ""))
    assert "Do not trust it in 1 of 4 segments" in said
    places = [said.index(words) for words in ("carrier=UA", "carrier=DL (version 2)", "carrier=OO")]
    assert places == sorted(places)
    assert "critical from 0.1" in said
    assert "no judged reading tells how right it is" in said
    assert "No state yet" in text(await page(twin, "/ui/models/arrival-delay/trust", ""))


async def test_the_page_retraining_asks_a_person_and_says_what_helped(twin: Twin) -> None:
    """What waits has buttons, what ended has its effect; a model without a hook says how to set one up."""
    said = text(await page(twin, "/ui/models/departs-late/retraining", ""))
    for part in (
        "Waits for you",
        "Approve",
        "run 3",
        "effective",
        "accuracy of version 2: 0.95, 0.94",
        "10,000 rows",
        "ada",
        "every 7d",
        "overdue",
        "1234567.25",
    ):
        assert part in said, part
    assert said.index("Approve") < said.index("accuracy fell to 0.61")  # a phone shows the first columns
    assert "No hook asks for retraining" in text(await page(twin, "/ui/models/arrival-delay/retraining", ""))


async def test_the_page_trust_shows_how_sure_the_model_is(twin: Twin) -> None:
    """Calibration over time, and the reliability of scores over the period."""
    shown = await page(twin, "/ui/models/departs-late/trust", "")
    names = {trace.get("name") for figure in figures(json.loads(text(shown))) for trace in figure["data"]}
    assert {"ECE", "Calibration", "As the score says"} <= names
    assert "Reliability" in text(shown)
