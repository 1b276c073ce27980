"""GET /v1/cause and GET /v1/episodes/{id}/cause: what is asked, and what is found in the stores."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from core import moment
from core.cause import CauseQuery, Causes
from core.clock import ManualClock
from core.error import ConfigError
from core.moment import DAY
from monitors.cause import sides
from monitors.cause.explain import explain
from tests.api.made import DAYS, MODEL, WINDOW, made, stores_in
from tests.api.twin import Twin
from watchkeeper.reader import cause
from watchkeeper.reader.reader import Reader
from watchkeeper.stores import Stores

ASKED = "/v1/cause?model=taxi-fare&measure=performance.accuracy&from=2022-07-01T00:00:00Z&to=2022-07-02T00:00:00Z"


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """A model on whose last day one carrier from one origin has no temperatures, and errs."""
    found = stores_in(tmp_path_factory.mktemp("cause"))
    try:
        made(found)
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def reader(stores: Stores) -> Reader:
    return Reader(cast("Any", SimpleNamespace(stores=stores, clock=ManualClock(DAYS + 40 * DAY), tag=lambda: "1")))


def asked(reader: Reader, measure: str, column: str = "", **more: Any) -> Causes:
    return reader.cause(CauseQuery(model=MODEL, measure=measure, column=column, start=WINDOW[0], end=WINDOW[1], **more))


def test_the_slice_that_is_broken_is_first_although_panes_do_not_hold_it(reader: Reader) -> None:
    """It contributes its share of rows times how much worse it is; its parents are behind it, with the numbers of panes."""
    found = asked(reader, "performance.accuracy")
    first = found.segments[0]
    assert first.segment == "carrier=UA,origin=EWR"
    assert first.value is not None
    assert first.baseline is not None
    assert first.contribution == pytest.approx(first.share * (first.baseline - first.value))
    carrier = next(one for one in found.segments if one.segment == "carrier=UA")
    assert carrier.contribution * 0.8 <= first.contribution
    assert (found.columns[0].column, found.columns[0].missing > 0.05) == ("temp", True)
    parts = (found.split.covariate, found.split.concept, found.split.unexplained)
    assert sum(one or 0.0 for one in parts) == pytest.approx((found.baseline_value or 0.0) - (found.value or 0.0))
    assert all(one.startswith("stream") for one in found.examples)
    assert "all" not in {one.segment for one in found.segments}


@pytest.mark.parametrize(("measure", "column"), [("quality.null_rate", "temp"), ("drift.psi", "temp"), ("drift.share_drifted", "")])
def test_quality_and_drift_are_of_the_same_slice(reader: Reader, measure: str, column: str) -> None:
    """Contributions are shares of the measure; there is no split of what is no performance, and no slice of the column itself."""
    found = asked(reader, measure, column)
    assert found.segments[0].segment == "carrier=UA,origin=EWR"
    assert found.segments[0].contribution == pytest.approx(1.0, abs=0.1)
    assert found.split.concept is None
    assert not column or not any("temp=" in one.segment for one in found.segments)


def test_the_examples_of_drift_are_in_the_bin_to_which_most_rows_have_moved(reader: Reader) -> None:
    """Of its own column, whatever slice is first."""
    found = asked(reader, "drift.psi", "temp")
    own = found.columns[0]
    assert own.grown is not None
    assert (own.column, own.grown.bin, own.grown.target > own.grown.baseline) == ("temp", "null", True)
    assert len(found.examples) == 10
    events = [reader.event(MODEL, one) for one in found.examples]
    assert [event and event["features"]["temp"] for event in events] == [None] * 10
    assert all(events)


def test_of_rows_that_are_all_wrong_those_that_were_surest_come_first(reader: Reader) -> None:
    """By how far the score is from the truth."""
    found = asked(reader, "performance.accuracy")
    events = [reader.event(MODEL, one) for one in found.examples]
    assert all(one is not None and one["loss"] == 1 for one in events)
    apart = [abs(one["score"] - (one["label"] == "1")) for one in events if one is not None]
    assert apart == sorted(apart, reverse=True)
    assert apart[0] > apart[-1] > 0.5


def test_a_measure_that_is_no_mean_has_the_segments_of_panes(reader: Reader) -> None:
    """Its slices are those of which panes hold the value."""
    found = asked(reader, "performance.roc_auc")
    assert {one.segment.partition("=")[0] for one in found.segments} == {"carrier", "origin"}
    assert found.segments[0].segment in {"carrier=UA", "origin=EWR"}


def test_rows_that_a_rate_does_not_count_were_read_too(reader: Reader) -> None:
    """Precision counts predicted positives only; the window was not drawn for that."""
    found = asked(reader, "performance.precision")
    assert found.rows == found.n


def test_an_episode_of_a_column_that_is_gone_says_so(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer contract does not have it."""
    one = SimpleNamespace(definition=None, model=MODEL, measure="drift.psi", column="gone")
    monkeypatch.setattr(reader, "episode", lambda _: one)
    with pytest.raises(ConfigError, match="`gone` any more"):
        reader.cause_of("ep_1")


