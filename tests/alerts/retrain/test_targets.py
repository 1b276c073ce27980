"""What holds of every kind of target: guarded, without redirects, and errors that say whether a run was begun."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.destination.message import Rejected, Unanswered
from alerts.exchange import Exchange
from alerts.guard import Guard, Refused
from alerts.retrain.document import hook_from
from alerts.retrain.target.kind import KINDS
from alerts.retrain.target.message import Busy, Target
from core import moment
from tests.alerts.retrain.server import REQUEST, Answer, Api, Asked

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OWN: dict[str, dict[str, str]] = {
    "webhook": {"secret": SECRET},
    "airflow": {"dag": "train", "token": "s3cret"},
    "kubeflow": {"pipeline": "p1", "token": "s3cret"},
    "github": {"repository": "acme/models", "workflow": "train.yml", "token": "s3cret"},
    "argo": {"token": "s3cret"},
    "jenkins": {"job": "train", "username": "ada", "token": "s3cret"},
    "prefect": {"deployment": "6b1f3d0e-1111-4222-8333-444455556666", "username": "ada", "password": "s3cret"},
    "sagemaker": {"region": "eu-central-1", "pipeline": "train", "key_id": "AKIAIOSFODNN7EXAMPLE", "secret": "s3cret"},
}
EACH = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])


class Wall(Api):
    """A server that answers only as it is told."""

    def answer(self, asked: Asked) -> Answer:
        return Answer(500)


def ask(kind: Target, wire: Exchange, api: Api) -> Any:
    """A dispatch, or the question before it."""
    return kind.dispatch(wire, kind.settings({"url": api.url, **OWN[kind.name]}), REQUEST, 0)


@EACH
@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (401, Rejected),
        (403, Rejected),
        (404, Rejected),
        (302, Rejected),
        (429, Busy),
        (503, Busy),
        (500, Unanswered),
        (502, Unanswered),
    ],
)
def test_a_status_says_whether_a_run_was_begun(wire: Exchange, kind: Target, status: int, raised: type[Exception]) -> None:
    """With what to do about it, when to come again, and without the secret; no redirect is followed."""
    with Wall() as api:
        headers = {302: {"location": f"{api.url}/elsewhere"}, 429: {"retry-after": "7"}, 503: {"retry-after": "7"}}.get(status, {})
        api.refusals = [Answer(status, {"message": "s3cret"}, headers)]
        with pytest.raises(raised) as caught:
            ask(kind, wire, api)
        assert type(caught.value) is raised
        assert len(api.calls) == 1
        assert "s3cret" not in str(caught.value)
        if status in {401, 403, 404} and kind.name != "webhook":
            assert f"{status}: " in str(caught.value)
        if isinstance(caught.value, Busy):
            assert caught.value.after == 7 * moment.SECOND


@EACH
def test_no_target_is_reached_past_the_guard(kind: Target) -> None:
    """An address inside the network that nobody has allowed is not connected to."""
    exchange = Exchange(seconds=5.0, guard=Guard())
    try:
        with Wall() as api:
            with pytest.raises(Refused):
                ask(kind, exchange, api)
            assert api.calls == []
    finally:
        exchange.close()


@EACH
def test_a_hook_shows_no_secret(kind: Target) -> None:
    """It is read from a document with the fields of its kind, and shown without what must not be seen."""
    hook = hook_from({"hook": "h", "model": "m", "kind": kind.name, "url": "https://target.example.org", **OWN[kind.name]})
    assert hook.kind == kind.name
    assert "s3cret" not in repr(hook)
    assert SECRET not in repr(hook)
