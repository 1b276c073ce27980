"""The OpenAPI document, with what FastAPI cannot know: how a request is let in, and that every error is a problem document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from watchkeeper.api.auth import OPEN
from watchkeeper.api.login import LOGIN
from watchkeeper.api.problem import MEDIA_TYPE
from watchkeeper.api.session import cookie_name

_SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "The server's setting `token`; a server without one asks for none."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookie_name(":8650"),
        "description": f"What a browser has after a log-in at {LOGIN}; after the dash stands the port of the address, without one there is no dash.",
    },
}
_PROBLEM = {
    "title": "Problem",
    "description": "An error (RFC 9457), with what to do about it.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "remedy"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "remedy": {"type": "string"},
    },
}
_ERROR = {"description": "What is wrong, and what to do", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def install(app: FastAPI) -> None:
    """Let the document of `app` say so. Call it when every route is there."""
    plain = app.openapi

    def told() -> dict[str, Any]:
        document = plain()
        components = document.setdefault("components", {})
        components["securitySchemes"] = _SECURITY
        # FastAPI describes the errors of its own validation, which are answered as ours.
        components["schemas"] = {
            name: schema for name, schema in components.get("schemas", {}).items() if "ValidationError" not in name
        } | {"Problem": _PROBLEM}
        document["security"] = [{"token": []}, {"session": []}, {}]
        for path, operations in document["paths"].items():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = _ERROR
                if path in OPEN:
                    operation["security"] = []
        return document

    app.openapi = told  # type: ignore[method-assign]
