"""Every change that somebody asks for from outside: one list of commands, and the one way in which they are done.

A new one is a function in `watchkeeper/change/`, which takes the context and its payload, and a line in `COMMANDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from core.principal import Principal, Role
from watchkeeper.change.apply import Apply, apply
from watchkeeper.change.context import Context
from watchkeeper.change.delete import (
    DeleteDestination,
    DeleteModel,
    DeleteMonitor,
    delete_destination,
    delete_model,
    delete_monitor,
    purge_model,
)
from watchkeeper.change.rebuild import Rebuild, rebuild
from watchkeeper.change.reference import ReferenceFile, give_reference
from watchkeeper.stores import Stores


class Command(NamedTuple):
    """A change from outside: the role that it needs at least, its payload, and the function that makes it.

    `run` writes what it changes with `context.actor`, so that the audit has it in the same transaction. It raises ConfigError, Missing or
    Retryable; then nothing was changed, or the same command again finishes it.
    """

    name: str
    role: Role
    payload: type[msgspec.Struct]
    run: Callable[[Context, Any], Any]


COMMANDS: tuple[Command, ...] = (
    Command("apply", Role.EDITOR, Apply, apply),
    Command("reference", Role.EDITOR, ReferenceFile, give_reference),
    Command("rebuild", Role.OPERATOR, Rebuild, rebuild),
    Command("delete monitor", Role.EDITOR, DeleteMonitor, delete_monitor),
    Command("delete destination", Role.EDITOR, DeleteDestination, delete_destination),
    Command("delete model", Role.EDITOR, DeleteModel, delete_model),
    Command("purge model", Role.ADMIN, DeleteModel, purge_model),
)
_BY_NAME = {command.name: command for command in COMMANDS}


def role(name: str) -> Role:
    """The role that a command needs at least."""
    return _BY_NAME[name].role


def do(stores: Stores, principal: Principal, name: str, payload: msgspec.Struct) -> Any:
    """Do what a principal asks for, if their role allows it, under their name in the audit; the command's answer. Raises Forbidden if not."""
    command = _BY_NAME[name]
    principal.require(command.role)
    if not isinstance(payload, command.payload):
        raise TypeError(f"`{name}` takes {command.payload.__name__}, not {type(payload).__name__}")
    return command.run(Context(stores, principal.name), payload)
