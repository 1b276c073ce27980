"""The command that applies definitions in YAML."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from alerts.destination.document import destination_from
from alerts.policy.document import check_destinations, policy_from
from alerts.retrain.document import check, hook_from
from core.contract import Contract
from core.error import ConfigError
from core.hook import Hook
from core.policy import Policy
from core.segment import grouping_of
from detectors.catalogue import MEASURES
from monitors.definition.declared import content, same
from monitors.definition.grammar import ParsedDefinitions, parse
from monitors.definition.segment import groupings
from monitors.definition.shared import joins, one_each
from storage.control.store import ControlStore
from watchkeeper.change.context import Context
from watchkeeper.change.contract import complete, prepare
from watchkeeper.guarding import files, guard


class ApplyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Definitions in YAML. `dry_run` changes nothing; with `replace` a declared contract may remove a reference."""

    text: str
    dry_run: bool = False
    replace: bool = False


def apply(context: Context, given: ApplyRequest) -> Sequence[Mapping[str, Any]]:
    """Apply contracts, then monitors and budgets, then destinations, the policy and hooks, if the whole file is valid. Returns kind, model, name and result of each."""
    control, actor, dry_run = context.stores.control, context.actor, given.dry_run
    there = {("monitor", monitor.model, monitor.name) for monitor in control.monitors()}
    there |= {("budget", "", budget.name) for budget in control.budgets()}
    names = {destination.name for destination in control.destinations()}
    there |= {("destination", "", name) for name in names}
    there |= {("policy", "", policy.name) for policy in filter(None, [control.policy()])}
    there |= {("hook", "", hook.name) for hook in control.hooks()}
    found = parse(given.text, contract=control.contract, there=there)
    one_each(found.budgets, control.budgets())
    settings = context.stores.settings
    destinations = [destination_from(dict(document), guard(settings), files(settings)) for document in found.destinations]
    policies = _policies(found.policies, names | {destination.name for destination in destinations})
    hooks = _hooks(context, found)
    applied = []
    for contract, (result, changed) in [(contract, _outcome(control, contract, replace=given.replace)) for contract in found.contracts]:
        applied.append(("contract", contract.model, contract.model, result))
        if changed and not dry_run:
            prepare(context, contract)
            complete(context, control.save_contract(contract, content=content(contract), reference=None, actor=actor))
        elif result == "changed" and not dry_run:
            control.describe_contract(contract.model, contract, actor=actor)
    defined = control.apply_monitors(found.monitors, budgets=found.budgets, joins=joins, dry_run=dry_run, actor=actor)
    kinds = ["monitor"] * len(found.monitors) + ["budget"] * len(found.budgets)
    applied += [(kind, *one) for kind, one in zip(kinds, defined, strict=True)]
    applied += [("destination", *one) for one in control.apply_destinations(destinations, dry_run=dry_run, actor=actor)]
    applied += [("policy", *one) for one in control.apply_policies(policies, dry_run=dry_run, actor=actor)]
    applied += [("hook", *one) for one in control.apply_hooks(hooks, dry_run=dry_run, actor=actor)]
    return [{"kind": kind, "model": model or None, "name": name, "result": result} for kind, model, name, result in applied]


def _policies(documents: Sequence[Mapping[str, Any]], destinations: Collection[str]) -> list[Policy]:
    """The policy of a file, with every destination that it names. ConfigError if a file has two."""
    found = [policy_from(document) for document in documents]
    if len(found) > 1:
        raise ConfigError(
            f"the file has the policies `{found[0].name}` and `{found[1].name}`, and there is one only", remedy="join their routes"
        )
    for policy in found:
        check_destinations(policy, destinations)
    return found


def _hooks(context: Context, found: ParsedDefinitions) -> list[Hook]:
    """The hooks of a file, each of a model that is there or that the file declares."""
    control, settings = context.stores.control, context.stores.settings
    hooks = [hook_from(document, guard(settings), files(settings)) for document in found.hooks]
    declared = {contract.model: contract for contract in found.contracts}
    contracts = {hook.model: declared.get(hook.model) or control.contract(hook.model) for hook in hooks}
    for hook in hooks:
        check(hook, [model for model, contract in contracts.items() if contract is not None], MEASURES)
        _check_segment(hook, contracts[hook.model])
    return hooks


def _check_segment(hook: Hook, contract: Contract | None) -> None:
    """Raise ConfigError unless panes hold the segment in which the hook's new version is verified."""
    if hook.verify is None or not (grouping := grouping_of(hook.verify.segment)):
        return
    try:
        groupings(["*".join(grouping)], contract)
    except ConfigError as error:
        raise ConfigError(f"hook `{hook.name}`, `verify.segment`: {error.message}", remedy=error.remedy) from None


def _outcome(control: ControlStore, contract: Contract, *, replace: bool) -> tuple[str, bool]:
    """The result of a declared contract: created, changed or unchanged; and whether it makes a new version, or only changes owner, description and runbook.

    It is unchanged if it equals the last declared contract, also if a reference came after that. ConfigError if it would remove a reference without `replace`.
    """
    before, declared = control.contract(contract.model), control.declared(contract.model)
    if before is None:
        return "created", True
    if any(held is not None and same(held, contract) for held in (before, declared)):
        return ("unchanged" if contract.words == before.words else "changed"), False
    derived = declared is None or declared.version != before.version
    if derived and not replace:
        raise ConfigError(
            f"`{contract.model}` has a reference (contract version {before.version}), and this declaration is not the one that was applied last:"
            " the reference would go, and with it what drift and performance are compared with",
            remedy="leave the contract out of the file, or apply it with --replace (`replace=true`) and give the reference again",
        )
    return "changed", True
