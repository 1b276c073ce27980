"""Principals, who send requests, and their roles, which say what they may do."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from core.error import Forbidden


class Role(StrEnum):
    """What a principal may do, lowest first; each may do what those before it may.

    A viewer reads. A sender also sends events. An operator also rebuilds panes, acts on episodes and silences, which changes no definition. An editor also changes and
    deletes definitions. An admin also reads the audit and removes data.
    """

    VIEWER = "viewer"
    SENDER = "sender"
    OPERATOR = "operator"
    EDITOR = "editor"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """0 for viewer, 4 for admin."""
        return list(Role).index(self)


class Principal(NamedTuple):
    """A principal: the name of the token of a request, and its role."""

    name: str
    role: Role

    def require(self, role: Role) -> None:
        """Raise Forbidden unless this principal has the role, or a higher one."""
        if self.role.rank < role.rank:
            raise Forbidden(
                f"`{self.name}` has the role `{self.role}`, and this needs `{role}`",
                remedy=f"use a token with the role {' or '.join(list(Role)[role.rank :])} (setting `tokens`)",
            )


LOCAL = Principal("local", Role.ADMIN)
"""Everyone on this machine, if the settings have no token."""
