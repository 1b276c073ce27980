"""What follows from a contract that is given: the model's view and its default monitors."""

from __future__ import annotations

import msgspec

from core.contract import Contract
from monitors.default import defaults
from storage.facts.view import show
from watchkeeper.change.context import Context


def prepare(context: Context, contract: Contract) -> None:
    """Make a model's view as it will be with a contract: if the store does not take it, nothing has been written."""
    before = _versions(context, contract.model)
    following = msgspec.structs.replace(contract, version=len(before) + 1)
    show(context.stores.engine, [*before, following])


def complete(context: Context, contract: Contract) -> None:
    """Give a model with a saved contract its default monitors, or renew them, and its view; monitors that a person has changed stay."""
    control = context.stores.control
    before = control.contract_version(contract.model, contract.version - 1)
    given = {monitor.name: monitor for monitor in defaults(before)} if before else {}
    there = {monitor.name: msgspec.structs.replace(monitor, revision=1, since=0) for monitor in control.monitors(contract.model)}
    untouched = [monitor for monitor in defaults(contract) if there.get(monitor.name) in (None, given.get(monitor.name))]
    control.apply_monitors(untouched, actor=context.actor)
    show(context.stores.engine, _versions(context, contract.model))


def _versions(context: Context, model: str) -> list[Contract]:
    control = context.stores.control
    newest = control.contract(model)
    found = [control.contract_version(model, version + 1) for version in range(newest.version if newest else 0)]
    return [held for held in found if held is not None]
