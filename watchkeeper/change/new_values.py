"""Makes the contract in which values that came often are segments of their own. It is no command: the model's owner finds them."""

from __future__ import annotations

import msgspec

from core.contract import Contract
from storage.facts.view import show
from watchkeeper.stores import Stores

ACTOR = "watchkeeper"  # as the audit names it


class NewValueContracts:
    """The contracts that owners make (`monitors.ports.Takes`)."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def take_up(self, contract: Contract, fence: tuple[str, int]) -> None:
        """Save the contract as its model's next version. The view is made first: if the store refuses it, nothing has been written."""
        control = self._stores.control
        before = control.contract_versions(contract.model)
        if before and before[-1].version == contract.version:
            show(self._stores.engine, [*before, msgspec.structs.replace(contract, version=contract.version + 1)])
            control.take_up(contract, fence, actor=ACTOR)