def test_within_a_slice_the_other_columns_are_ranked(reader: Reader) -> None:
    """A slice of values that were found, too, and against another baseline; what is no slice is refused."""
    found = asked(reader, "performance.accuracy", segment="carrier=UA")
    assert found.segments[0].segment == "carrier=UA,origin=EWR"
    assert "carrier" not in {one.column for one in found.columns}
    within = asked(reader, "performance.accuracy", segment="origin=EWR,temp=null", baseline={"previous": 1})
    assert within.n > 100
    assert within.segments == () or within.segments[0].segment.startswith("carrier=")
    with pytest.raises(ConfigError, match="no slice"):
        asked(reader, "performance.accuracy", segment="nowhere=1")
    with pytest.raises(ConfigError, match="of a column"):
        asked(reader, "drift.psi")
    with pytest.raises(ConfigError, match="whole panes"):
        reader.cause(CauseQuery(model=MODEL, measure="performance.accuracy", start=1, end=2))


def test_measures_of_groups_and_of_other_measures_are_told_apart(reader: Reader) -> None:
    """The rate of a group has no value for all rows; a change detector has the causes of its measure."""
    assert asked(reader, "fairness.selection_rate", "carrier").segments == ()
    with pytest.raises(ConfigError, match="another measure"):
        asked(reader, "change.cusum")


def test_rows_of_a_slice_stand_for_more_where_the_window_was_drawn(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a slice that panes do not hold: `rows` says how many were read, and `n` about how many there are."""
    whole = asked(reader, "performance.accuracy", segment="carrier=UA,origin=EWR")
    assert whole.n == whole.rows
    monkeypatch.setattr(sides, "MOST", 200)
    drawn = asked(reader, "performance.accuracy", segment="carrier=UA,origin=EWR", version="1")
    assert drawn.rows < whole.rows / 2
    assert drawn.n == pytest.approx(whole.n, rel=0.4)


def test_who_asks_for_the_same_at_the_same_time_gets_the_same_answer(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for once, whatever the number of people who have a page open."""
    begun, go_on, times = Event(), Event(), list[int]()
    usual = explain

    def slow(*given: Any) -> Causes:
        times.append(1)
        begun.set()
        assert go_on.wait(30)
        return usual(*given)

    monkeypatch.setattr(cause, "explain", slow)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(asked, reader, "quality.null_rate", "temp", segment="carrier=UA") for _ in range(3)]
        assert begun.wait(30)
        go_on.set()
        first, *others = (one.result() for one in waiting)
    assert all(one is first for one in others)
    assert times == [1]


async def test_the_routes_ask_for_a_window_and_for_an_episode(http: httpx.AsyncClient, twin: Twin) -> None:
    """A baseline is a word or JSON; times are those of the query."""
    answer = (await http.get(f'{ASKED}&baseline={{"prior":"7d"}}&segment=borough=Queens')).json()
    assert twin.causes[-1] == CauseQuery(
        model="taxi-fare",
        measure="performance.accuracy",
        start=moment.parse("2022-07-01T00:00:00Z"),
        end=moment.parse("2022-07-02T00:00:00Z"),
        baseline={"prior": "7d"},
        segment="borough=Queens",
    )
    assert answer.keys() >= {"sentence", "segments", "columns", "split", "examples"}
    assert answer["split"] == {"covariate": None, "concept": None, "unexplained": None}
    assert (await http.get("/v1/episodes/ep_none/cause")).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("/v1/cause", 404),
        (ASKED.replace("taxi-fare", "taxi"), 404),
        (ASKED.replace("accuracy", "acuracy"), 400),
        (ASKED.replace("&to=2022-07-02T00:00:00Z", ""), 400),
        (f"{ASKED}&baseline={{", 400),
        (f"{ASKED}&baseline={'{%22a%22:' * 3_000}", 400),
        (f"{ASKED}&depth=3", 400),
    ],
)
async def test_what_cannot_be_asked_is_told(asked: str, status: int, http: httpx.AsyncClient) -> None:
    """With a remedy."""
    answer = await http.get(asked)
    assert (answer.status_code, bool(answer.json()["remedy"])) == (status, True)
