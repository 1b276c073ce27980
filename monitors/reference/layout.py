"""The layout of a reference file: which columns are roles, features, tags and dimensions."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from core.contract import Kind, Roles, Task
from core.error import ConfigError
from detectors.summary.vector_column import LONGEST
from monitors.reference import arrow
from monitors.reference.arrow import Use, ValueForm
from monitors.reference.option import Options

_SINGLE = ("id", "ts", "prediction", "score", "label", "label_ts")
_NAMED = ("latency", "status", "caller", "prediction_set")  # roles that have a column only if an option names it
_PREFIXES = ("proba_prefix", "ensemble_prefix", "attribution_prefix")
_OWN = {"@status": "status", "@caller": "caller"}  # signals to segment by, and their roles
_INTERVAL = ("pred_low", "pred_high", 0.8)
_WITHOUT = {
    Task.BINARY: {"interval"},
    Task.MULTICLASS: {"score", "interval", "ensemble_prefix"},
    Task.REGRESSION: {"score", "proba_prefix", "prediction_set"},
}  # roles
_INDEX = re.compile(r"__index_level_\d+__|__null_dask_index__")
USES = {Kind.NUMERIC: Use.NUMBER, Kind.CATEGORICAL: Use.CATEGORY, Kind.TEXT: Use.TEXT, Kind.VECTOR: Use.VECTOR}
_SHOWN = 40  # column names that a message lists


@dataclass(frozen=True)
class FileLayout:
    """The layout of a file. `kinds` holds features and tags; `roles` the names of role columns, whether they are in the file or not.

    `sizes` has how many numbers the vectors of each vector column have. `uses` gives for every used column its use, `filled` for every role that is in the file its columns, and `left` for every other column
    why it is left out.
    """

    roles: Roles
    features: tuple[str, ...]
    tags: tuple[str, ...]
    kinds: dict[str, Kind]
    dimensions: tuple[str, ...]
    protected: frozenset[str]
    crosses: tuple[tuple[str, ...], ...]
    sizes: dict[str, int]
    uses: dict[str, Use]
    filled: dict[str, tuple[str, ...]]
    left: dict[str, str]

    def described(self) -> dict[str, Any]:
        """The layout for people and programs, ready for JSON."""
        return {
            "roles": {role: list(names) for role, names in self.filled.items()},
            "features": [{"name": name, "kind": self.kinds[name].value} for name in self.features],
            "tags": [{"name": name, "kind": self.kinds[name].value} for name in self.tags],
            "left_out": [{"name": name, "reason": why} for name, why in self.left.items()],
        }


def distinct(names: Sequence[str]) -> None:
    """Raise ConfigError if two columns have one name."""
    for name, times in Counter(names).items():
        if times > 1:
            raise ConfigError(f"the file has {times} columns named {name!r}", remedy="rename all but one")


def layout(table: pa.Table, options: Options) -> FileLayout:
    """The layout of a file. Raises ConfigError that names the option, the column and the columns of the file."""
    schema, names = table.schema, table.schema.names
    distinct(names)
    roles = _roles(names, options)
    columns = _role_columns(schema, roles, options.task)
    uses = {name: use for found in columns.values() for name, use in found.items()}
    dimensions, crosses = _dimensions(options)
    segments = _without_signals(dimensions, roles)
    _check_options(table, options, set(uses), segments)
    left: dict[str, str] = {}
    features = options.features
    if features is None:
        free = [name for name in names if name not in uses]
        left = {name: why for name in free if (why := _why_not(table, name, options)) is not None}
        features = tuple(name for name in free if name not in left)
    features = tuple(dict.fromkeys((*features, *(name for name in options.text if name not in options.exclude))))
    texts = {*segments, *options.categorical}
    tags = tuple(name for name in segments if name not in features)
    own = {name: _kind(schema.field(name).type, chosen=name in texts) for name in (*features, *tags)}
    sizes = {name: size for name in features if (size := arrow.vector_size(table[name]))}
    own |= dict.fromkeys(sizes, Kind.VECTOR)
    own |= {name: Kind.TEXT for name in options.text if name in own}
    if options.features is not None:
        left = {name: "not among --features" for name in names if name not in own and name not in uses}
    return FileLayout(
        roles=roles,
        features=features,
        tags=tags,
        kinds=own,
        dimensions=dimensions,
        protected=frozenset(options.protected),
        crosses=crosses,
        sizes=sizes,
        uses=uses | {name: USES[kind] for name, kind in own.items()},
        filled={role: tuple(found) for role, found in columns.items()},
        left={name: why for name, why in left.items() if name not in own},
    )


def probabilities(names: Iterable[str], roles: Roles) -> dict[str, str]:
    """The columns that hold probabilities, by the text after the prefix."""
    return {name.removeprefix(roles.proba_prefix): name for name in names if name.startswith(roles.proba_prefix)}


def prefixed(names: Iterable[str], prefix: str | None) -> dict[str, str]:
    """The columns whose names begin with a prefix, and the text after it; none for None."""
    return {} if prefix is None else {name: name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def _without_signals(dimensions: Sequence[str], roles: Roles) -> tuple[str, ...]:
    """The dimensions that are columns. ConfigError for a signal that cannot be a dimension, or that the file does not give."""
    for name in dimensions:
        if name.startswith("@") and (name not in _OWN or getattr(roles, _OWN[name]) is None):
            raise ConfigError(
                f"--segments {name}: the file gives no such signal",
                remedy="of signals " + ", ".join(f"{one} (with --{role})" for one, role in _OWN.items()) + " can be segmented on",
            )
    return tuple(name for name in dimensions if not name.startswith("@"))


def _roles(names: Sequence[str], options: Options) -> Roles:
    for option in sorted(_WITHOUT[options.task]):
        if getattr(options, option) is not None:
            raise ConfigError(f"--{option.replace('_', '-')}: a {options.task} model has none", remedy="leave it out")
    given = {name: getattr(options, name) for name in (*_SINGLE, *_NAMED)}
    for option, name in given.items():
        if name is not None and name not in names:
            raise _absent(option, name, names)
    prefixes = {option: prefix for option in _PREFIXES if (prefix := getattr(options, option)) is not None}
    for option, prefix in prefixes.items():
        if not any(name.startswith(prefix) for name in names):
            raise ConfigError(f"--{option.replace('_', '-')} {prefix}: no column name begins with it", remedy=_there(names))
    for name in (options.interval or ())[:2]:
        if name not in names:
            raise _absent("interval", str(name), names)
    found = "interval" not in _WITHOUT[options.task] and set(_INTERVAL[:2]) <= set(names)
    interval = options.interval or (_INTERVAL if found else None)
    roles = Roles(**{name: value for name, value in given.items() if value is not None}, **prefixes, interval=interval)
    if roles.prediction not in names:
        raise _absent("prediction", roles.prediction, names)
    return roles


def _role_columns(schema: pa.Schema, roles: Roles, task: Task) -> dict[str, dict[str, Use]]:
    """By role that is in the file and that the task can have: its columns, which are never features, and their use.

    ConfigError if one cannot be read for it.
    """
    target = Use.NUMBER if task == Task.REGRESSION else Use.CATEGORY
    uses = {"id": Use.ID, "ts": Use.TIME, "label_ts": Use.TIME, "prediction": target, "label": target, "score": Use.NUMBER}
    uses |= {"latency": Use.NUMBER, "status": Use.CATEGORY, "caller": Use.CATEGORY, "prediction_set": Use.SET}
    named: dict[str, tuple[str, ...]] = {role: (name,) for role in uses if (name := getattr(roles, role)) is not None}
    named |= {"proba_prefix": tuple(probabilities(schema.names, roles).values()), "interval": tuple(map(str, (roles.interval or ())[:2]))}
    named |= {role: tuple(prefixed(schema.names, getattr(roles, role))) for role in ("ensemble_prefix", "attribution_prefix")}
    found: dict[str, dict[str, Use]] = {}
    for role, name in (
        (role, name) for role, names in named.items() if role not in _WITHOUT[task] for name in names if name in schema.names
    ):
        use = uses.get(role, Use.NUMBER)
        if not arrow.takes(use, kind := schema.field(name).type):
            raise arrow.refusal(name, kind, use, f"or name another column with --{role.replace('_', '-')}")
        found.setdefault(role, {})[name] = use
    return found


def _why_not(table: pa.Table, name: str, options: Options) -> str | None:
    """Why a column that is not a role cannot be a feature; None if it can, or if an option names it."""
    kind = table.schema.field(name).type
    if name in options.exclude:
        return "excluded"
    if name in options.categorical:
        return None
    if not name:
        return "its name is empty; name it to watch it"
    if _INDEX.fullmatch(name) or name in _index(table.schema):
        return "the index of a pandas DataFrame; write it as a column to watch it"
    if _lists_numbers(kind):
        return _no_vector(table[name])
    if not arrow.takes(Use.CATEGORY, kind):
        return f"{arrow.named(kind)}; {arrow.instead(kind)}"
    if arrow.form(kind) == ValueForm.TEXT and not arrow.readable(table[name]):
        return f"{arrow.named(kind)} whose bytes are not UTF-8; write text"
    return None


def _no_vector(values: pa.ChunkedArray) -> str | None:
    """Why a column of lists of numbers is not one of vectors; None if it is."""
    size = arrow.vector_size(values)
    if size > LONGEST:
        return f"vectors of {size} numbers, and {LONGEST} are the most; write a projection of them"
    return None if size else f"{arrow.named(values.type)} of different lengths, or empty; write vectors of one length"


def _index(schema: pa.Schema) -> set[str]:
    """The columns that pandas wrote for its index."""
    try:
        held = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
        return {one for one in held if isinstance(one, str)}
    except (ValueError, AttributeError, TypeError):  # the metadata is not that of pandas
        return set()


def _kind(kind: pa.DataType, *, chosen: bool) -> Kind:
    return Kind.CATEGORICAL if chosen or arrow.categorical(kind) else Kind.NUMERIC


def _dimensions(options: Options) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The dimensions (segments, then protected attributes) and the crosses between them."""
    dimensions = tuple(dict.fromkeys([*(name for name in options.segments if "*" not in name), *options.protected]))
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


