"""The target `argo`, against a server with the rules of a webhook event source of Argo Events."""

from __future__ import annotations

import pytest

from alerts.destination.message import Rejected
from alerts.exchange import Exchange
from alerts.retrain.target import argo
from alerts.retrain.target.message import Dispatched
from core.error import ConfigError
from tests.alerts.retrain.server import REQUEST, Answer, Api, Asked


class EventSource(Api):
    """One endpoint for POST, with an `authSecret`. It answers `success` once it has the event, and knows nothing of runs."""

    def answer(self, asked: Asked) -> Answer:
        """As the documentation says."""
        if asked.path != "/retrain":
            return Answer(404, "404 page not found")
        if asked.headers.get("authorization") != "Bearer secret":
            return Answer(401, "invalid auth token")
        return Answer(200, "success") if asked.method == "POST" and asked.json else Answer(405)


def test_the_event_source_gets_the_request(wire: Exchange) -> None:
    """As the body that a sensor reads; no run is known, so none is polled."""
    with EventSource() as api:
        given = argo.settings({"url": f"{api.url}/retrain", "token": "secret"})
        assert argo.dispatch(wire, given, REQUEST, 0) == Dispatched()
        assert api.calls[0].json == {"type": "retrain.requested", "timestamp": "1970-01-01T00:00:00Z", "data": REQUEST.data()}
    assert (argo.KIND.look, argo.KIND.find, argo.KIND.idempotent) == (None, None, False)


def test_what_is_wrong_is_told_with_a_remedy(wire: Exchange) -> None:
    """A wrong secret, and a wrong endpoint."""
    with EventSource() as api:
        for url, token, said in (("/retrain", "old", "401: check the token against"), ("/other", "secret", "404: check the endpoint")):
            with pytest.raises(Rejected, match=said):
                argo.dispatch(wire, argo.settings({"url": api.url + url, "token": token}), REQUEST, 0)
        with pytest.raises(Rejected, match="401"):
            argo.dispatch(wire, argo.settings({"url": f"{api.url}/retrain"}), REQUEST, 0)
    with pytest.raises(ConfigError):
        argo.settings({"url": "argo"})
