"""What follows from a new contract: the model's SQL view and its default monitors."""

from __future__ import annotations

import msgspec

from core.contract import Contract
from monitors.definition.default import defaults
from monitors.definition.shared import joins
from storage.facts.view import show
from watchkeeper.change.context import Context


def prepare(context: Context, contract: Contract) -> None:
    """Make a model's view for a contract before it is saved: if the store refuses the view, nothing has been written."""
    before = context.stores.control.contract_versions(contract.model)
    following = msgspec.structs.replace(contract, version=before[-1].version + 1 if before else 1)
    show(context.stores.engine, [*before, following])


def complete(context: Context, contract: Contract) -> None:
    """Create or renew the default monitors of a model with a saved contract, and its view.

    Default monitors that a person has changed stay as they are, and those that a person has deleted are not created again.
    """
    control = context.stores.control
    before = control.contract_version(contract.model, contract.version - 1)
    given = {monitor.name: monitor for monitor in defaults(before)} if before else {}
    there = {
        monitor.name: msgspec.structs.replace(monitor, revision=1, since=0, share=None) for monitor in control.monitors(contract.model)
    }
    ended = control.retired_version(contract.model)  # before that, there was another model of this name
    deleted = {one.name for one in control.retired_monitors(contract.model) if one.contract > ended}
    usual = [monitor for monitor in defaults(contract) if monitor.name in there or monitor.name not in deleted]
    untouched = [monitor for monitor in usual if there.get(monitor.name) in (None, given.get(monitor.name))]
    control.apply_monitors(untouched, joins=joins, actor=context.actor)
    show(context.stores.engine, control.contract_versions(contract.model))
