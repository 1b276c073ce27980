"""The target `sagemaker`, against a server with the rules of SageMaker's API, and the signature against an example of AWS."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from alerts.destination.message import Rejected, Unanswered
from alerts.exchange import Exchange
from alerts.retrain.target import sagemaker
from alerts.retrain.target.aws import Key, signed
from alerts.retrain.target.message import Busy, Dispatched, Found
from core.error import ConfigError
from core.retrain import RetrainState
from tests.alerts.retrain.server import REQUEST, Answer, Api, Asked

ARN = "arn:aws:sagemaker:eu-central-1:123456789012:pipeline/train/execution/"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
PARAMETERS = {"RequestId", "Model", "DataFrom", "DataTo", "ExportUrl", "CallbackUrl"}
TOKEN = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){31,127}")


class SageMaker(Api):
    """One pipeline. A request whose signature does not fit what came is refused. A client's request token that was seen is answered with its execution. Errors are 400 with a type."""

    def __init__(self) -> None:
        super().__init__()
        self.executions: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Answer:
        """As the documentation says."""
        if fault := self._unsigned(asked):
            return Answer(400, {"__type": fault})
        assert asked.headers["content-type"] == "application/x-amz-json-1.1"
        if asked.headers["x-amz-target"] == "SageMaker.StartPipelineExecution":
            return self._begin(asked.json)
        found = self.executions.get(asked.json["PipelineExecutionArn"])
        return Answer(400, {"__type": "ResourceNotFound"}) if found is None else Answer(200, found)

    def _unsigned(self, asked: Asked) -> str | None:
        said = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/eu-central-1/sagemaker/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}",
            asked.headers.get("authorization", ""),
        )
        at = dt.datetime.strptime(asked.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        if said is None or said[1] != "AKIAIOSFODNN7EXAMPLE":
            return "UnrecognizedClientException"
        assert abs((dt.datetime.now(dt.UTC) - at).total_seconds()) < 300
        names = said[3].split(";")
        assert {"host", "x-amz-date", "x-amz-target"} <= set(names)
        sent = {name: asked.headers[name] for name in names if name not in {"host", "x-amz-date"}}
        url = f"http://{asked.headers['host']}{asked.path}"
        again = signed(Key(said[1], SECRET, "eu-central-1", "sagemaker"), asked.method, url, sent, asked.body.decode(), at)
        return None if again["authorization"] == asked.headers["authorization"] else "InvalidSignatureException"

    def _begin(self, body: dict[str, Any]) -> Answer:
        if body["PipelineName"] != "train":
            return Answer(400, {"__type": "ResourceNotFound", "Message": "Pipeline does not exist"})
        assert TOKEN.fullmatch(body["ClientRequestToken"])
        values = {one["Name"]: one["Value"] for one in body["PipelineParameters"]}
        if set(values) != PARAMETERS or any(len(value) > 1024 for value in values.values()):
            return Answer(400, {"__type": "com.amazon.coral.validate#ValidationException"})
        for arn, execution in self.executions.items():
            if execution["token"] == body["ClientRequestToken"]:
                return Answer(200, {"PipelineExecutionArn": arn})
        arn = f"{ARN}{len(self.executions)}"
        self.executions[arn] = {"token": body["ClientRequestToken"], "values": values, "PipelineExecutionStatus": "Executing"}
        return Answer(200, {"PipelineExecutionArn": arn})


def given(api: Api, **more: str) -> dict[str, str]:
    own = {"url": f"{api.url}/", "region": "eu-central-1", "pipeline": "train", "key_id": "AKIAIOSFODNN7EXAMPLE", "secret": SECRET}
    return sagemaker.settings(own | more)


def test_a_request_is_signed_as_the_example_of_aws() -> None:
    """The example of the manual of Signature Version 4, a list of users of IAM."""
    key = Key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "iam")
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    at = dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.UTC)
    found = signed(key, "GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", headers, "", at)
    assert found["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date,"
        " Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


def test_the_pipeline_runs_once_with_parts_of_the_request_as_parameters(wire: Exchange) -> None:
    """The second dispatch, also after a lost answer, finds the execution of the first."""
    assert sagemaker.KIND.idempotent
    with SageMaker() as api:
        api.lose = True
        with pytest.raises(Unanswered):
            sagemaker.dispatch(wire, given(api), REQUEST, 0)
        assert sagemaker.dispatch(wire, given(api), REQUEST, 0) == Dispatched(f"{ARN}0")
        ((_, execution),) = api.executions.items()
        assert execution["values"] == {
            "RequestId": REQUEST.id, "Model": "flight-delay", "DataFrom": "1970-01-01T00:00:00Z", "DataTo": "1970-01-02T00:00:00Z",
            "ExportUrl": REQUEST.export_url, "CallbackUrl": REQUEST.callback_url,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "found"),
    [("Executing", "running"), ("Stopping", "running"), ("Stopped", "failed"), ("Failed", "failed"), ("Succeeded", "succeeded")],
)
def test_each_state_of_an_execution_is_known(wire: Exchange, status: str, found: str) -> None:
    """With the reason of a failure."""
    with SageMaker() as api:
        run = sagemaker.dispatch(wire, given(api), REQUEST, 0).run
        api.executions[run] |= {"PipelineExecutionStatus": status, "FailureReason": "out of memory"}
        assert sagemaker.look(wire, given(api), run) == Found(RetrainState(found), f"SageMaker says `{status}`: out of memory")


