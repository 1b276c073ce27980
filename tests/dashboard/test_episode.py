"""The page of an episode: its facts, its level, and where it was worst."""

from __future__ import annotations

import copy
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from plotly.io.json import to_json_plotly

from core import moment
from core.baseline.reference import Reference
from core.baseline.rows import Version
from core.episode import Delivery, DeliveryState, Episode, Level, State
from core.monitor import Monitor
from core.reading import FIELDS, Query, Reading, Verdict
from dashboard import late
from dashboard import texts as word
from dashboard.event_filter import EventFilter
from dashboard.pages.cause import _events, _listed, _of_bin
from dashboard.pages.course import _clipped, episode_facts
from dashboard.pages.episode import _delivery
from dashboard.period import Period, shift
from dashboard.rank import Slice, ranked
from dashboard.route import page
from dashboard.site import LATE
from dashboard.subject import life
from detectors.catalogue import MEASURES
from tests.dashboard.test_page import text
from tests.dashboard.test_site import parts
from tests.dashboard.twin import Twin
from tests.dashboard.year import START

PSI = MEASURES["drift.psi"]
DRIFT = Monitor(name="drift", model="m", measure="drift.psi", baseline=Reference(), warn=1, critical=2.5, persist=(2, 3))
VALUES = [0.2, 1.2, 5.45, 8.6, 0.8, 2.19]  # fires at 5.45 with the second of three, is worst at 8.6, is at warn now


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


def reading(day: int, revision: int = 1, **changes: Any) -> Reading:
    """The reading of a day."""
    value = changes.pop("value", VALUES[day])
    verdict = Verdict.CRITICAL if value >= 2.5 else Verdict.WARN if value >= 1 else Verdict.OK
    window = {"window_start": day * moment.DAY, "window_end": (day + 1) * moment.DAY}
    return Reading(
        monitor="drift",
        model="m",
        measure="drift.psi",
        value=value,
        n_target=900,
        **{"verdict": verdict, "revision": revision, **window, **changes},
    )


def episode(**changes: Any) -> Episode:
    """An episode that fired on the third day and is open."""
    fields: dict[str, Any] = {
        "id": "e", "model": "m", "monitor": "drift", "measure": "drift.psi", "column": "temp", "segment": "all", "state": State.FIRING,
        "severity": DRIFT.severity, "level": Level.WARN, "started_at": moment.DAY, "fired_at": 3 * moment.DAY, "reason": "because",
        "window_start": 2 * moment.DAY, "window_end": 3 * moment.DAY, "value": 5.45, "threshold": DRIFT.threshold, "definition": DRIFT,
        "reading": reading(2), "fired": reading(2),
    }  # fmt: skip
    return Episode(**{**fields, **changes})


def rows(*readings: Reading) -> list[dict[str, Any]]:
    """Readings as the store gives them."""
    return [{name: msgspec.to_builtins(getattr(one, name)) for name in FIELDS} for one in readings]


