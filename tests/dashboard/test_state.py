"""The state of a page is its address."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core import moment
from core.window.tumbling import Tumbling
from dashboard.period import period, shift
from dashboard.ports import ModelRow
from dashboard.series import LONGEST
from dashboard.state import RANGES, PageState, address

times = st.none() | st.integers(0, 4_000_000_000).map(lambda seconds: seconds * moment.SECOND)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(
    st.builds(
        PageState,
        segment=names.filter(bool),
        measure=names,
        monitor=names,
        by=names,
        version=names,
        b_segment=names,
        b_version=names,
        cells=names,
        b_window=times,
        range=st.sampled_from(list(RANGES)),
        window=times,
        as_of=times,
    )
)
def test_an_address_brings_back_the_state_that_made_it(state: PageState) -> None:
    """Whatever was chosen, names with `&`, `=` or `#` among them."""
    assert PageState.of(state.query) == state


@given(st.text(max_size=60))
def test_no_query_breaks_a_page(search: str) -> None:
    """What cannot be read is left at its default and said."""
    state = PageState.of(f"?range={search}&from={search}&window={search}")
    assert state.range in RANGES


def test_what_cannot_be_read_is_said() -> None:
    """The notice names the part of the address and the reason."""
    assert PageState.of("?from=yesterday").notices == ("from: 'yesterday' is not an RFC 3339 time, such as 2022-07-01T00:00:00Z",)
    assert PageState.of("?from=2013-02-01T00:00:00Z&to=2013-01-01T00:00:00Z").notices == ("from is not before to",)


def test_a_name_stays_one_part_of_the_path() -> None:
    """A model called `a/b` does not become a path of its own."""
    assert address("models", "a/b", "columns", "@score") == "/ui/models/a%2Fb/columns/@score"


DAYS = Tumbling(moment.DAY)
ROW = ModelRow("m", "binary", 1, 0, 400 * moment.DAY - 1, 9, 9, 0)


def test_a_relative_period_ends_with_the_data_and_not_with_the_clock() -> None:
    """A replayed year is shown whole, years later; the day of the last event is one of the thirty, wherever in it that came."""
    for ago in (1, moment.HOUR, moment.DAY):
        over = period(replace(ROW, last_ts=400 * moment.DAY - ago), PageState(range="30d"), DAYS)
        assert (over.start, over.end) == (370 * moment.DAY, 400 * moment.DAY)


def test_a_period_after_the_last_event_is_not_that_of_the_last_event() -> None:
    """It is empty, and where the address says; one that ends before the first event too."""
    after = period(ROW, PageState(start=500 * moment.DAY), DAYS)
    assert (after.start, after.end) == (500 * moment.DAY, 501 * moment.DAY)
    before = period(replace(ROW, first_ts=300 * moment.DAY), PageState(end=200 * moment.DAY), DAYS)
    assert (before.start, before.end) == (199 * moment.DAY, 200 * moment.DAY)


def test_no_more_windows_are_asked_for_than_can_be_drawn() -> None:
    """A year of five-minute windows is cut to the newest, and the cut is known."""
    over = period(ROW, PageState(range="all"), Tumbling(5 * moment.MINUTE))
    assert (over.slots(), over.end, over.cut) == (LONGEST, 400 * moment.DAY, True)
    assert shift(over) == "5 days (1,500 windows at most)"


spans = st.sampled_from(list(RANGES))
days = st.integers(0, 460).map(lambda day: day * moment.DAY)


@given(
    spans,
    days,
    st.none() | days,
    st.none() | days,
    st.sampled_from([5 * moment.MINUTE, moment.HOUR, moment.DAY, 7 * moment.DAY]),
)
def test_the_period_contains_the_window_of_the_link(chosen: str, looked: int, start: int | None, end: int | None, step: int) -> None:
    """Whatever the range: windows older than it, newer than the last event, outside of given times, and more than can be drawn."""
    over = period(ROW, PageState(range=chosen, window=looked, start=start, end=end), Tumbling(step))
    assert over.start <= looked < over.end
    assert over.slots() <= LONGEST
    assert over.start % step == over.end % step == 0


def test_a_relative_period_moves_to_an_old_window_and_keeps_its_length() -> None:
    """90 days, a quarter of them after the window; a window within the newest 90 days moves nothing."""
    old = period(ROW, PageState(window=100 * moment.DAY), DAYS)
    assert (old.start, old.end) == (33 * moment.DAY, 124 * moment.DAY)
    assert period(ROW, PageState(window=350 * moment.DAY), DAYS) == period(ROW, PageState(), DAYS)
