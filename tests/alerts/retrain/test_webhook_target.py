"""The target `webhook`, against a receiver on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook

from alerts.destination.message import Rejected, Unanswered, Unsent
from alerts.exchange import Exchange
from alerts.retrain.target import webhook
from alerts.retrain.target.message import Busy, Dispatched, Request
from core import moment
from core.clock import SystemClock
from core.retrain import Manifest
from tests.alerts.receiver import HELD, Receiver

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DAY = moment.DAY
REQUEST = Request(
    id="rt_1",
    model="flight-delay",
    hook="retrain-delay",
    reason="accuracy fell",
    episodes=("ep_1",),
    manifest=Manifest(start=0, end=DAY, contract=2, version="7", rows=100, labelled=80, segments=("all",)),
    export_url="http://127.0.0.1:8650/export",
    callback_url="http://127.0.0.1:8650/callback",
    deadline=2 * DAY,
)


@pytest.fixture
def wire() -> Iterator[Exchange]:
    exchange = Exchange(seconds=2.0)
    yield exchange
    exchange.close()


def test_the_request_is_signed_and_holds_what_to_train_on(wire: Exchange, receiver: Receiver) -> None:
    """The `webhook-id` is the id of the request, so that a repetition is known."""
    given = {"url": receiver.url, "secret": SECRET}
    assert webhook.dispatch(wire, given, REQUEST, SystemClock().now()) == Dispatched()
    call = receiver.calls[0]
    said = Webhook(SECRET).verify(call.body, call.headers)
    assert (said["type"], call.headers["webhook-id"]) == ("retrain.requested", "rt_1")
    data = json.loads(call.body)["data"]
    assert data == {
        "id": "rt_1",
        "model": "flight-delay",
        "hook": "retrain-delay",
        "reason": "accuracy fell",
        "episodes": ["ep_1"],
        "manifest": {
            "from": "1970-01-01T00:00:00Z",
            "to": "1970-01-02T00:00:00Z",
            "contract": 2,
            "version": "7",
            "rows": 100,
            "labelled": 80,
            "label_coverage": 0.8,
            "segments": ["all"],
            "sql": "",
            "export_url": "http://127.0.0.1:8650/export",
        },
        "callback_url": "http://127.0.0.1:8650/callback",
        "deadline": "1970-01-03T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("status", "raised"),
    [(503, Busy), (429, Busy), (500, Unanswered), (404, Rejected), (400, Rejected), (302, Rejected), (HELD, Unanswered)],
)
def test_an_answer_says_whether_a_run_was_begun(wire: Exchange, receiver: Receiver, status: int, raised: type[Exception]) -> None:
    """Refused for good, not begun, or unknown."""
    receiver.answers.append((status, {"retry-after": "7"}))
    with pytest.raises(raised) as caught:
        webhook.dispatch(wire, {"url": receiver.url, "secret": SECRET}, REQUEST, 0)
    assert type(caught.value) is raised
    if isinstance(caught.value, Busy):
        assert caught.value.after == 7 * moment.SECOND


def test_without_a_connection_nothing_was_begun(wire: Exchange) -> None:
    """So the same target may be asked again, whatever it is."""
    with pytest.raises(Unsent) as caught:
        webhook.dispatch(wire, {"url": "http://127.0.0.1:9/", "secret": SECRET}, REQUEST, 0)
    assert type(caught.value) is Unsent
