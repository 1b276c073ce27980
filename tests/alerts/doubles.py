"""Doubles of Slack's incoming webhooks and of PagerDuty's Events API V2, which answer as the real ones do: they take what their schemas allow, and say why they refuse the rest.

Sources: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and https://developer.pagerduty.com/docs/events-api-v2/
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

import jsonschema_rs

from tests.alerts.outside import PAGERDUTY, SLACK
from tests.loopback import Loopback, QuietHandler

Answer = tuple[int, str, dict[str, str]]


class Double(Loopback):
    """Answers POST requests by `answer`."""

    def __enter__(self) -> Self:
        double = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:  # noqa: N802 - the name is the library's
                status, text, headers = double.answer(self, self.rfile.read(int(self.headers["content-length"])))
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(text.encode()))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

        self.listen(Handler)
        return self

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        """Status, text and headers."""
        raise NotImplementedError


class Slack(Double):
    """One channel, at `hook`. A message too soon after another one gets 429; one to another address 404; one that it cannot show 400."""

    PATH = "/services/T00000000/B00000000/" + "x" * 24

    def __init__(self, pace: float = 1.0) -> None:
        self._pace, self._last = pace, 0.0
        self._schema = jsonschema_rs.validator_for(SLACK)
        self.path = self.PATH
        self.messages: list[dict[str, Any]] = []
        self.statuses: list[int] = []

    @property
    def hook(self) -> str:
        """The address that Slack shows to whoever adds the webhook."""
        return self.url + self.path

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        """As Slack does."""
        found = self._found(request, body)
        self.statuses.append(found[0])
        return found

    def _found(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        if request.path != self.path:
            return 404, "no_service", {}
        if time.monotonic() - self._last < self._pace:
            return 429, "rate_limited", {"retry-after": "1"}
        try:
            message = json.loads(body)
        except ValueError:
            return 400, "invalid_payload", {}
        if not message.get("text"):
            return 400, "no_text", {}
        if not self._schema.is_valid(message):
            return 400, "invalid_blocks", {}
        self._last = time.monotonic()
        self.messages.append(message)
        return 200, "ok", {}


class PagerDuty(Double):
    """One integration with the routing key `key`. Events of one dedup key are one incident, which a `resolve` ends; a later `trigger` opens another."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._schema = jsonschema_rs.validator_for(PAGERDUTY)
        self.incidents: list[dict[str, Any]] = []  # dedup_key, status, summary, events

    @property
    def enqueue(self) -> str:
        """Where events go."""
        return f"{self.url}/v2/enqueue"

    def open(self) -> list[str]:
        """The summaries of the incidents that are open."""
        return [one["summary"] for one in self.incidents if one["status"] != "resolved"]

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        """As PagerDuty does."""
        try:
            event = json.loads(body)
        except ValueError:
            return _refused("JSON cannot be parsed")
        if request.path != "/v2/enqueue":
            return 404, "Not Found", {}
        if not self._schema.is_valid(event):
            return _refused("the event does not fit its schema")
        if event["routing_key"] != self.key:
            return _refused("Invalid routing key")
        self._take(event)
        return 202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}), {}

    def _take(self, event: Mapping[str, Any]) -> None:
        known = [one for one in self.incidents if one["dedup_key"] == event["dedup_key"] and one["status"] != "resolved"]
        if event["event_action"] == "trigger" and not known:
            made = {"dedup_key": event["dedup_key"], "status": "triggered", "summary": event["payload"]["summary"], "events": 0}
            known = [made]
            self.incidents.append(made)
        for one in known:
            one["events"] += 1
            if event["event_action"] != "trigger":
                one["status"] = f"{event['event_action']}d"


def _refused(why: str) -> Answer:
    return 400, json.dumps({"status": "invalid event", "message": "Event object is invalid", "errors": [why]}), {}
