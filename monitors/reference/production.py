"""Events of production as a reference file: the table and the options that give a contract like the one under which they were taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from core import text
from core.block import Categories, Floats, Predictions
from core.contract import Contract, Kind, Task
from core.error import ConfigError
from core.extra import WRONG, Interval, read
from detectors.summary.signal import ATTRIBUTION
from monitors.reference.option import Options, Together

_LEVEL = 0.9  # of intervals that come without one


def table_of(contract: Contract, events: Predictions, labels: Mapping[str, tuple[str, float, int]]) -> pa.Table:
    """The events as rows of a reference file, whose columns have the names of the contract's roles.

    `labels` are by id: text, number, and time in microseconds. What could not be used is null. Raises ConfigError for a contract with columns whose values are not kept.
    """
    if gone := [column.name for column in contract.columns if column.kind is Kind.TEXT]:
        problem = f"`{contract.model}` has texts ({', '.join(gone[:10])}), and of texts no content is kept"
        raise ConfigError(problem, remedy="give the reference as a file")
    found = columns_of(contract, events, labels)
    roles, absent = contract.roles, set[str]()
    if not any(one in labels for one in events.id.tolist()):
        absent = {roles.label, roles.label_ts}
    if events.probabilities is None and contract.task is Task.MULTICLASS:
        absent |= {roles.proba_prefix + text.unquote(name) for name in contract.classes}
    return pa.table({name: values for name, values in found.items() if name not in absent})


def columns_of(
    contract: Contract, events: Predictions, labels: Mapping[str, tuple[str, float, int]], members: int | None = None
) -> dict[str, pa.Array]:
    """The columns by name, the same ones whatever these events hold: with those of the label and of probabilities, and without texts.

    `members` is how many columns hold the members of ensembles, None for as many as these events have.
    """
    roles, regression = contract.roles, contract.task is Task.REGRESSION
    held = [labels.get(one) for one in events.id.tolist()]
    texts = [None if one is None or one[0] in (text.NULL, text.INVALID) else text.unquote(one[0]) for one in held]
    found: dict[str, pa.Array] = {
        roles.id: pa.array(events.id.tolist(), pa.string()),
        roles.ts: _times(events.ts),
        roles.prediction: _column(events.prediction),
        roles.label: _number(np.array([np.nan if one is None else one[1] for one in held], np.float64))
        if regression
        else pa.array(texts, pa.string()),
        roles.label_ts: pa.array([None if one is None else one[2] for one in held], pa.timestamp("us", "UTC")),
    }
    if contract.scored and contract.task is Task.BINARY:
        found[roles.score] = _number(events.score)
    elif contract.scored:
        probabilities = np.full((len(events), len(contract.classes)), np.nan) if events.probabilities is None else events.probabilities
        for index, name in enumerate(contract.classes):
            found[roles.proba_prefix + text.unquote(name)] = _number(probabilities[:, index])
    numbers, texts_of, vectors = iter(events.numbers), iter(events.texts), iter(events.vectors)
    own = {one.name for one in contract.columns if one.kind is not Kind.TEXT}
    for column in contract.kept:
        values: Categories | Floats = next(numbers) if column.numeric else next(texts_of)
        vector = next(vectors) if column.kind is Kind.VECTOR else None
        if column.name in own:
            found[column.name] = _column(values) if vector is None else _vectors(vector)
    return found | _fields(contract, events, members)


def options_of(contract: Contract, table: pa.Table) -> Options:
    """The options with which such a table gives a contract with the same columns, segments, classes and signals."""
    roles = contract.roles
    named = {name: value for name, value in _roles(contract).items() if value is not None and _there(value, table)}
    segments = [one.name for one in contract.dimensions] + ["*".join(cross) for cross in contract.crosses]
    own = {column.name: column for column in contract.columns}
    return Options(
        task=contract.task,
        id=roles.id,
        ts=roles.ts,
        prediction=roles.prediction,
        score=roles.score if roles.score in table.column_names else None,
        proba_prefix=roles.proba_prefix
        if any(name.startswith(roles.proba_prefix) for name in table.column_names) and contract.task is Task.MULTICLASS
        else None,
        label=roles.label if roles.label in table.column_names else None,
        label_ts=roles.label_ts if roles.label_ts in table.column_names else None,
        features=tuple(column.name for column in contract.features),
        categorical=tuple(name for name, column in own.items() if column.kind is Kind.CATEGORICAL),
        segments=tuple(segments),
        protected=contract.protected,
        positive=text.unquote(contract.positive),
        threshold=contract.threshold,
        earliest=contract.earliest,
        multivariate=Together.ON if contract.multivariate else Together.OFF,
        **named,
    )


def _roles(contract: Contract) -> dict[str, Any]:
    """The names of the columns that hold optional fields, of those that the contract's signals are made of. A field without a role has a name that no feature can have."""
    roles, signals = contract.roles, {column.name for column in contract.signals}
    wanted = {
        "interval": ("@interval_width" in signals, roles.interval or ("@lower", "@upper", _LEVEL)),
        "prediction_set": ("@set_size" in signals, roles.prediction_set or "@prediction_set"),
        "ensemble_prefix": (bool(signals & {"@ensemble_mean", "@ensemble_std"}), roles.ensemble_prefix or "@ensemble_"),
        "latency": ("@latency_ms" in signals, roles.latency or "@latency_ms"),
        "status": ("@status" in signals, roles.status or "@status"),
        "caller": ("@caller" in signals, roles.caller or "@caller"),
        "attribution_prefix": (any(name.startswith(ATTRIBUTION) for name in signals), roles.attribution_prefix or "@attribution_"),
    }
    return {name: value if there else None for name, (there, value) in wanted.items()}


