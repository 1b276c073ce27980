"""The fields of a monitor, one function each: from what a person wrote to what it means, or ConfigError.

What the grammar knows and this version does not have is refused by its name.
"""

from __future__ import annotations

import math
import re
from typing import Any

from core import window
from core.contract import Contract
from core.error import ConfigError
from core.measure import Family, Measure
from core.moment import DAY
from core.monitor import Severity
from core.name import Named, check
from monitors.document import as_text, short, unknown

CALENDAR = ("daily", "weekly", "monthly", "week_to_date", "month_to_date", "quarter_to_date", "year_to_date")
LATER_BASELINES = ("prior", "same_weekday", "rolling", "same_period_last", "version")
LONGEST = 3_660 * DAY  # of a window
_PERSIST = re.compile(r"\s*([0-9]{1,4})\s+of\s+([0-9]{1,4})\s*", re.ASCII)
_EXPONENT = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?[eE][+-]?[0-9]+", re.ASCII)

Threshold = float | dict[str, float]


def later(name: str, instead: str = "") -> ConfigError:
    """The grammar knows it, and it is not built."""
    return ConfigError(f"`{name}` is not available yet", remedy=instead)


def names(value: Any) -> tuple[str, ...]:
    """A list of names, or one name; each once, in order."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(name, str) and name for name in listed):
        raise ConfigError(
            f"`{short(value)}` is not a list of names", remedy="write `[a, b]`; quote what YAML takes for a number or a truth value"
        )
    return tuple(dict.fromkeys(listed))


def columns(value: Any, contract: Contract | None) -> tuple[str, ...]:
    """The columns to watch; empty for all features."""
    if isinstance(value, dict):
        raise later("columns." + "/".join(map(str, value)), "name the columns, or write `columns: all`")
    wanted = names(value)
    known = [] if contract is None else [column.name for column in (*contract.features, *contract.outputs)]
    if wanted == ("all",) and "all" not in known:
        return ()
    if contract is not None:
        for name in wanted:
            if name in {tag.name for tag in contract.tags}:
                raise ConfigError(
                    f"`{name}` is a tag: it can be segmented on, it is not watched", remedy="make it a feature of the contract"
                )
            if name not in known:
                raise unknown("column", name, known)
    return wanted


def segments(value: Any, contract: Contract | None) -> tuple[str, ...]:
    """The groupings, `all` first; crosses with their dimensions in the contract's order."""
    wanted = names(value)
    if contract is None:
        return tuple(dict.fromkeys(("all", *wanted)))
    dimensions = [dimension.name for dimension in contract.dimensions]
    crosses = {frozenset(cross): "*".join(cross) for cross in contract.crosses}
    found = ["all"]
    for name in wanted:
        parts = [part.strip() for part in name.split("*")] if "*" in name else [name]
        for part in parts if name != "all" else ():
            if part not in dimensions:
                raise unknown("segment", part, ["all", *dimensions])
        if len(parts) > 1 and frozenset(parts) not in crosses:
            raise ConfigError(f"the contract declares no cross `{name}`", remedy="crosses: " + (", ".join(crosses.values()) or "none"))
        found.append(crosses[frozenset(parts)] if len(parts) > 1 else name)
    return tuple(dict.fromkeys(found))


def target(value: Any, contract: Contract | None) -> int:
    """The length of the target window, in microseconds."""
    given = value if isinstance(value, dict) else {"window": value}
    if stray := next((key for key in given if key not in {"window", "every", "timezone", "offset"}), None):
        raise later(f"target.{stray}") if stray in CALENDAR else unknown("field", f"target.{stray}", ["target.window", "target.every"])
    if wanted := next((key for key in ("timezone", "offset") if given.get(key) is not None), None):
        raise later(f"target.{wanted}", "windows are aligned to the Unix epoch in UTC")
    length = given.get("window")
    if length in CALENDAR:
        raise later(f"target: {length}", "write a length such as `{window: 1d}`")
    if length is None:
        raise ConfigError("the window's length is missing", remedy="write `{window: 1d}`")
    found = window.duration(length)
    if found > LONGEST:
        raise ConfigError(f"a window of {length} is too long", remedy="at most " + window.duration_text(LONGEST))
    if contract is not None and found % contract.pane:
        pane = window.duration_text(contract.pane)
        raise ConfigError(f"{length} is no multiple of {pane}, the length of the contract's panes", remedy=f"write for example {pane}")
    if given.get("every") is not None and window.duration(given["every"]) != found:
        raise later("target.every", "leave it out: windows stand side by side")
    return found


