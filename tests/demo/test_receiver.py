"""The demo's receiver of webhooks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

from watchkeeper.demo.receiver import Receiver, sentence

PAYLOAD = {
    "type": "episode.fired",
    "timestamp": "2022-07-02T00:00:00Z",
    "data": {
        "model": "m", "measure": "drift.psi", "column": "km", "segment": "place=a", "level": "critical", "value": 0.31234,
        "window_start": "2022-07-01T00:00:00Z", "url": "http://127.0.0.1:8650/ui/alerts/ep_1",
    },
}  # fmt: skip


def _post(receiver: Receiver, secret: str) -> int:
    body, now = json.dumps(PAYLOAD), datetime.now(tz=UTC)
    signature = Webhook(secret).sign("msg_1", now, body)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    return httpx.post(receiver.url, content=body, headers=headers, trust_env=False).status_code


def test_a_signed_webhook_is_told_and_a_forged_one_is_not() -> None:
    """The right secret is 204, another is 401 and counted."""
    told: list[dict[str, Any]] = []
    with Receiver(told.append) as receiver:
        assert _post(receiver, receiver.secret) == 204
        assert _post(receiver, "whsec_" + "A" * 32) == 401
        assert httpx.post(receiver.url, content=b"{}", trust_env=False).status_code == 401
    assert told == [PAYLOAD]
    assert receiver.forged == 2


def test_a_webhook_is_one_sentence() -> None:
    """What happened, to what, where, how much, when; and the page to open."""
    expected = "episode.fired: m drift.psi km for place=a is critical, value 0.3123 in the window from 2022-07-01T00:00:00Z"
    assert sentence(PAYLOAD) == f"{expected}, http://127.0.0.1:8650/ui/alerts/ep_1"
