"""The OpenAPI document, with what FastAPI does not know: how a request is authenticated, which role it needs, and that every error is a problem document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from alerts.action_link import PATH as LINK
from core.principal import Role
from watchkeeper.api.auth import CALLBACK, OPEN, REGISTRY, Needs
from watchkeeper.api.login import LOGIN
from watchkeeper.api.problem import MEDIA_TYPE
from watchkeeper.api.session import cookie_name

_SECURITY = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of the server's settings `token` and `tokens`; a server without any asks for none.",
    },
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
_HTML: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
_PROBLEMS = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_ERROR = {"description": "What is wrong, and what to do", "content": _PROBLEMS}


_PAGE = {"description": "What is wrong, and what to do, as a page where the link is at fault", "content": _PROBLEMS | _HTML}


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Add this to the document of `app`. Call it when every route is there; `routers` hold them."""
    plain = app.openapi

    def document() -> dict[str, Any]:
        document = plain()
        components = document.setdefault("components", {})
        components["securitySchemes"] = _SECURITY
        # FastAPI describes the errors of its own validation, which we answer as problem documents.
        components["schemas"] = {
            name: schema for name, schema in components.get("schemas", {}).items() if "ValidationError" not in name
        } | {"Problem": _PROBLEM}
        document["security"] = [{"token": []}, {"session": []}, {}]
        for path, operations in document["paths"].items():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = _ERROR if path != LINK else _PAGE
                if path in {*OPEN, CALLBACK, REGISTRY.replace(":path", "")}:
                    operation["security"] = []
        for route in (route for router in routers for route in router.routes):
            if isinstance(route, APIRoute) and route.include_in_schema and route.path not in OPEN:
                _describe_role(document["paths"][route.path_format], route)
        return document

    app.openapi = document  # type: ignore[method-assign]


def _describe_role(operations: dict[str, Any], route: APIRoute) -> None:
    """Describe which role a route needs: the lowest, unless one of its dependencies declares another."""
    found = [of.dependency.role for of in route.dependencies if isinstance(of.dependency, Needs)]
    role = max(found, key=lambda one: one.rank, default=Role.VIEWER)
    for method in route.methods or ():
        operation = operations[method.lower()]
        operation["x-role"] = str(role)
        if role is not Role.VIEWER:
            operation["description"] = f"Needs the role `{role}`, or a higher one."
            operation["responses"]["403"] = {"description": f"The token's role is lower than `{role}`", "content": _PROBLEMS}
