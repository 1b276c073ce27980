"""JSON Schemas of what other services take, written from their documentation."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string", "minLength": 1}
_URL = {"type": "string", "pattern": "^https?://", "maxLength": 3000}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required.split(), "properties": properties}


# https://docs.slack.dev/reference/block-kit/blocks and https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
_MRKDWN = _object("type text", type={"const": "mrkdwn"}, text={**_TEXT, "maxLength": 3000})
_FIELD = _object("type text", type={"const": "mrkdwn"}, text={**_TEXT, "maxLength": 2000})
_HEADER = _object("type text emoji", type={"const": "plain_text"}, text={**_TEXT, "maxLength": 150}, emoji={"type": "boolean"})
SLACK = _object(
    "text blocks",
    text={**_TEXT, "maxLength": 40_000},
    blocks={
        "type": "array",
        "maxItems": 50,
        "items": {
            "oneOf": [
                _object("type text", type={"const": "header"}, text=_HEADER),
                _object("type text", type={"const": "section"}, text=_MRKDWN),
                _object("type fields", type={"const": "section"}, fields={"type": "array", "minItems": 1, "maxItems": 10, "items": _FIELD}),
                _object(
                    "type elements", type={"const": "context"}, elements={"type": "array", "minItems": 1, "maxItems": 10, "items": _MRKDWN}
                ),
            ]
        },
    },
)

# https://adaptivecards.io/explorer/, version 1.4, and the body of the trigger "When a Teams webhook request is received"
_BLOCK = _object(
    "type text",
    type={"const": "TextBlock"},
    text=_TEXT,
    wrap={"type": "boolean"},
    weight={"enum": ["lighter", "default", "bolder"]},
    size={"enum": ["small", "default", "medium", "large", "extraLarge"]},
    color={"enum": ["default", "dark", "light", "accent", "good", "warning", "attention"]},
)
_FACTS = _object(
    "type facts",
    type={"const": "FactSet"},
    facts={"type": "array", "minItems": 1, "items": _object("title value", title=_TEXT, value=_TEXT)},
)
_CARD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["type", "version", "body", "$schema"],
    "properties": {
        "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
        "type": {"const": "AdaptiveCard"},
        "version": {"enum": ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]},
        "body": {"type": "array", "minItems": 1, "items": {"oneOf": [_BLOCK, _FACTS]}},
        "actions": {"type": "array", "items": _object("type title url", type={"const": "Action.OpenUrl"}, title=_TEXT, url=_URL)},
    },
}
TEAMS = _object(
    "type attachments",
    type={"const": "message"},
    attachments={
        "type": "array",
        "minItems": 1,
        "items": _object(
            "contentType content",
            contentType={"const": "application/vnd.microsoft.card.adaptive"},
            contentUrl={"type": "null"},
            content=_CARD,
        ),
    },
)

# https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
_PAYLOAD = {
    **_object(
        "summary source severity",
        summary={**_TEXT, "maxLength": 1024},
        source=_TEXT,
        severity={"enum": ["critical", "error", "warning", "info"]},
        timestamp={"type": "string", "format": "date-time"},
        component=_TEXT,
        group=_TEXT,
        custom_details={"type": "object"},
    )
}
_PAYLOAD["properties"]["class"] = _TEXT
_NAMED = {"routing_key": {"type": "string", "pattern": "^[A-Za-z0-9]{32}$"}, "dedup_key": {**_TEXT, "maxLength": 255}}
PAGERDUTY = {
    "oneOf": [
        _object(
            "routing_key dedup_key event_action payload",
            **_NAMED,
            event_action={"const": "trigger"},
            client=_TEXT,
            client_url=_URL,
            links={"type": "array", "items": _object("href text", href=_URL, text=_TEXT)},
            payload=_PAYLOAD,
        ),
        _object("routing_key dedup_key event_action", **_NAMED, event_action={"enum": ["acknowledge", "resolve"]}),
    ]
}

# https://github.com/prometheus/alertmanager, api/v2/openapi.yaml: postableAlerts; label names as Prometheus has them
ALERTMANAGER = {
    "type": "array",
    "minItems": 1,
    "items": _object(
        "labels annotations startsAt endsAt",
        labels={
            "type": "object",
            "required": ["alertname"],
            "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"},
            "additionalProperties": _TEXT,
        },
        annotations={
            "type": "object",
            "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"},
            "additionalProperties": {"type": "string"},
        },
        startsAt={"type": "string", "format": "date-time"},
        endsAt={"type": "string", "format": "date-time"},
        generatorURL=_URL,
    ),
}
