"""What each column of a reference file is: a role, a feature, a tag, a dimension."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as kinds

from core.contract import Kind, Roles
from core.error import ConfigError
from monitors.option import Options

_SINGLE = ("id", "ts", "prediction", "score", "label", "label_ts")
_INTERVAL = ("pred_low", "pred_high", 0.8)
_LONGEST = 40  # column names that a message lists


@dataclass(frozen=True)
class Layout:
    """The columns of a file by what they are; `kinds` holds features and tags, `roles` the names of role columns whether there or not."""

    roles: Roles
    features: tuple[str, ...]
    tags: tuple[str, ...]
    kinds: dict[str, Kind]
    dimensions: tuple[str, ...]
    protected: frozenset[str]
    crosses: tuple[tuple[str, ...], ...]


def layout(schema: pa.Schema, options: Options) -> Layout:
    """What the columns of a file with this schema are. Raises ConfigError that names the option, the column and the columns there are."""
    names = schema.names
    if len(set(names)) != len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"the file has two columns named {double!r}")
    roles = _roles(names, options)
    taken = _taken(names, roles)
    dimensions, crosses = _dimensions(options)
    _check(schema, taken, {"features": options.features or (), "protected": options.protected, "segments": dimensions}, own=True)
    _check(schema, taken, {"categorical": options.categorical, "exclude": options.exclude}, own=False)
    features = options.features
    if features is None:
        features = tuple(n for n in names if n not in taken and n not in options.exclude and _usable(schema.field(n).type))
    if wrong := next((name for name in features if not name or name.startswith("@")), None):
        raise ConfigError(f"column {wrong!r} cannot be a feature: names with @ are the model's own", remedy="rename it, or use --exclude")
    texts = {*dimensions, *options.categorical}
    tags = tuple(name for name in dimensions if name not in features)
    return Layout(
        roles=roles,
        features=features,
        tags=tags,
        kinds={name: Kind.CATEGORICAL if name in texts or _wordy(schema.field(name).type) else Kind.NUMERIC for name in (*features, *tags)},
        dimensions=dimensions,
        protected=frozenset(options.protected),
        crosses=crosses,
    )


def probabilities(names: Iterable[str], roles: Roles) -> dict[str, str]:
    """The columns that hold probabilities, by the text after the prefix."""
    return {name.removeprefix(roles.proba_prefix): name for name in names if name.startswith(roles.proba_prefix)}


def _roles(names: Sequence[str], options: Options) -> Roles:
    given = {name: getattr(options, name) for name in _SINGLE}
    for option, name in given.items():
        if name is not None and name not in names:
            raise _absent(option, name, names)
    if options.proba_prefix is not None and not any(name.startswith(options.proba_prefix) for name in names):
        raise ConfigError(f"--proba-prefix {options.proba_prefix}: no column begins so", remedy=_there(names))
    for name in (options.interval or ())[:2]:
        if name not in names:
            raise _absent("interval", str(name), names)
    interval = options.interval or (_INTERVAL if set(_INTERVAL[:2]) <= set(names) else None)
    prefix = {} if options.proba_prefix is None else {"proba_prefix": options.proba_prefix}
    roles = Roles(**{name: value for name, value in given.items() if value is not None}, **prefix, interval=interval)
    if roles.prediction not in names:
        raise _absent("prediction", roles.prediction, names)
    return roles


def _taken(names: Sequence[str], roles: Roles) -> set[str]:
    """The role columns: never features."""
    interval = roles.interval[:2] if roles.interval else _INTERVAL[:2]
    return {*(getattr(roles, name) for name in _SINGLE), *probabilities(names, roles).values(), *map(str, interval)}


def _dimensions(options: Options) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The dimensions (segments, then protected attributes) and the crosses between them."""
    dimensions = tuple(dict.fromkeys([*(name for name in options.segments if "*" not in name), *options.protected]))
    if wrong := next((name for name in dimensions if set(name) & set("*,=")), None):
        raise ConfigError(f"column {wrong!r} cannot be a segment: its name holds one of * , =", remedy="rename it")
    crosses: dict[frozenset[str], tuple[str, ...]] = {}
    for cross in (name for name in options.segments if "*" in name):
        parts = tuple(part.strip() for part in cross.split("*"))
        for part in parts:
            if part not in dimensions:
                raise ConfigError(f"--segments {cross}: {part!r} is no segment", remedy=f"declare it too: --segments {part},{cross}")
        if len(set(parts)) < len(parts):
            raise ConfigError(f"--segments {cross} crosses a column with itself")
        crosses.setdefault(frozenset(parts), parts)
    return dimensions, tuple(crosses.values())


def _check(schema: pa.Schema, taken: set[str], lists: dict[str, Sequence[str]], *, own: bool) -> None:
    """Named columns are there; and those that are to be features or segments (`own`) are free and of a usable type."""
    for option, names in lists.items():
        for name in names:
            if name not in schema.names:
                raise _absent(option, name, schema.names)
            if own and name in taken:
                raise ConfigError(f"--{option} {name}: that is a role column", remedy="name another role column, or leave it out")
            if own and not _usable(schema.field(name).type):
                raise ConfigError(f"--{option} {name}: a column of type {schema.field(name).type} cannot be used", remedy="leave it out")


def _usable(kind: pa.DataType) -> bool:
    """Whether a column can be a feature: strings, booleans, numbers, dictionaries of these, and columns of nothing."""
    if kinds.is_dictionary(kind):
        return _usable(kind.value_type)
    return _wordy(kind) or kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind) or kinds.is_null(kind)


def _wordy(kind: pa.DataType) -> bool:
    """Whether a column is categorical by its type."""
    tests = (kinds.is_string, kinds.is_large_string, kinds.is_string_view, kinds.is_boolean, kinds.is_dictionary)
    return any(test(kind) for test in tests)


def _absent(option: str, name: str, names: Sequence[str]) -> ConfigError:
    return ConfigError(f"--{option.replace('_', '-')} {name}: there is no such column", remedy=_there(names))


def _there(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LONGEST} more" if len(names) > _LONGEST else ""
    return "columns: " + ", ".join(names[:_LONGEST]) + more
