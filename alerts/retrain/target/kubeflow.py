"""The kind `kubeflow`: a run of a pipeline of Kubeflow Pipelines 2, by its API v2beta1.

The API has no key by which it would know a request again. So the id of the request is the name of the run, and it is looked for before each dispatch. A run whose creation is not known is not made again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from alerts.destination import field
from alerts.retrain.target.call import authorization, call, credentials, held, run_of, text_of, word, words
from alerts.retrain.target.message import Dispatched, Found, Reply, Request, Target, Wire, read
from core.retrain import RetrainState

_DESCRIPTION = 255  # characters
_EXAMPLES = {
    "pipeline_version": "8ce2d04a-0828-4520-9fdf-1c20e9a0b1c2",
    "experiment": "a6f2c0de-0000-4520-9fdf-1c20e9a0b1c2",
    "namespace": "ml",
}
_STATES = {
    **dict.fromkeys(("SUCCEEDED", "SKIPPED"), RetrainState.SUCCEEDED),
    **dict.fromkeys(("FAILED", "CANCELED"), RetrainState.FAILED),
}


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`url` of the API, `pipeline`, its `parameter` that gets the request, a token, and `pipeline_version`, `experiment` and `namespace` where they are needed."""
    return {
        "url": field.url(document.get("url"), "https://kubeflow.example.org/pipeline").rstrip("/"),
        "pipeline": word(document, "pipeline", "1f0e9a4c-0828-4520-9fdf-1c20e9a0b1c2"),
        "parameter": word(document, "parameter", "request", of=r"[A-Za-z_][\w-]*", default="request"),
        **words(document, _EXAMPLES),
        **credentials(document, optional=True),
    }


def dispatch(wire: Wire, given: Mapping[str, str], request: Request, now: int) -> Dispatched:
    """Create a run, unless there is one of this name. The pipeline's parameter gets the data as JSON."""
    if (there := find(wire, given, request)) is not None:
        return there
    of = {"pipeline_id": given["pipeline"]}
    of |= {"pipeline_version_id": given["pipeline_version"]} if "pipeline_version" in given else {}
    body: dict[str, Any] = {
        "display_name": request.id,
        "description": request.reason[:_DESCRIPTION],
        "pipeline_version_reference": of,
        "runtime_config": {"parameters": {given["parameter"]: msgspec.json.encode(request.data()).decode()}},
    }
    body |= {"experiment_id": given["experiment"]} if "experiment" in given else {}
    return _dispatched(given, read(_asked(wire, given, "POST", "", body, now)))


def find(wire: Wire, given: Mapping[str, str], request: Request) -> Dispatched | None:
    """The run that has the id of the request as its name."""
    predicate = {"key": "display_name", "operation": "EQUALS", "string_value": request.id}
    asked = {"page_size": "2", "filter": msgspec.json.encode({"predicates": [predicate]}).decode()}
    asked |= {name: given[own] for name, own in (("experiment_id", "experiment"), ("namespace", "namespace")) if own in given}
    runs = held(read(_asked(wire, given, "GET", f"?{urlencode(asked)}")), "runs")
    named = [run for run in runs if held(run, "display_name") == request.id] if isinstance(runs, list) else []
    return _dispatched(given, named[0]) if named else None


def look(wire: Wire, given: Mapping[str, str], run: str) -> Found:
    """The state of the run; PENDING, RUNNING, CANCELING and PAUSED go on."""
    told = read(_asked(wire, given, "GET", f"/{quote(run, safe='')}"))
    state = text_of(told, "state")
    return Found(_STATES.get(state, RetrainState.RUNNING), f"Kubeflow says `{state}`")


def _dispatched(given: Mapping[str, str], run: Any) -> Dispatched:
    name = run_of(held(run, "run_id"))
    return Dispatched(name, f"{given['url']}/#/runs/details/{quote(name)}")


def _asked(wire: Wire, given: Mapping[str, str], method: str, path: str, body: Any = None, now: int = 0) -> Reply:
    remedies = {
        400: f"check that the pipeline `{given['pipeline']}` has a parameter `{given['parameter']}`, and give `experiment` where users are apart",
        401: "give a token of a service account for the audience of Kubeflow Pipelines; it may have expired",
        403: "let the service account create and read runs in the namespace",
        404: "check `pipeline`, `pipeline_version` and `experiment`, which are ids and not names, and the path of `url`",
    }
    return call(wire, method, f"{given['url']}/apis/v2beta1/runs{path}", authorization(given), body=body, now=now, remedies=remedies)


KIND = Target(
    "kubeflow",
    ("url", "pipeline", "parameter", *_EXAMPLES, "token", "token_file", "username", "password", "password_file"),
    settings,
    dispatch,
    look,
    find,
)
