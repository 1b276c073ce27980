"""The kind `webhook`: one signed HTTP request, as Standard Webhooks describes. The receiver begins the run, and tells of it at `callback_url`.

It is idempotent by the promise of Standard Webhooks: `webhook-id` is the id of the request at each attempt, and a receiver does nothing for an id that it has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from alerts import notification
from alerts.destination import webhook
from alerts.retrain.target.message import REQUESTED, Dispatched, Request, Target, Wire, checked
from core.episode import Delivery


def dispatch(wire: Wire, given: Mapping[str, str], request: Request, now: int) -> Dispatched:
    """Send the request, signed as notifications are. An answer with `run` and `url` in a JSON object names the run."""
    body = notification.body(REQUESTED, request.data(), now)
    delivery = Delivery(id=request.id, destination=request.hook, episode=request.id, type=REQUESTED, body=body, created=now, due=now)
    message = webhook.render(given, delivery, now)
    return _run(checked(wire.ask("POST", message.to, message.body, message.headers), now).body)


def _run(body: bytes) -> Dispatched:
    try:
        said: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        said = None
    told = said if isinstance(said, dict) else {}
    return Dispatched(*(str(told[name])[:2_000] if isinstance(told.get(name), str | int) else "" for name in ("run", "url")))


KIND = Target("webhook", ("url", "secret", "secret_file"), webhook.settings, dispatch, idempotent=True)