def _check_options(table: pa.Table, options: Options, taken: set[str], segments: Sequence[str]) -> None:
    """Check the columns that options name; `taken` are role columns."""
    schema, features = table.schema, list(options.features or ())
    for name in [name for name in features if name in schema.names and _lists_numbers(schema.field(name).type)]:
        features.remove(name)
        if why := _no_vector(table[name]):
            raise ConfigError(f"--features {name}: {why}", remedy="or leave the column out")
    _check(schema, taken, {"features": features, "protected": options.protected, "segments": segments}, own=True)
    _check(schema, set(), {"categorical": options.categorical}, own=True)
    others = {"categorical": options.categorical, "protected": options.protected, "segments": segments}
    _check_texts(schema, taken, others, options.text)
    _check(schema, taken, {"exclude": options.exclude}, own=False)


def _lists_numbers(kind: pa.DataType) -> bool:
    return arrow.form(kind) is None and arrow.takes(Use.VECTOR, kind)


def _check(schema: pa.Schema, taken: set[str], lists: dict[str, Sequence[str]], *, own: bool) -> None:
    """Check that named columns are in the file, and that those that are to be features or dimensions (`own`) are free and of a usable type."""
    for option, names in lists.items():
        for name in names:
            if name not in schema.names:
                raise _absent(option, name, schema.names)
            if own and name in taken:
                raise ConfigError(f"--{option} {name}: that is a role column", remedy="name another role column, or leave it out")
            kind = schema.field(name).type
            if own and not arrow.takes(Use.CATEGORY, kind):
                raise ConfigError(f"--{option} {name}: a column of type {arrow.named(kind)} cannot be used", remedy=arrow.instead(kind))


def _check_texts(schema: pa.Schema, taken: set[str], others: dict[str, Sequence[str]], names: Sequence[str]) -> None:
    """Check that the columns of --text are in the file, hold text, and are named by no other option."""
    for name in names:
        if name not in schema.names:
            raise _absent("text", name, schema.names)
        if name in taken:
            raise ConfigError(f"--text {name}: that is a role column", remedy="name another role column, or leave it out")
        if option := next((option for option, listed in others.items() if name in listed), None):
            raise ConfigError(f"--text {name}: the column is named by --{option}, too", remedy="name it in one of them")
        if not arrow.takes(Use.TEXT, kind := schema.field(name).type):
            raise arrow.refusal(name, kind, Use.TEXT)


def _absent(option: str, name: str, names: Sequence[str]) -> ConfigError:
    return ConfigError(f"--{option.replace('_', '-')} {name}: there is no such column", remedy=_there(names))


def _there(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return "columns: " + ", ".join(names[:_SHOWN]) + more
