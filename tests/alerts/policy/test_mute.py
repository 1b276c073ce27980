"""When the hours of a mute begin and end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.policy.hold import edge, muted
from core import moment
from core.policy import Mute

_START = moment.parse("2024-03-29T00:00:00Z")  # the clocks change on the 31st in Rome


@given(
    st.integers(0, 24 * 60 - 1),
    st.integers(0, 24 * 60),
    st.lists(st.integers(0, 6), unique=True),
    st.sampled_from(["Europe/Rome", "UTC", "Asia/Kolkata", "America/St_Johns"]),
    st.integers(0, 30 * 24 * 60 * 60),
)
def test_nothing_changes_before_the_next_edge(start: int, end: int, days: list[int], zone: str, second: int) -> None:
    """At no minute until then; and it is not looked at each minute but near a change of the clocks."""
    if start == end:
        return
    one, now = Mute(days=tuple(days), start=start, end=end, timezone=zone), _START + second * moment.SECOND
    next_edge = edge(one, now)
    assert now < next_edge <= now + moment.DAY
    assert {muted(one, time) for time in range(now, next_edge, 13 * moment.MINUTE)} == {muted(one, now)}
    assert muted(one, next_edge - moment.SECOND) == muted(one, now)


def test_a_mute_is_looked_at_where_its_hours_begin_and_end() -> None:
    """22:00 to 06:00."""
    one, now = Mute(start=22 * 60, end=6 * 60), moment.parse("2024-07-01T12:00:30Z")
    assert moment.text(edge(one, now)) == "2024-07-01T22:00:00Z"
    assert moment.text(edge(one, edge(one, now))) == "2024-07-02T06:00:00Z"
