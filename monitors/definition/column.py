"""The columns of a declared contract, with their declared bins."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Any

from core import text
from core.contract import Column, Kind
from core.error import ConfigError
from core.name import Named, check
from detectors.summary import text_column
from monitors.definition import field
from monitors.definition.document import YamlTruth, as_text, short, truth, unknown

STEPS = 50  # bins over a range
CATEGORIES, EDGES = 500, 1_000
_KINDS = "numeric, categorical, boolean or text"
KEYS = ("name", "kind", "nullable", "range", "edges", "categories", "tag")


def columns(value: Any, there: Collection[str] = ()) -> tuple[tuple[Column, bool], ...]:
    """The columns, and whether each is a tag; `there` are the names of the columns that the model has already."""
    if not isinstance(value, list) or not value:
        raise ConfigError("a list of columns is expected", remedy="write `- {name: age, kind: numeric, range: [0, 100]}`, one a line")
    found = [_column(one, there) for one in value]
    seen = [column.name for column, _ in found]
    if twice := next((name for name in seen if seen.count(name) > 1), None):
        raise ConfigError(f"the column `{twice}` is listed twice")
    return tuple(found)


def _column(value: Any, there: Collection[str]) -> tuple[Column, bool]:
    if not isinstance(value, dict) or "name" not in value:
        raise ConfigError(f"`{short(value)}` is no column", remedy="write `{name: age, kind: numeric, range: [0, 100]}`")
    name = check(Named.COLUMN, value["name"], there)
    try:
        return _binned(name, value), flag(value.get("tag") or False)
    except ConfigError as error:
        raise ConfigError(f"column `{name}`: {error.message}", remedy=error.remedy) from None


def _binned(name: str, value: dict[str, Any]) -> Column:
    """A column with its declared bins."""
    if unexpected := next((str(key) for key in value if key not in KEYS), None):
        raise unknown("field", unexpected, KEYS)
    if value.get("nullable") not in (None, True):
        raise field.later("nullable: false", "leave it out, and watch quality.null_rate")
    kind = value.get("kind")
    if kind == "vector":
        raise ConfigError(
            "a vector column needs a reference", remedy="give `watchkeeper reference` a file with a column of lists of numbers"
        )
    if kind == "timestamp":
        raise field.later(f"kind: {kind}", _KINDS)
    if kind not in ("numeric", "categorical", "boolean", "text"):
        raise ConfigError(f"`kind: {short(kind)}` is none", remedy=_KINDS)
    if foreign := next(
        (key for key in ("range", "edges", "categories") if key in value and (key == "categories") != (kind == "categorical")), None
    ):
        raise ConfigError(f"`{foreign}` is not for a column that is {kind}", remedy="leave it out")
    if kind == "numeric":
        return numeric(name, value)
    if kind == "text":
        if flag(value.get("tag") or False):
            raise ConfigError("a text cannot be a tag", remedy="leave out `tag`")
        return text_column.column(name)
    categories = ("false", "true") if kind == "boolean" else texts(value.get("categories"), "categories", CATEGORIES)
    return Column(name=name, kind=Kind.CATEGORICAL, categories=categories)


def numeric(name: str, value: dict[str, Any]) -> Column:
    """A numeric column with its declared edges or range."""
    cuts = edges(value)
    low, high = value.get("range", (0, 0))
    return Column(name=name, kind=Kind.NUMERIC, edges=cuts, range=(float(low), float(high)) if "range" in value else None)


def edges(value: dict[str, Any]) -> tuple[float, ...]:
    """The edges as written, or those that divide a range into 50 equal bins."""
    if ("range" in value) == ("edges" in value):
        raise ConfigError("write one of `range` and `edges`", remedy="`range: [0, 100]` makes 50 equal bins")
    key = "range" if "range" in value else "edges"
    given = value[key]
    good = isinstance(given, list) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in given)
    numbers = tuple(float(one) + 0.0 for one in given if abs(one) <= 1e300) if good else ()
    if not numbers or len(numbers) != len(given) or any(not low < high for low, high in pairwise(numbers)):
        raise ConfigError(f"`{key}` is no list of ascending numbers", remedy=f"write `{key}: [0, 100]`")
    if len(numbers) > EDGES:
        raise ConfigError(f"{len(numbers)} edges are too many", remedy=f"at most {EDGES}")
    if key == "edges":
        return numbers
    if len(numbers) != 2:
        raise ConfigError("`range` holds two numbers", remedy="write `range: [0, 100]`")
    low, high = numbers
    cuts = tuple(low + (high - low) * step / STEPS for step in range(1, STEPS))
    if not all(one < other for one, other in pairwise(cuts)):
        raise ConfigError(f"`range: {short(given)}` is too narrow for {STEPS} bins", remedy="write `edges`")
    return cuts


def texts(value: Any, key: str, most: int) -> tuple[str, ...]:
    """The texts of values, each once, in order."""
    scalar = isinstance(value, list) and all(isinstance(one, str | int | float | YamlTruth) for one in value)
    found = tuple(dict.fromkeys(as_text(one) for one in value)) if scalar else ()
    if not found or text.INVALID in found or len(found) > most:
        raise ConfigError(f"`{key}` is no list of 1 to {most} values", remedy=f"write `{key}: [basic, plus]`")
    return found


def flag(value: Any) -> bool:
    """A boolean."""
    value = truth(value)
    if not isinstance(value, bool):
        raise ConfigError(f"`{short(value)}` is neither true nor false")
    return value
