"""How the columns of a file fit a contract: for which use each is read, and where file and contract differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pyarrow as pa

from core.contract import Column, Contract, Kind, Roles, Task
from monitors.reference import arrow
from monitors.reference.arrow import Use
from monitors.reference.layout import USES, prefixed

_LISTED = 20  # how many columns of a kind a note names


def uses(schema: pa.Schema, contract: Contract, probabilities: Iterable[str]) -> dict[str, Use]:
    """The use for which each column of a prediction is read, except its id and time. Raises ConfigError if a type cannot be read for it.

    A column of text where the contract expects numbers, or of numbers where it expects text, is read as it is: the server counts its values as invalid.
    """
    roles = contract.roles
    target = Use.NUMBER if contract.task == Task.REGRESSION else Use.CATEGORY
    numbers = [*([roles.score] if contract.task == Task.BINARY else []), *map(str, (roles.interval or ())[:2]), *probabilities]
    numbers += [*([roles.latency] if roles.latency else []), *ensemble(schema.names, contract), *attributions(schema.names, contract)]
    wanted = dict.fromkeys(numbers, Use.NUMBER)
    wanted |= {name: Use.CATEGORY for name in (roles.status, roles.caller) if name}
    wanted |= {roles.prediction_set: Use.SET} if roles.prediction_set else {}
    wanted |= {column.name: _use(schema, column) for column in contract.columns if column.name in schema.names}
    wanted[roles.prediction] = target
    found = {name: use for name, use in wanted.items() if name in schema.names}
    for name, use in found.items():
        if not arrow.takes(use, kind := schema.field(name).type):
            raise arrow.refusal(name, kind, use)
    return found


def ensemble(names: Iterable[str], contract: Contract) -> list[str]:
    """The columns of an ensemble's members."""
    return list(prefixed(names, contract.roles.ensemble_prefix))


def attributions(names: Iterable[str], contract: Contract) -> dict[str, str]:
    """The columns of attributions, and the features that they are of."""
    features = {column.name for column in contract.features}
    return {name: feature for name, feature in prefixed(names, contract.roles.attribution_prefix).items() if feature in features}


def differences(schema: pa.Schema, contract: Contract, label_ts: str, known: Collection[str]) -> list[str]:
    """The differences between a file and a contract, a sentence each; `known` are the columns that are used or have a role."""
    roles, names = contract.roles, schema.names
    missing = [column.name for column in contract.columns if column.name not in names]
    unknown = [name for name in names if name not in known]
    notes = []
    if missing:
        notes.append(f"missing in the file, and null in every event: {_listed(missing)}{_alike(missing, unknown)}")
    if unknown:
        notes.append(f"not in the contract, and not sent: {_listed(unknown)}")
    mixed = ((kind, _mixed(schema, contract, kind)) for kind in (Kind.NUMERIC, Kind.TEXT, Kind.VECTOR))
    notes += [
        f"{kind} in the contract and not in the file, so that every value is invalid: {', '.join(names[:_LISTED])}"
        for kind, names in mixed
        if names
    ]
    if contract.scored and not any(name == roles.score or name.startswith(roles.proba_prefix) for name in names):
        notes.append(f"the contract has scores, and the file has no column {roles.score!r} nor one that begins with {roles.proba_prefix!r}")
    if roles.label not in names:
        notes.append(f"the file has no column {roles.label!r}: no labels are sent")
    elif label_ts not in {*names, Roles().label_ts}:
        notes.append(f"the file has no column {label_ts!r}: each label is sent with the time of its prediction")
    return notes


def _use(schema: pa.Schema, column: Column) -> Use:
    use = USES[column.kind]
    return use if arrow.takes(use, schema.field(column.name).type) else Use.CATEGORY


def _mixed(schema: pa.Schema, contract: Contract, kind: Kind) -> list[str]:
    """The columns of a kind in the contract that hold something else in the file, with their types."""
    there = (column.name for column in contract.columns if column.kind == kind and column.name in schema.names)
    types = {name: schema.field(name).type for name in there}
    return [f"{name!r} ({arrow.named(one)})" for name, one in types.items() if not arrow.takes(USES[kind], one)]


def _alike(missing: Iterable[str], unknown: Iterable[str]) -> str:
    """Which unknown columns are the missing ones if case, blanks and punctuation are ignored."""
    plain = {_letters(name): name for name in unknown}
    found = [f"{plain[_letters(name)]!r} for {name!r}" for name in missing if _letters(name) in plain]
    return f"; is it {', '.join(found[:_LISTED])}?" if found else ""


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(repr, names[:_LISTED])) + more
