"""The kind `sagemaker`: an execution of a pipeline of SageMaker.

It is idempotent: the client's request token is made of the id of the request, and SageMaker begins one execution for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from alerts.destination import field
from alerts.destination.message import Rejected
from alerts.retrain.target.aws import Key, signed
from alerts.retrain.target.call import call, held, run_of, short, text_of, word
from alerts.retrain.target.message import Busy, Dispatched, Found, Reply, Request, Target, Wire, read
from core import moment
from core.clock import SystemClock
from core.retrain import RetrainState

_LONGEST = 1_024  # characters of a parameter's value
_DESCRIPTION = 3_072
_WRONG = 400  # the status of nearly all errors of the API
_STATES = {"Succeeded": RetrainState.SUCCEEDED, "Failed": RetrainState.FAILED, "Stopped": RetrainState.FAILED}
_LATER = frozenset({"ThrottlingException", "Throttling", "RequestLimitExceeded", "ResourceLimitExceeded", "ServiceUnavailable"})
_REMEDIES = {
    "ResourceNotFound": "check `pipeline` and `region`",
    "ConflictException": "another change of the pipeline is under way",
    "ValidationException": "let the pipeline have the string parameters RequestId, Model, DataFrom, DataTo, ExportUrl and CallbackUrl",
    "AccessDeniedException": "let the key's user do sagemaker:StartPipelineExecution and sagemaker:DescribePipelineExecution",
    "UnrecognizedClientException": "check `key_id` and the secret",
    "InvalidSignatureException": "check the secret, and the clock of this machine",
    "ExpiredTokenException": "write a key that is not temporary",
}


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`region`, `pipeline`, `key_id`, its secret, and `url` of an endpoint of one's own network."""
    region = word(document, "region", "eu-central-1", of=r"[a-z0-9-]+")
    zone = ".cn" if region.startswith("cn-") else ""
    return {
        "url": field.url(
            document.get("url", f"https://api.sagemaker.{region}.amazonaws.com{zone}"),
            "https://vpce-0123.api.sagemaker.eu-central-1.vpce.amazonaws.com",
        ),
        "region": region,
        "pipeline": word(document, "pipeline", "train-delay", of=r"[A-Za-z0-9:/-]+"),
        "key_id": word(document, "key_id", "AKIA0123456789ABCDEF", of=r"\w{16,128}"),
        **field.one_of(document, "secret", "write `secret_file: /run/secrets/aws`, the secret access key"),
    }


def dispatch(wire: Wire, given: Mapping[str, str], request: Request, _: int) -> Dispatched:
    """Start an execution. Each parameter of a pipeline takes few characters, so the parameters are parts of the request."""
    manifest = request.manifest
    values = {
        "RequestId": request.id,
        "Model": request.model,
        "DataFrom": moment.text(manifest.start),
        "DataTo": moment.text(manifest.end),
        "ExportUrl": request.export_url or "none",
        "CallbackUrl": request.callback_url,
    }
    body = {
        "PipelineName": given["pipeline"],
        "ClientRequestToken": hashlib.sha256(request.id.encode()).hexdigest(),  # ids have characters that it may not have
        "PipelineExecutionDescription": request.reason[:_DESCRIPTION],
        "PipelineParameters": [{"Name": name, "Value": short(value, _LONGEST, name)} for name, value in values.items()],
    }
    return Dispatched(run_of(held(read(_asked(wire, given, "StartPipelineExecution", body)), "PipelineExecutionArn")))


def look(wire: Wire, given: Mapping[str, str], run: str) -> Found:
    """The status of the execution; `Executing` and `Stopping` go on."""
    told = read(_asked(wire, given, "DescribePipelineExecution", {"PipelineExecutionArn": run}))
    status, why = text_of(told, "PipelineExecutionStatus"), text_of(told, "FailureReason")
    return Found(_STATES.get(status, RetrainState.RUNNING), f"SageMaker says `{status}`{': ' if why else ''}{why[:300]}")


def _asked(wire: Wire, given: Mapping[str, str], action: str, body: Any) -> Reply:
    now = SystemClock().now()  # AWS compares it with its own clock
    key = Key(given["key_id"], given["secret"], given["region"], "sagemaker")
    text = msgspec.json.encode(body).decode()
    plain = {"content-type": "application/x-amz-json-1.1", "accept": "application/json", "x-amz-target": f"SageMaker.{action}"}
    headers = signed(key, "POST", given["url"], plain, text, moment.to_datetime(now))
    reply = call(wire, "POST", given["url"], headers, body=text, now=now, passed=[_WRONG, 403])
    if reply.status < _WRONG:
        return reply
    fault = _fault(reply)
    if fault in _LATER:
        raise Busy(f"SageMaker answered {fault}")
    raise Rejected(f"SageMaker answered {fault or reply.status}: {_REMEDIES.get(fault, 'check the settings of the hook')}")


def _fault(reply: Reply) -> str:
    """The name of an error, which comes with a namespace before it or an address behind it."""
    try:
        said = text_of(msgspec.json.decode(reply.body), "__type")
    except msgspec.DecodeError:
        said = ""
    name = (said or reply.headers.get("x-amzn-errortype", "")).partition(":")[0].rpartition("#")[2]
    return name if name.isalnum() and len(name) < 100 else ""


KIND = Target("sagemaker", ("url", "region", "pipeline", "key_id", "secret", "secret_file"), settings, dispatch, look, idempotent=True)
