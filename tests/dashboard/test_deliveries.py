"""The page of deliveries: filtered, with attempts, and how a notification is sent again."""

from __future__ import annotations

import msgspec
import pytest

from core.episode import DeliveryState
from dashboard.route import page
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin

PATH = "/ui/deliveries"


async def drawn(search: str) -> str:
    return text(await page(Twin(), PATH, search))


async def test_the_list_says_what_became_of_each() -> None:
    """With its destination, what it was about, and its attempts."""
    said = await drawn("")
    assert "delivered" in said
    assert "oncall" in said
    assert "No delivery" in await drawn("?state=dead")


async def test_what_is_over_can_be_sent_again_and_all_that_was_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A button for each but those that wait; one for all of the chosen destination, which asks first how many they are."""
    twin = Twin()
    first = twin.deliveries(None, None, 1, None)[0][0]
    made = [
        msgspec.structs.replace(first, id=state.value, state=state, destination="a b")
        for state in (DeliveryState.DEAD, DeliveryState.PENDING)
    ]
    monkeypatch.setattr(twin, "deliveries", lambda *_: (made, None))
    drawn = str((await page(twin, PATH, "?state=dead&destination=a%20b")).body)
    assert "'/v1/deliveries/dead/replay'" in drawn
    assert "/v1/deliveries/pending/replay" not in drawn
    assert "'/v1/deliveries/replay?destination=a%20b'" in drawn
    assert "Send all again" not in str((await page(twin, PATH, "")).body)


async def test_a_delivery_shows_its_attempts_and_how_it_is_sent_again() -> None:
    """The answer of the receiver is text."""
    first = Twin().deliveries(None, None, 1, None)[0][0]
    said = await drawn(f"?show={first.id}")
    assert "answered 503: <b>busy</b>" in said
    assert f"watchkeeper deliveries replay {first.id}" in said
    assert "a delivery that is not there" in await drawn("?show=nothing")


async def test_a_link_that_is_wrong_says_so() -> None:
    """A state that there is not, and a cursor that is none."""
    assert "is none of pending" in await drawn("?state=lost")
    assert "names a page that is not in the list" in await drawn("?after=x")
