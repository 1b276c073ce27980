"""The commands that delete monitors, budgets, destinations, hooks and models. Their history stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from alerts.destination import kafka
from alerts.policy.document import destinations_of
from alerts.retire import end
from alerts.retrain.machine import move
from alerts.trust_watch import tell
from core.document_name import OVERDUE, OWNER, REBUILD, REPORT, TRUST, TRUST_TOPIC
from core.episode import Cause
from core.error import ConfigError, Missing
from core.retrain import Retrain, RetrainState
from monitors.definition.shared import joins
from storage.control.retire import RetirementTransaction
from watchkeeper.change.context import Context
from watchkeeper.change.purge import remove


class DeleteMonitor(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor of a model."""

    model: str
    name: str


class DeleteBudget(msgspec.Struct, frozen=True, kw_only=True):
    """A budget of a model."""

    name: str


class DeleteDestination(msgspec.Struct, frozen=True, kw_only=True):
    """A destination."""

    name: str


class DeletePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The policy."""

    name: str


class DeleteHook(msgspec.Struct, frozen=True, kw_only=True):
    """A hook."""

    name: str


class DeleteModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model, with its monitors."""

    model: str


def delete_monitor(context: Context, given: DeleteMonitor) -> Mapping[str, Any]:
    """Delete a monitor and end its open episodes. If it is defined again, its revisions go on from the last one."""
    with context.stores.control.retiring(context.actor) as change:
        change.hold(OWNER + given.model)
        monitor = change.monitor(given.model, given.name)
        if monitor is None:
            raise Missing(f"there is no monitor {given.name[:100]!r} of {given.model[:100]!r}", remedy="GET /v1/monitors lists them")
        end(monitor, f"Monitor {given.name} was deleted", Cause.MONITOR_DELETED, change, change.now, context.stores.settings.public)
        change.share_out(given.model, joins)
    return _deleted("monitor", given.model, given.name)


def delete_budget(context: Context, given: DeleteBudget) -> Mapping[str, Any]:
    """Delete a budget of a model. The monitors that shared it do not alarm any more."""
    with context.stores.control.retiring(context.actor) as change:
        budget = change.budget(given.name)
        if budget is None:
            raise Missing(f"there is no budget {given.name[:100]!r}", remedy="GET /v1/budgets lists them")
        change.share_out(budget.model, joins)
    return _deleted("budget", budget.model, budget.name)


def delete_destination(context: Context, given: DeleteDestination) -> Mapping[str, Any]:
    """Delete a destination, and give up the notifications that wait for it. ConfigError if the policy names it, because what goes there would be lost."""
    with context.stores.control.retiring(context.actor) as change:
        policy = change.policy()
        if policy is not None and (place := destinations_of(policy).get(given.name)) is not None:
            raise ConfigError(f"the policy `{policy.name}` names `{given.name}` at {place}", remedy="change or delete the policy first")
        if change.destination(given.name) is None:
            raise Missing(f"there is no destination {given.name[:100]!r}", remedy="GET /v1/destinations lists them")
    return _deleted("destination", None, given.name)


def delete_policy(context: Context, given: DeletePolicy) -> Mapping[str, Any]:
    """Delete the policy. Who was told of a group that is open is told of its end, and new episodes go to each destination that takes them."""
    if context.stores.control.delete_policy(given.name, context.actor) is None:
        raise Missing(f"there is no policy {given.name[:100]!r}", remedy="GET /v1/policies lists it")
    return _deleted("policy", None, given.name)


def delete_hook(context: Context, given: DeleteHook) -> Mapping[str, Any]:
    """Delete a hook. What it has asked for is cancelled."""
    with context.stores.control.retiring(context.actor) as change:
        hook = change.retire_hook(given.name)
        if hook is None:
            raise Missing(f"there is no hook {given.name[:100]!r}", remedy="GET /v1/hooks lists them")
        _cancel(change, [one for one in change.open() if one.hook == hook.name], "the hook was deleted", context.actor)
    return _deleted("hook", hook.model, hook.name)


def delete_model(context: Context, given: DeleteModel) -> Mapping[str, Any]:
    """Delete a model and its monitors. Open episodes end, its owner stops, and its events are refused from now on. Earlier events stay."""
    return _delete_model(context, given.model, purge=False)


def purge_model(context: Context, given: DeleteModel) -> Mapping[str, Any]:
    """Delete a model, if it is still there, and remove its facts.

    Raises Retryable if that is interrupted. The same command again goes on with it, and so does a serving process.
    """
    answer = _delete_model(context, given.model, purge=True)
    remove(context.stores, given.model)
    return answer


def _delete_model(context: Context, model: str, *, purge: bool) -> Mapping[str, Any]:
    with context.stores.control.retiring(context.actor) as change:
        change.fence(OWNER + model)
        found = change.model(model)
        for monitor in found[1] if found else ():
            end(monitor, f"Model {model} was deleted", Cause.MODEL_DELETED, change, change.now, context.stores.settings.public)
        if not (change.purge(model) if purge else found):
            raise Missing(f"there is no model {model[:100]!r}", remedy="GET /v1/models lists them")
        _cancel(change, [one for one in change.open() if one.model == model], "the model was deleted", context.actor)
        tell(model, (), change, change.now, context.stores.settings.public)
        if change.trust(model, TRUST_TOPIC).states:  # on a cluster
            tell(model, (), change, change.now, context.stores.settings.public, kafka.TRUST_TOPIC)
        for prefix in (REPORT, REBUILD, TRUST, TRUST_TOPIC, OVERDUE):
            change.forget(prefix + model)
    return _deleted("model", model, model) | {"purged": purge}


def _cancel(change: RetirementTransaction, requests: Iterable[Retrain], why: str, actor: str) -> None:
    change.save([move(one, RetrainState.CANCELLED, why, change.now, actor) for one in requests])


def _deleted(kind: str, model: str | None, name: str) -> dict[str, Any]:
    return {"kind": kind, "model": model, "name": name, "result": "deleted"}
