"""What models the twin has, and who uses them: a champion, and a shadow of the next version with a quarter of the predictions."""

from __future__ import annotations

from core import moment
from core.contract import Contract
from core.principal import Principal, Role


class Used:
    """The part of a reader that gives contracts, and counts predictions by version and role."""

    _contracts: dict[str, Contract]

    def contracts(self) -> list[Contract]:
        """All."""
        return list(self._contracts.values())

    def principals(self) -> list[Principal]:
        """An admin and a viewer, whose name is not nice."""
        return [Principal("ada", Role.ADMIN), Principal("<b>bob</b>", Role.VIEWER)]

    def use(self, model: str, start: int, end: int) -> list[tuple[str, str, int]]:
        """300 and 100 a day."""
        days = (end - start) // moment.DAY
        return [("1", "champion", 300 * days), ("2", "shadow", 100 * days)] if days else []
