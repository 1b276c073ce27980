"""The command that makes the panes of a model again from its raw events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.error import Missing
from watchkeeper.change.context import Context


class RebuildRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The model whose panes are made again."""

    model: str


def rebuild(context: Context, given: RebuildRequest) -> Mapping[str, Any]:
    """Request a rebuild from the model's owner, unless one is under way. Returns model, state, done and slots."""
    control, model = context.stores.control, given.model
    if control.contract(model) is None:
        raise Missing(f"there is no model {model[:100]!r}", remedy="GET /v1/models lists them")
    if model in context.stores.batches.progress(0, [model]):  # a model without a contract has no owner and no panes
        control.ask_rebuild(model, actor=context.actor)
    return {"model": model, **msgspec.to_builtins(control.rebuilding(model))}
