"""A contract as a document of the API, and back: times are RFC 3339, the pane and the usual window are durations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core import duration, moment
from core.contract import Contract


def written(contract: Contract) -> dict[str, Any]:
    """The document of a contract."""
    built: dict[str, Any] = msgspec.to_builtins(contract)
    usual = contract.usual and {"window": duration.text(contract.usual.length), "rows": contract.usual.rows}
    return {**built, "earliest": moment.text(contract.earliest), "pane": duration.text(contract.pane), "usual": usual}


def read(document: Mapping[str, Any]) -> Contract:
    """The contract of a document."""
    times = {"earliest": moment.parse(document["earliest"]), "pane": duration.parse(document["pane"])}
    said = document.get("usual")  # servers of an earlier version do not say it
    usual = said and {"length": duration.parse(said["window"]), "rows": said["rows"]}
    return msgspec.convert({**document, **times, "usual": usual}, Contract)
