"""GET /v1/measures."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core.baseline import kind as baselines
from core.measure import Need, Subject
from detectors.catalogue import SPECS
from detectors.spec import AnySpec
from watchkeeper.api import answer, query

_BETTER = {1: "more", 0: "none", -1: "less"}


def document(spec: AnySpec) -> dict[str, Any]:
    """A measure in the form of the API; `params` are JSON schemas by name."""
    about = spec.about
    _, components = msgspec.json.schema_components([spec.params])
    return {
        "measure": about.name,
        "title": about.title,
        "formula": about.formula,
        "unit": about.unit,
        "of": about.subject,
        "better": _BETTER[about.better],
        "judged": about.judged,
        "kinds": about.kinds if about.subject is Subject.COLUMN else [],
        "tested": about.tested,
        "tasks": about.tasks,
        "labels": Need.LABELS in about.requires,
        "scores": Need.SCORES in about.requires,
        "baseline": baselines.text(about.usual_baseline) if about.usual_baseline else None,
        "params": components[spec.params.__name__].get("properties", {}),
        "usual": about.usual,
    }


def router() -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["definitions"])

    @routes.get("/v1/measures", summary="Measures, with what they are of, which way is better, and their params")
    def measures(request: Request) -> Response:
        query.only(request)
        return answer.page([document(spec) for spec in SPECS])

    return routes
