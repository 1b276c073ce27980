"""GET /v1/budgets; DELETE one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from core.monitor import ModelBudget
from watchkeeper.api import answer, query
from watchkeeper.api.auth import needs, principal_of
from watchkeeper.api.ports import Services
from watchkeeper.change.delete import DeleteBudget
from watchkeeper.command import role


def router(services: Services) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["definitions"])

    @routes.get("/v1/budgets", summary="Budgets of models as a whole")
    def budgets(request: Request) -> Response:
        query.only(request, "limit", "cursor")
        return answer.page([_document(budget) for budget in services.budgets()])

    @routes.delete("/v1/budgets/{name:path}", summary="Delete a budget of a model", dependencies=[needs(role("delete budget"))])
    def delete(name: str, request: Request) -> Response:
        query.only(request)
        return answer.json(services.do(principal_of(request), "delete budget", DeleteBudget(name=name)))

    return routes


def _document(budget: ModelBudget) -> dict[str, Any]:
    return {"budget": budget.name, "model": budget.model, "rate": budget.rate.text}
