"""Commands: the list of all changes that somebody can ask for from outside, and the function `do`, which runs them.

A new command is a function in `watchkeeper/change/`, which takes the context and its payload, and a line in `COMMANDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from core.principal import Principal, Role
from watchkeeper.change.apply import ApplyRequest, apply
from watchkeeper.change.context import Context
from watchkeeper.change.delete import (
    DeleteBudget,
    DeleteDestination,
    DeleteHook,
    DeleteModel,
    DeleteMonitor,
    DeletePolicy,
    delete_budget,
    delete_destination,
    delete_hook,
    delete_model,
    delete_monitor,
    delete_policy,
    purge_model,
)
from watchkeeper.change.delivery import (
    CheckDestination,
    ReplayDead,
    ReplayDelivery,
    check_destination,
    replay_dead,
    replay_delivery,
)
from watchkeeper.change.people import (
    ActRequest,
    DeleteSilence,
    GroupRequest,
    SilenceRequest,
    acknowledge_group,
    act,
    delete_silence,
    silence,
)
from watchkeeper.change.production import ProductionReference, refer_to_production
from watchkeeper.change.proposal import TakenProposal, take_proposal
from watchkeeper.change.rebuild import RebuildRequest, rebuild
from watchkeeper.change.reference import ReferenceFile, give_reference
from watchkeeper.change.retrain import (
    RegistryNotice,
    RetrainDecision,
    RetrainReport,
    RetrainRequest,
    ask,
    decide,
    take_notice,
    take_report,
)
from watchkeeper.stores import Stores


class Command(NamedTuple):
    """A change from outside: the lowest role that may ask for it, the type of its payload, and the function that makes the change.

    `run` writes an audit entry with `context.actor` in the transaction of the change. If it raises ConfigError, Missing or Retryable, nothing
    was changed, or the same command again finishes the change.
    """

    name: str
    role: Role
    payload: type[msgspec.Struct]
    run: Callable[[Context, Any], Any]


COMMANDS: tuple[Command, ...] = (
    Command("apply", Role.EDITOR, ApplyRequest, apply),
    Command("reference", Role.EDITOR, ReferenceFile, give_reference),
    Command("reference from production", Role.EDITOR, ProductionReference, refer_to_production),
    Command("proposal", Role.EDITOR, TakenProposal, take_proposal),
    Command("rebuild", Role.OPERATOR, RebuildRequest, rebuild),
    Command("act on episode", Role.OPERATOR, ActRequest, act),
    Command("acknowledge group", Role.OPERATOR, GroupRequest, acknowledge_group),
    Command("silence", Role.OPERATOR, SilenceRequest, silence),
    Command("delete silence", Role.OPERATOR, DeleteSilence, delete_silence),
    Command("replay delivery", Role.OPERATOR, ReplayDelivery, replay_delivery),
    Command("replay dead", Role.OPERATOR, ReplayDead, replay_dead),
    Command("test destination", Role.OPERATOR, CheckDestination, check_destination),
    Command("ask for retraining", Role.OPERATOR, RetrainRequest, ask),
    Command("decide on retraining", Role.OPERATOR, RetrainDecision, decide),
    Command("report of retraining", Role.VIEWER, RetrainReport, take_report),  # whoever has the token of the run
    Command("notice of the model registry", Role.VIEWER, RegistryNotice, take_notice),  # whoever has the secret of the hook
    Command("delete monitor", Role.EDITOR, DeleteMonitor, delete_monitor),
    Command("delete budget", Role.EDITOR, DeleteBudget, delete_budget),
    Command("delete destination", Role.EDITOR, DeleteDestination, delete_destination),
    Command("delete policy", Role.EDITOR, DeletePolicy, delete_policy),
    Command("delete hook", Role.EDITOR, DeleteHook, delete_hook),
    Command("delete model", Role.EDITOR, DeleteModel, delete_model),
    Command("purge model", Role.ADMIN, DeleteModel, purge_model),
)
_BY_NAME = {command.name: command for command in COMMANDS}


def role(name: str) -> Role:
    """The lowest role that may ask for a command."""
    return _BY_NAME[name].role


def do(stores: Stores, principal: Principal, name: str, payload: msgspec.Struct) -> Any:
    """Run a command in the name of a principal, if their role allows it. Returns the command's answer. Raises Forbidden if the role is too low."""
    command = _BY_NAME[name]
    principal.require(command.role)
    if not isinstance(payload, command.payload):
        raise TypeError(f"`{name}` takes {command.payload.__name__}, not {type(payload).__name__}")
    return command.run(Context(stores, principal.name), payload)
