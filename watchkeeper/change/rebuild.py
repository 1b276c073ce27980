"""The panes of a model are made again from its raw events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.error import Missing
from watchkeeper.change.context import Context


class Rebuild(msgspec.Struct, frozen=True, kw_only=True):
    """The model whose panes are made again."""

    model: str


def rebuild(context: Context, given: Rebuild) -> Mapping[str, Any]:
    """Ask the model's owner for it, unless a rebuild is under way; answers model, state, done and slots."""
    control, model = context.stores.control, given.model
    if control.contract(model) is None:
        raise Missing(f"there is no model {model[:100]!r}", remedy="GET /v1/models lists them")
    if model in context.stores.batches.progress(0, [model]):  # else nobody owns it, and there is nothing to make
        control.ask_rebuild(model, actor=context.actor)
    return {"model": model, **msgspec.to_builtins(control.rebuilding(model))}
