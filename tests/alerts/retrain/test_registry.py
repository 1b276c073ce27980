"""A run is followed by the alias of a registered model, against a server with the rules of MLflow's REST API."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from alerts.destination.message import Rejected
from alerts.exchange import Exchange
from alerts.guard import Guard
from alerts.retrain import registry
from alerts.retrain.document import hook_from, written
from alerts.retrain.registry_notice import Notice
from alerts.retrain.target.message import Found
from core import moment
from core.error import ConfigError, Forbidden, Retryable
from core.retrain import RetrainState
from tests.alerts.retrain.scene import DAY
from tests.alerts.retrain.server import Answer, Api, Asked
from tests.alerts.retrain.stage import Stage
from tests.alerts.sample import SECRET
from watchkeeper.change import retrain as change


class Mlflow(Api):
    """A registered model whose alias may name a version, which was made at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.alias: tuple[str, int] | None = None

    def answer(self, asked: Asked) -> Answer:
        """As the documentation says; numbers of 64 bits are numbers, or texts before 2.0."""
        if asked.headers.get("authorization") != "Bearer key":
            return Answer(401, {"error_code": "UNAUTHENTICATED"})
        assert (asked.method, asked.path) == ("GET", "/api/2.0/mlflow/registered-models/alias")
        if asked.query["name"] != "late & more":
            return Answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Registered Model with name=none not found"})
        if self.alias is None or asked.query["alias"] != "champion":
            return Answer(
                400, {"error_code": "INVALID_PARAMETER_VALUE", "message": f"Registered model alias {asked.query['alias']} not found."}
            )
        version, made = self.alias
        return Answer(200, {"model_version": {"name": "late & more", "version": version, "creation_timestamp": made // 1_000}})


def _given(api: Api, **more: Any) -> dict[str, Any]:
    at = {"registry_url": f"{api.url}/", "registry_model": "late & more", "registry_alias": "champion", "registry_token": "key"}
    return at | more


def test_an_alias_of_a_version_that_was_made_since_tells_of_the_run(wire: Exchange) -> None:
    """No model, no alias, and one of an older version, to which somebody may have gone back, tell of none."""
    with Mlflow() as api:
        given = registry.settings(_given(api))
        for none in ({}, {"registry_model": "none"}, {"registry_alias": "latest"}):
            assert registry.look(wire, given | none, DAY) is None
        invalid = Answer(400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "Registered model alias name cannot be empty."})
        for refusal, said in ((Answer(404, "no page"), "404: check `registry_url`"), (invalid, "400: check `registry_model`")):
            api.refusals = [refusal]
            with pytest.raises(Rejected, match=said):
                registry.look(wire, given, DAY)
        api.alias = "6", DAY - moment.SECOND
        assert registry.look(wire, given, DAY) is None
        api.alias = "7", DAY + moment.SECOND
        said = "the alias `champion` of `late & more` in MLflow names version 7"
        assert registry.look(wire, given, DAY) == Found(RetrainState.SUCCEEDED, said, "7")
        with pytest.raises(Rejected, match="answered 401: write `registry_token`"):
            registry.look(wire, given | {"registry_token": "old"}, DAY)


def test_a_hook_of_any_kind_names_a_registry(stage: Stage) -> None:
    """Its token is not shown, its address is judged, and what is wrong is told."""
    document = {"hook": "h", "model": "late", "url": "http://10.0.0.7/hook", "secret": SECRET}
    named = {"registry_url": "https://user:pw@mlflow.example.org", "registry_model": "late", "registry_token": "key"}
    hook = hook_from(document | named)
    shown = written(hook)
    assert (shown["registry_url"], shown["registry_alias"], shown["registry_token"]) == ("https://mlflow.example.org", "champion", "***")
    assert "registry_url" not in written(hook_from(document))
    for wrong, said in (
        ({"registry_model": "late"}, "`registry_url` is missing"),
        ({"registry_url": "ftp://a"}, "`registry_url` is not an http"),
        ({"registry_url": "http://a"}, "`registry_model` is missing"),
        ({**named, "registry_token_file": "/run/secrets/a"}, "write one of `registry_token` and"),
    ):
        with pytest.raises(ConfigError, match=said):
            hook_from(document | wrong)
    with pytest.raises(ConfigError, match="`registry_url`"):
        hook_from({**document, "url": "http://example.org"} | named | {"registry_url": "http://169.254.169.254"}, Guard())


def test_a_webhook_is_followed_by_the_registry(stage: Stage) -> None:
    """A registry that cannot be asked is noted; once the alias names a new version, the run has succeeded with it."""
    with Mlflow() as api:
        settings = stage.receiver.url
        stage.apply(settings={"url": settings, "secret": SECRET} | registry.settings(_given(api)))
        stage.breach("temp")
        assert stage.pass_().state == "dispatched"
        api.refusals = [Answer(500)]
        assert "the run cannot be looked at: the target answered 500" in stage.pass_(30 * moment.SECOND).history[-1].reason
        assert stage.pass_(30 * moment.SECOND).state == "dispatched"
        api.alias = "2", stage.clock.now()
        found = stage.pass_(30 * moment.SECOND)
        assert (found.state, found.version) == ("succeeded", "2")


def _sign(secret: str, sent: int, **data: str) -> Notice:
    """A webhook as MLflow 3 sends it when an alias is given to a version."""
    body = json.dumps(
        {"entity": "model_version_alias", "action": "created", "timestamp": "2025-01-01T00:00:00+00:00", "data": data}
    ).encode()
    seconds = str(sent // moment.SECOND)
    signed = hmac.new(secret.encode(), b"d1." + seconds.encode() + b"." + body, hashlib.sha256).digest()
    return Notice("d1", seconds, "v1," + base64.b64encode(signed).decode(), body)


def test_a_run_is_followed_by_a_webhook_of_the_registry(stage: Stage) -> None:
    """Without asking MLflow. What is forged, old, of another alias, of a version that was there, or sent before the target was asked tells nothing; the same webhook again changes nothing."""
    named = {"registry_model": "late", "registry_alias": "champion", "registry_secret": "whsec"}
    stage.apply(settings={"url": stage.receiver.url, "secret": SECRET} | registry.settings(named))
    stage.breach("temp")
    before = stage.clock.now() - 10 * moment.SECOND
    assert stage.pass_().state == "dispatched"
    now = stage.clock.now()

    def told(notice: Notice, hook: str = "retrain") -> str:
        return stage.act(change.take_notice, change.RegistryNotice(hook=hook, notice=notice)).state

    good = _sign("whsec", now, name="late", alias="champion", version="2")
    for notice, hook, said in (
        (_sign("other", now, name="late", alias="champion", version="2"), "retrain", "the signature"),
        (good._replace(body=good.body.replace(b'"2"', b'"3"')), "retrain", "the signature"),
        (good._replace(delivery="d2"), "retrain", "the signature"),
        (good, "nobody", "the signature"),
        (_sign("", now, name="late", alias="champion", version="2"), "nobody", "the signature"),
        (_sign("whsec", now - 6 * moment.MINUTE, name="late", alias="champion", version="2"), "retrain", "older than five minutes"),
    ):
        with pytest.raises(Forbidden, match=said):
            told(notice, hook)
    for changes in ({"alias": "challenger"}, {"name": "other"}, {"version": stage.facts.known[0]}):
        assert told(_sign("whsec", now, **({"name": "late", "alias": "champion", "version": "2"} | changes))) == "dispatched"
    assert told(_sign("whsec", before, name="late", alias="champion", version="2")) == "dispatched"
    assert told(good) == "succeeded"
    kept = stage.newest
    assert (kept.version, kept.history[-1].by, kept.history[-1].reason) == (
        "2",
        "MLflow",
        "a webhook of MLflow says that the alias `champion` names version 2",
    )
    assert told(good) == "succeeded"
    assert stage.newest == kept


def test_a_notice_needs_no_other_secret_and_is_told_nothing_of_files(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever sends one may be anybody; the operator finds the file in the log."""
    named = {"url": stage.receiver.url, "registry_model": "late", "registry_alias": "champion"}
    told = change.RegistryNotice(hook="retrain", notice=_sign("whsec", stage.clock.now(), name="late", alias="champion", version="2"))
    stage.apply(settings=named | {"secret_file": "/nowhere/a", "registry_secret": "whsec"})
    assert stage.act(change.take_notice, told) is None
    stage.apply(settings=named | {"secret": SECRET, "registry_secret_file": "/nowhere/b"})
    with pytest.raises(Retryable, match=r"^the hook's `registry_secret` cannot be read now; the log of the server names its file$"):
        stage.act(change.take_notice, told)
    assert caplog.messages[-1].endswith("write the secret of the registry's webhook into /nowhere/b")


def test_a_webhook_of_the_registry_tells_of_the_model_that_its_hook_has_now(stage: Stage) -> None:
    """Not of the request of the model that the hook had before."""
    told = registry.settings({"registry_model": "late", "registry_secret": "whsec"})
    stage.apply(settings={"url": stage.receiver.url, "secret": SECRET} | told)
    stage.breach("temp")
    assert stage.pass_().state == "dispatched"
    notice = _sign("whsec", stage.clock.now(), name="late", alias="champion", version="2")
    stage.apply(model="other", settings={"url": stage.receiver.url, "secret": SECRET} | told)
    answer: Any = stage.act(change.take_notice, change.RegistryNotice(hook="retrain", notice=notice))
    assert answer is None
    assert stage.newest.state == "dispatched"


def test_a_registry_that_only_tells_needs_a_secret_and_no_address() -> None:
    """The secret is not shown; with a token or an address it is asked, too."""
    document = {"hook": "h", "model": "late", "url": "http://10.0.0.7/hook", "secret": SECRET, "registry_model": "late"}
    hook = hook_from(document | {"registry_secret": "whsec"})
    assert (registry.named(hook.settings), written(hook)["registry_secret"]) == (False, "***")
    assert registry.named(hook_from(document | {"registry_secret": "whsec", "registry_url": "http://a"}).settings)
    with pytest.raises(ConfigError, match="`registry_url` is missing"):
        hook_from(document | {"registry_secret": "whsec", "registry_token": "key"})