def baseline(value: Any) -> str:
    """`reference` or `previous`."""
    if value in ("reference", "previous"):
        return str(value)
    remedy = "write `reference` or `{previous: 1}`"
    if isinstance(value, dict) and len(value) == 1:
        ((kind, count),) = value.items()
        if kind == "previous" and isinstance(count, int) and not isinstance(count, bool) and count > 0:
            if count > 1:
                raise later("baseline.previous above 1", remedy)
            return "previous"
        if kind in LATER_BASELINES:
            raise later(f"baseline.{kind}", remedy)
    raise later(f"baseline.{value}", remedy) if value in LATER_BASELINES else ConfigError(f"`{short(value)}` is no baseline", remedy=remedy)


def threshold(value: Any, measure: Measure | None, against: str | None) -> Threshold:
    """What the compared value is held against: a number, or `{below: x}` or `{above: x}`; which of the two, the measure and its baseline say."""
    if isinstance(value, dict):
        if len(value) != 1 or not set(value) <= {"below", "above"}:
            raise ConfigError(f"`{short(value)}` is no threshold", remedy="write one of `{below: 0.8}` and `{above: 12}`")
        ((side, number),) = value.items()
        if measure is not None and not _sided(measure, against):
            why = (
                f"compared is how much worse than `{against}` it is"
                if measure.better
                else "compared is the value itself, and more is worse"
            )
            raise ConfigError(f"`{measure.name}` takes a number here: {why}", remedy="write `0.1`")
        return {side: _number(number)}
    number = _number(value)
    if measure is not None and _sided(measure, against):
        example = "{below: 0.8}" if measure.better > 0 else "{above: 12}"
        raise ConfigError(f"`{measure.name}` without a baseline needs a side", remedy=f"write `{example}`, or give a baseline")
    return number


def ordered(warn: Threshold | None, critical: Threshold | None) -> None:
    """Raise ConfigError unless `critical` is as bad as `warn`, or worse."""
    if warn is None or critical is None:
        return
    sides = [next(iter(one)) if isinstance(one, dict) else "above" for one in (warn, critical)]
    if sides[0] != sides[1]:
        raise ConfigError("`warn` and `critical` look to different sides", remedy=f"write `{{{sides[0]}: ...}}` in both")
    low, high = (one[side] if isinstance(one, dict) else one for one, side in zip((warn, critical), sides, strict=True))
    if (high < low) if sides[0] == "above" else (high > low):
        raise ConfigError(f"`critical` ({high:g}) is reached before `warn` ({low:g})", remedy="exchange them")


def min_samples(value: Any) -> int:
    """How many rows either side needs."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**12:
        raise ConfigError(f"`{short(value)}` is no number of rows", remedy="write a whole number such as 200")
    return int(value)


def persist(value: Any) -> tuple[int, int]:
    """(m, n) of `m of n` or `{m: 2, n: 3}`."""
    written = f"{value['m']} of {value['n']}" if isinstance(value, dict) and set(value) == {"m", "n"} else value
    found = _PERSIST.fullmatch(written) if isinstance(written, str) else None
    m, n = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= m <= n <= 1_000:
        raise ConfigError(f"`{short(value)}` says not how many windows of how many", remedy="write `2 of 3`")
    return m, n


def severity(value: Any) -> Severity:
    """Whom an episode may wake."""
    if value not in tuple(Severity):
        raise ConfigError(f"there is no severity `{short(value)}`", remedy="write report, ticket or page")
    return Severity(value)


def version(value: Any) -> str | None:
    """A version of the model, as its events name it; None for all of them."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise ConfigError(f"`{short(value)}` is no version", remedy='write a text such as "3"')
    found = value if isinstance(value, str) else as_text(value)
    return None if found == "all" else check(Named.VERSION, found)


def params(value: Any) -> dict[str, Any]:
    """Options of the measure: none is built."""
    if not isinstance(value, dict):
        raise ConfigError(f"`{short(value)}` is no mapping", remedy="leave `params` out")
    for name in value:
        raise later(f"params.{name}", "leave it out")
    return {}


def _sided(measure: Measure, against: str | None) -> bool:
    return measure.family in {Family.PERFORMANCE, Family.UNCERTAINTY, Family.FAIRNESS} and against is None


def _number(value: Any) -> float:
    if isinstance(value, str) and _EXPONENT.fullmatch(value):  # a text for YAML 1.1, a number for people
        value = float(value)
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value) + 0.0
    except OverflowError:
        pass
    raise ConfigError(f"`{short(value)}` is no finite number", remedy="write for example 0.25")
