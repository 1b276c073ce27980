"""What would be better, although nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from detectors.summary.edition import EDITION
from watchkeeper.scheduling.definition_cache import Definition

_NAMED = 6  # columns that a sentence lists


def advice(defined: Iterable[Definition]) -> list[str]:
    """A sentence for each model whose reference was summarised by an earlier version."""
    return [
        f"the reference of {one.contract.model} was summarised by an earlier version, which did not make all sums that measures need now;"
        " give the same file again, and the contract stays (`watchkeeper reference`)"
        for one in defined
        if one.referenced and one.contract.summary < EDITION
    ]


def versions_apart(model: str, valueless: Mapping[str, AbstractSet[str]]) -> list[str]:
    """A sentence if versions of a model send other features than one another; `valueless` are the features of which a version sends no value."""
    by_none = frozenset.intersection(*map(frozenset, valueless.values())) if valueless else frozenset()
    missing = {version: sorted(columns - by_none) for version, columns in sorted(valueless.items()) if columns - by_none}
    if not missing:
        return []
    said = "; ".join(f"version {version} sends no value of {_listed(columns)}" for version, columns in missing.items())
    mixed = "Monitors without a version mix them: give each version monitors of its own (`version:`), or another model's name"
    return [f"versions of {model} send different features: {said}. {mixed}"]


def _listed(columns: list[str]) -> str:
    return ", ".join(columns[:_NAMED]) + (f" and {len(columns) - _NAMED} more" if len(columns) > _NAMED else "")