def test_errors_are_known_by_their_type(wire: Exchange) -> None:
    """Nearly all have the status 400; those of a limit are asked again."""
    with SageMaker() as api:
        for changes, said in (
            ({"key_id": "AKIA00000000000000000"}, "UnrecognizedClientException: check `key_id`"),
            ({"secret": "wrong"}, "InvalidSignatureException: check the secret"),
            ({"pipeline": "other"}, "ResourceNotFound: check `pipeline`"),
        ):
            with pytest.raises(Rejected, match=said):
                sagemaker.dispatch(wire, given(api, **changes), REQUEST, 0)
        for fault in ("ThrottlingException", "ResourceLimitExceeded"):
            api.refusals.append(Answer(400, {"__type": fault}))
            with pytest.raises(Busy, match=fault):
                sagemaker.dispatch(wire, given(api), REQUEST, 0)
        api.refusals.append(Answer(403, "", {"x-amzn-errortype": "AccessDeniedException:http://internal.amazon.com/"}))
        with pytest.raises(Rejected, match="AccessDeniedException: let the key's user do sagemaker:StartPipelineExecution"):
            sagemaker.dispatch(wire, given(api), REQUEST, 0)
        api.refusals.append(Answer(400, "<html><script>"))
        with pytest.raises(Rejected, match="answered 400: check the settings"):
            sagemaker.dispatch(wire, given(api), REQUEST, 0)
        with pytest.raises(Rejected, match="ExportUrl has 2000 characters"):
            sagemaker.dispatch(wire, given(api), REQUEST._replace(export_url="x" * 2000), 0)
        assert api.executions == {}


def test_the_endpoint_follows_from_the_region() -> None:
    """Unless an endpoint of one's own network is given."""
    own = {"pipeline": "p", "key_id": "AKIAIOSFODNN7EXAMPLE", "secret_file": "/run/secrets/aws"}
    regions = {
        "eu-central-1": "https://api.sagemaker.eu-central-1.amazonaws.com",
        "cn-north-1": "https://api.sagemaker.cn-north-1.amazonaws.com.cn",
    }
    assert {region: sagemaker.settings({**own, "region": region})["url"] for region in regions} == regions
    for wrong in ({"region": "EU"}, {"key_id": "short"}, {"secret": "x"}, {"pipeline": None}):
        with pytest.raises(ConfigError):
            sagemaker.settings({**own, "region": "eu-central-1", **wrong})
