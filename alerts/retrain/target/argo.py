"""The kind `argo`: an event to a webhook event source of Argo Events, whose sensor begins a workflow.

The event source answers when it has the event, and knows no runs: the workflow tells of itself at `callback_url`, or its model's first event does. It is not idempotent: each event that arrives is one more for the sensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.destination import field
from alerts.retrain.target.call import authorization, call, credentials
from alerts.retrain.target.message import REQUESTED, Dispatched, Request, Target, Wire
from core import moment


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`url` of the event source's endpoint, and the token of its `authSecret`, if it has one."""
    return {
        "url": field.url(document.get("url"), "http://retrain-eventsource-svc.argo-events:12000/retrain"),
        **credentials(document, optional=True),
    }


def dispatch(wire: Wire, given: Mapping[str, str], request: Request, now: int) -> Dispatched:
    """Send the event; a sensor finds the data under `body.data`."""
    body = {"type": REQUESTED, "timestamp": moment.text(now), "data": request.data()}
    remedies = {
        400: "let the event source take POST and JSON at this endpoint, and check the token against its `authSecret`",
        401: "check the token against the event source's `authSecret`",
        404: "check the endpoint of the event source, and that its service leads to it",
        405: "let the event source take the method POST",
    }
    call(wire, "POST", given["url"], authorization(given), body=body, now=now, remedies=remedies)
    return Dispatched()


KIND = Target("argo", ("url", "token", "token_file"), settings, dispatch)
