"""Decides whether panes hold sums over all features together, and makes what these need of the reference."""

from __future__ import annotations

import msgspec

from core.block import Categories, Floats, Predictions
from core.contract import Contract
from core.error import ConfigError
from detectors.summary import multivariate
from detectors.summary.bins import bins
from monitors.reference.option import Together

USUAL = 20  # features: with more there are no sums unless somebody asks for them
MOST = 100


def with_multivariate(contract: Contract, block: Predictions, wanted: Together) -> Contract:
    """The contract with what makes the sums over its features together, or without. `block` are the rows of the reference. Raises ConfigError for too many features."""
    columns, many = contract.features, len(contract.features)
    if wanted is Together.ON and not 2 <= many <= MOST:
        raise ConfigError(
            f"--multivariate on: there are {many} features", remedy=f"it needs 2 to {MOST}; name the important ones with --features"
        )
    if wanted is Together.OFF or not 2 <= many <= (USUAL if wanted is Together.AUTO else MOST):
        return contract
    numbers, texts = iter(block.numbers), iter(block.texts)
    held: dict[str, Categories | Floats] = {column.name: next(numbers) if column.numeric else next(texts) for column in contract.kept}
    places = {column.name: bins(column, held[column.name]) for column in columns}
    return msgspec.structs.replace(contract, multivariate=multivariate.profile(columns, places))