def test_facts_are_at_firing_worst_and_now_each_of_its_window() -> None:
    """5.45 fired it, 8.6 was the worst, 2.19 is now; each with the verdict that the table of the same window shows."""
    facts = episode_facts(episode(), PSI, rows(*map(reading, range(6))))
    assert [(name, row and (row["value"], row["verdict"], row["window_start"] // moment.DAY)) for name, row, _ in facts] == [
        ("At firing", (5.45, "critical", 2)),
        ("Worst", (8.6, "critical", 3)),
        ("Now", (2.19, "warn", 5)),
    ]


def test_an_escalation_does_not_take_the_place_of_the_firing() -> None:
    """The value at firing is kept; of an older record, it is read from the readings of the window that fired."""
    escalated = episode(level=Level.CRITICAL, reading=reading(3), value=8.6, window_start=3 * moment.DAY, window_end=4 * moment.DAY)
    older = msgspec.structs.replace(escalated, fired=None)
    for one in (escalated, older):
        name, row, _ = episode_facts(one, PSI, rows(*map(reading, range(6))))[0]
        assert (name, row and row["value"]) == ("At firing", 5.45)


def test_a_revision_changes_worst_and_now_and_not_what_was_told() -> None:
    """If late data make the worst day harmless, another day is the worst; the value at firing stays, beside its current value."""
    late = rows(reading(0), reading(1), reading(2, 2, value=4.0), reading(3, 2, value=0.5), reading(4), reading(5, 2, value=3.1))
    facts = {name: (row and row["value"], note) for name, row, note in episode_facts(episode(), PSI, late)}
    assert facts == {"At firing": (5.45, "evaluated again since: 4"), "Worst": (4.0, ""), "Now": (3.1, "")}


def test_the_worst_is_of_the_episode_and_of_windows_that_were_judged() -> None:
    """Not of a day before it began or after it ended, nor of a day with too few samples."""
    thin = reading(4, value=99.0, verdict=Verdict.INSUFFICIENT)
    found = episode_facts(
        episode(ended_at=5 * moment.DAY),
        PSI,
        rows(reading(0, value=50.0), reading(1), reading(2), reading(3), thin, reading(5, value=70.0)),
    )
    assert [(name, row and row["value"]) for name, row, _ in found] == [("At firing", 5.45), ("Worst", 8.6), ("At its end", 8.6)]


def test_now_is_the_newest_judged_window_and_says_what_came_since() -> None:
    """A later day without rows is mentioned, and is not the value."""
    gone = reading(5, value=0.0, verdict=Verdict.NODATA, reason="no predictions")
    assert episode_facts(episode(), PSI, rows(*map(reading, range(5)), gone))[2][1:] == (rows(reading(4))[0], "since then: no predictions")


def test_an_episode_of_a_comparison_has_a_now_and_no_worst() -> None:
    """Each verdict is of all windows so far."""
    monitor = msgspec.structs.replace(
        DRIFT, measure="compare.difference", baseline=Version("1"), other=Version("2"), warn=None, critical=None
    )
    some = [reading(day, value=value, verdict=Verdict.WORSE) for day, value in ((2, -0.2), (3, -0.1))]
    one = episode(measure="compare.difference", definition=monitor, fired=some[0], reading=some[0], value=-0.2)
    found = episode_facts(one, MEASURES["compare.difference"], rows(*some))
    assert [(name, row and row["value"]) for name, row, _ in found] == [("At firing", -0.2), ("Now", -0.1)]


@pytest.mark.parametrize(
    ("measure", "values", "worst"), [("performance.accuracy", [0.8, 0.6, 0.7], 0.6), ("performance.mae", [4.0, 9.0, 5.0], 9.0)]
)
def test_the_worst_is_on_the_bad_side_of_the_measure(measure: str, values: list[float], worst: float) -> None:
    """The lowest accuracy, the largest error; with a baseline that moves, the furthest from it."""
    monitor = msgspec.structs.replace(DRIFT, measure=measure, baseline=None)
    some = [reading(day, value=value, verdict=Verdict.WARN) for day, value in enumerate(values)]
    one = episode(measure=measure, definition=monitor, started_at=0)
    found = episode_facts(one, MEASURES[measure], rows(*some))[1][1]
    assert found is not None
    assert found["value"] == worst


async def test_a_page_shows_each_fact_with_its_window_and_a_verdict(twin: Twin) -> None:
    """Three facts, three windows; where a window was critical in an episode at warn, the page says why that is so."""
    for one in (*twin.episodes("closed", None, 500)[::60], *twin.episodes("open", None, 500)[:2]):
        drawn = text(await page(twin, f"/ui/alerts/{one.id}", ""))
        assert "could not be drawn" not in drawn
        assert all(f'"{name}"' in drawn for name in ("At firing", "Worst", "Now" if one.ended_at is None else "At its end"))


async def test_an_episode_says_what_its_chart_leaves_out_and_that_it_has_no_data(twin: Twin) -> None:
    """One that is open longer than a chart has windows is drawn from its beginning; `nodata` is two words."""
    hours = _clipped(Period(0, 9 * moment.HOUR, moment.HOUR), [0, 20 * moment.HOUR])
    assert shift(hours) == "9 hours (1,500 windows at most)"
    assert shift(_clipped(Period(0, 9 * moment.HOUR, moment.HOUR), [0, 4 * moment.HOUR])) == "5 hours"
    reader = copy.copy(twin)
    reader._episodes = [msgspec.structs.replace(one, state=State.NODATA) for one in twin._episodes]
    for address in ("/ui/alerts", f"/ui/alerts/{twin._episodes[0].id}"):
        shown = text(await page(reader, address, ""))
        assert ('"no data"' in shown, '"nodata"' in shown) == (True, False)


async def test_ages_agree_on_inbox_and_episode(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both say since when by the same clock: 30 days on one is 30 days on the other."""
    one = twin.episode(re.findall(r'"/ui/alerts/([^"?]+)"', text(await page(twin, "/ui/", "")))[0])
    assert one is not None
    monkeypatch.setattr(word, "now", lambda: one.started_at + 30 * moment.DAY + moment.HOUR)
    assert life(one) == f"open since {word.instant(one.started_at)}, 30 d ago"
    for address in ("/ui/", f"/ui/alerts/{one.id}"):
        assert life(one) in text(await page(twin, address, ""))


async def test_segments_are_listed_one_dimension_at_a_time(twin: Twin) -> None:
    """Origins or carriers, never both, and never all traffic among them; another dimension is one click away."""
    one = next(one for one in twin.episodes(None, None, 500) if one.measure == "performance.accuracy" and one.segment == "all")
    for by, other in (("origin", "carrier"), ("carrier", "origin")):
        drawn = json.loads(to_json_plotly((await page(twin, f"/ui/alerts/{one.id}", f"?by={by}")).body))
        card = json.dumps(next(part for part in drawn if f" by {by}" in json.dumps(part)))
        assert f"segment={by}%3D" in card
        assert f"segment={other}%3D" not in card
        assert f"?by={other}" in card or other == "origin"


def test_what_counts_most_is_gap_times_share() -> None:
    """A large segment that is a little worse comes before a tiny one that is much worse; segments with few rows come last. All are compared with the baseline."""
    monitor = Monitor(name="a", model="m", measure="performance.accuracy", baseline=Reference(), warn=0.03)
    slices = [
        Slice("tiny", 0.5, 0.8, 210, 1, "critical", None),
        Slice("large", 0.7, 0.8, 5_000, 1, "critical", None),
        Slice("low and as ever", 0.4, 0.4, 4_000, 1, "ok", None),
        Slice("thin", 0.1, 0.8, 20, 1, "insufficient", "too few"),
        Slice("none", None, 0.8, 0, 1, "nodata", "no rows"),
    ]
    about = MEASURES[monitor.measure]
    assert [one.name for one in ranked(slices, monitor, about, parts=True)] == ["large", "tiny", "low and as ever", "thin", "none"]
    alone = ranked(slices[:3], msgspec.structs.replace(monitor, baseline=None), about, parts=True)
    assert [one.name for one in alone] == ["low and as ever", "tiny", "large"]


def test_notifications_of_one_episode_say_which_level_they_told() -> None:
    """An episode that got worse is notified twice, each time as fired."""
    row = Delivery(
        id="1", destination="oncall", episode="e", type="episode.fired", body="", created=0, due=0, state=DeliveryState.DELIVERED
    )
    rows = [msgspec.structs.replace(row, body=json.dumps({"data": {"level": level}})) for level in ("warn", "critical")]
    assert [_delivery(one) for one in rows] == ["fired (warn) to oncall: delivered", "fired (critical) to oncall: delivered"]
    assert _delivery(msgspec.structs.replace(row, type="episode.resolved")) == "resolved to oncall: delivered"


def test_a_notification_that_was_not_sent_says_why() -> None:
    """In the words of the page."""
    row = Delivery(
        id="1",
        destination="oncall",
        episode="e",
        type="episode.fired",
        body="",
        created=0,
        due=0,
        state=DeliveryState.NOT_SENT,
        reason="older than 2 days",
    )
    assert _delivery(row) == "Not sent to oncall: older than 2 days"


async def test_an_old_link_shows_its_own_window(twin: Twin) -> None:
    """Ten months back, without a period in the link: the value of that day, and the chip of that day."""
    day = START + 40 * moment.DAY
    table = twin.readings(_query(day))
    value = word.number(table["value"][0].as_py())
    shown = text(await page(twin, "/ui/models/departs-late", f"?measure=performance.accuracy&monitor=accuracy&window={moment.text(day)}"))
    assert f"Window of {moment.text(day)[:10]}, as chosen" in shown
    assert f'"{value}"' in shown
    assert "Accuracy, 1 Jan to 31 Mar 2013" in shown  # 90 days, though the data begin 40 days before the window


def _query(day: int) -> Query:
    return Query(model="departs-late", monitor="accuracy", measure="performance.accuracy", column="", segment="all", start=day, end=day + 1)


async def test_the_causes_come_later_and_a_segment_filters_the_columns(twin: Twin) -> None:
    """The page has a place for them; of a chosen slice that panes do not hold, columns lead to pages of the episode's own segment."""
    one = next(one for one in twin.episodes(None, None, 500) if one.measure == "performance.accuracy" and one.segment == "all")
    assert f'[\\"causes\\", \\"{one.id}\\"' in text(await page(twin, f"/ui/alerts/{one.id}", "")).replace('\\\\"', '\\"')
    asked = json.dumps(["causes", one.id, ""])
    drawn = json.dumps(json.loads(to_json_plotly(await late.draw(twin, LATE, asked))))
    assert "72 % of it comes from" in drawn
    assert f"/ui/alerts/{one.id}?segment=carrier%3DEV%2Corigin%3DEWR" in drawn
    assert f"/ui/models/{one.model}/events/p1?segment=carrier%3DEV%2Corigin%3DEWR" in drawn
    chosen = json.dumps(["causes", one.id, "?segment=temp%3D%5B-inf%252C3)"])
    within = json.dumps(json.loads(to_json_plotly(await late.draw(twin, LATE, chosen))))
    assert "Within temp=[-inf,3)" in within
    assert "/columns/temp?measure=performance.accuracy" in within
    assert await late.draw(twin, LATE, "nothing") is None


async def test_the_worst_rows_of_what_needs_no_label_are_not_sorted_by_their_error(twin: Twin) -> None:
    """A list by error has no rows without a label, of which a drift of today is made."""
    for measure, sorted_ in (("performance.accuracy", True), ("drift.psi", False)):
        one = next(one for one in twin.episodes(None, None, 500) if one.measure == measure)
        drawn = json.dumps(json.loads(to_json_plotly(await late.draw(twin, LATE, json.dumps(["causes", one.id, ""])))))
        assert "/events/p1?" in drawn
        assert ("order=worst" in drawn) == sorted_


async def test_its_model_is_reached_in_its_window(twin: Twin) -> None:
    """By the breadcrumb, too."""
    one = next(one for one in twin.episodes(None, None, 500) if one.segment != "all")
    trail = json.dumps(json.loads(to_json_plotly((await page(twin, f"/ui/alerts/{one.id}", "")).body[0])))
    assert f"/ui/models/{one.model}?segment=" in trail
    assert f"window={moment.text(one.window_start)}&episode={one.id}" in trail


async def test_causes_that_cannot_be_found_say_so_in_their_place(twin: Twin) -> None:
    """And the page around them stands."""
    broken = copy.copy(twin)
    broken.failing = {"cause"}
    drawn = json.dumps(json.loads(to_json_plotly(await late.draw(broken, LATE, json.dumps(["causes", twin._episodes[0].id, ""])))))
    assert "could not be drawn" in drawn


@pytest.mark.parametrize(
    ("slice_", "segment", "column", "value", "whole"),
    [
        ("all", "all", "", "", True),
        ("carrier=EV,origin=EWR", "carrier=EV,origin=EWR", "", "", True),
        ("carrier=EV,temp=null", "carrier=EV", "temp", "null", True),
        ("temp=[-inf%2C3)", "all", "temp", "[-inf,3)", True),
        ("temp=null,wind_speed=null", "all", "temp", "null", False),
        ("nothing=1", "all", "", "", False),
    ],
)
def test_a_slice_is_listed_by_its_dimensions_and_a_bin_of_one_other_column(
    twin: Twin, slice_: str, segment: str, column: str, value: str, *, whole: bool
) -> None:
    """What else it is made of cannot be asked for, so that the list is not all of it."""
    assert _listed(slice_, twin.contract("departs-late")) == (segment, EventFilter(column=column, value=value), whole)


def test_a_bin_of_a_dimension_is_listed_as_its_segment(twin: Twin) -> None:
    """`other` of a dimension is what is no segment of its own, and a value that was taken up is no bin of the column. Names of dimensions stand as they are."""
    contract = twin.contract("departs-late")
    assert contract is not None
    assert _of_bin("all", "carrier", "other", contract) == ("carrier=other", EventFilter())
    assert _of_bin("carrier=EV,temp=null", "origin", "new%2Cone", contract) == (
        "carrier=EV,origin=new%2Cone",
        EventFilter(column="temp", value="null"),
    )
    assert _of_bin("carrier=EV", "temp", "[1,2)", contract) == ("carrier=EV", EventFilter(column="temp", value="[1,2)"))
    odd = msgspec.structs.replace(contract, dimensions=(msgspec.structs.replace(contract.dimensions[0], name="100%25"),))
    assert _listed("100%25=a", odd) == ("100%25=a", EventFilter(), True)
    assert _listed("a,b=null", contract) == ("all", EventFilter(), False)


def test_events_of_an_episode_are_of_the_version_that_its_monitor_watches() -> None:
    """Of all versions if it names none."""
    watched = msgspec.structs.replace(DRIFT, version="2")
    assert [_events(one, "all").version for one in (episode(), episode(definition=watched))] == ["", "2"]


async def test_a_column_that_stands_out_leads_to_its_events(twin: Twin) -> None:
    """Those of the bin in which most of it stands, the largest error first, in the window and within the slice that is chosen."""
    one = next(one for one in twin.episodes(None, "departs-late", 5_000) if one.measure.startswith("performance.") and one.segment == "all")
    found = json.loads(to_json_plotly(await late.draw(twin, LATE, json.dumps(["causes", one.id, "?segment=carrier%3DEV"]))))
    ways = [link["href"] for link in parts(found, "A") if "/events?" in link["href"] and "value=null" in link["href"]]
    assert len(ways) == 1
    asked = dict(parse_qsl(urlsplit(ways[0]).query))
    assert {name: asked[name] for name in ("column", "value", "order", "segment")} == {
        "column": "temp",
        "value": "null",
        "order": "worst",
        "segment": "carrier=EV",
    }
    assert (asked["from"], asked["to"]) == (moment.text(one.window_start), moment.text(one.window_end))