def _there(role: Any, table: pa.Table) -> bool:
    names = table.column_names
    return role[0] in names if isinstance(role, tuple) else role in names or any(name.startswith(role) for name in names)


def _fields(contract: Contract, events: Predictions, members: int | None) -> dict[str, pa.Array]:
    """The optional fields of events as columns."""
    named = {name: value for name, value in _roles(contract).items() if value is not None}
    kept = read(events.extra.tolist()) if named else []
    found: dict[str, pa.Array] = {}
    for role, name in (("latency", "latency_ms"), ("status", "status"), ("caller", "caller")):
        if role in named:
            values = [None if (value := getattr(one, name)) is WRONG else value for one in kept]
            found[named[role]] = pa.array(values, pa.float64() if role == "latency" else pa.string())
    if "interval" in named:
        bounds = [one.interval if isinstance(one.interval, Interval) else None for one in kept]
        lower, upper, _ = named["interval"]
        found |= {
            lower: pa.array([one and one.lower for one in bounds], pa.float64()),
            upper: pa.array([one and one.upper for one in bounds], pa.float64()),
        }
    if "prediction_set" in named:
        binary = contract.task is Task.BINARY
        sets = [
            [text.unquote(text.class_of(value, binary=binary)) for value in one.prediction_set]
            if isinstance(one.prediction_set, list)
            else None
            for one in kept
        ]
        found[named["prediction_set"]] = pa.array(sets, pa.list_(pa.string()))
    if "ensemble_prefix" in named:
        held = [one.ensemble if isinstance(one.ensemble, list) else [] for one in kept]
        for index in range(max(map(len, held), default=0) if members is None else members):
            found[f"{named['ensemble_prefix']}{index}"] = pa.array([one[index] if index < len(one) else None for one in held], pa.float64())
    if "attribution_prefix" in named:
        for column in contract.signals:
            if column.name.startswith(ATTRIBUTION):
                feature = column.name.removeprefix(ATTRIBUTION)
                values = [None if not one.attributions or (value := one.attributions.get(feature)) is WRONG else value for one in kept]
                found[named["attribution_prefix"] + feature] = pa.array(values, pa.float64())
    return found


def _column(values: Categories | Floats) -> pa.Array:
    if not isinstance(values, Categories):
        return _number(values)
    plain = np.array([None if one in (text.NULL, text.INVALID) else text.unquote(one) for one in values.texts], np.object_)
    return pa.array(plain[values.codes].tolist() if len(plain) else [], pa.string())


def _number(values: Floats) -> pa.Array:
    return pa.array(values, pa.float64(), mask=~np.isfinite(values))


def _times(values: Any) -> pa.Array:
    return pa.array(values, pa.int64()).cast(pa.timestamp("us", "UTC"))


def _vectors(values: Any) -> pa.Array:
    return pa.array([row.tolist() if np.isfinite(row).all() else None for row in values], pa.list_(pa.float32()))
