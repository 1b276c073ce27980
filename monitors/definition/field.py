"""The fields of a monitor, one function for each: from the written value to its meaning, or ConfigError.

What the grammar has and this version has not built is refused by its name.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from core import calendar, duration, moment
from core.baseline import kind as baselines
from core.baseline.kind import Baseline
from core.baseline.source import whole
from core.contract import Contract
from core.described import READERS
from core.error import ConfigError
from core.measure import Judged, Measure
from core.monitor import Budget, Compare, Gate, Severity, Unjudged
from core.name import Named, check
from core.window import kind as windows
from core.window import period, to_date
from core.window.kind import Window
from core.window.period import Period
from core.window.to_date import ToDate
from detectors.spec import AnySpec
from monitors.definition.document import DefinitionEntry, Faults, YamlTruth, as_text, bare, short, unknown

_CALENDAR = (*period.NAMES, *to_date.NAMES)
_PERSIST = re.compile(r"\s*([0-9]{1,4})\s+of\s+([0-9]{1,4})\s*", re.ASCII)
_BUDGET = re.compile(r"\s*([1-9][0-9]{0,3})\s+per\s+([0-9]{1,6}[smhdw])\s*", re.ASCII)
_EXPONENT = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?[eE][+-]?[0-9]+", re.ASCII)

Threshold = float | dict[str, float]
S = TypeVar("S", bound=StrEnum)


def later(name: str, instead: str = "") -> ConfigError:
    """The error for something that the grammar has and that is not built yet."""
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
    known = [] if contract is None else [column.name for column in contract.own]
    if wanted == ("all",) and "all" not in known:
        return ()
    if contract is not None:
        for name in wanted:
            if name in {tag.name for tag in contract.tags} - {*known}:
                raise ConfigError(
                    f"the contract has no bins for the tag `{name}`",
                    remedy="give the model's reference again, or declare the tag's categories",
                )
            if name not in known:
                raise unknown("column", name, known)
    return wanted


def target(value: Any, contract: Contract | None) -> Window:
    """The target windows."""
    given = value if isinstance(value, dict) else {"window": value}
    if unexpected := next((key for key in given if key not in {"window", "every", *calendar.KEYS}), None):
        raise unknown("field", f"target.{unexpected}", [f"target.{key}" for key in ("window", "every", *calendar.KEYS)])
    if given.get("window") is None:
        raise ConfigError("the window's length is missing", remedy="write `{window: 1d}`, or `{window: daily}`")
    written = {key: bare(one) for key, one in given.items() if one is not None}
    if isinstance(written["window"], str) and written["window"].replace("_", "").isalpha() and written["window"] not in _CALENDAR:
        raise ConfigError(
            f"`{short(written['window'])}` is no window", remedy="write a length such as 1d, or one of " + ", ".join(_CALENDAR)
        )
    if (found := windows.read(written)) is None:
        key = next(key for key in written if key in calendar.KEYS)
        why = f"`{key}` is of windows of the calendar, and {short(written['window'])} is a length: such windows are aligned to the Unix epoch in UTC"
        raise ConfigError(why, remedy="write for example `{window: daily, timezone: Europe/Rome}`: " + ", ".join(_CALENDAR))
    if contract is not None and not found.fits(contract.pane, contract.earliest):
        pane = duration.text(contract.pane)
        if isinstance(found, Period | ToDate):
            raise _unaligned(found, contract)
        raise ConfigError(f"{found.text} is no multiple of {pane}, the length of the contract's panes", remedy=f"write for example {pane}")
    return found


def _unaligned(window: Period | ToDate, contract: Contract) -> ConfigError:
    """The error for days that are not made of whole panes; many zones had half hours only long ago."""
    zone, pane, shorter = window.calendar.timezone, duration.text(contract.pane), "shorter panes: watchkeeper reference ... --pane 15m"
    why, date = f"days of {zone} do not begin and end where panes of {pane} do", window.calendar.fitting(contract.pane, contract.earliest)
    if date is None:
        return ConfigError(why, remedy=f"give the model's reference with {shorter}")
    day = moment.text(date * moment.DAY)[:10]
    remedy = f"if no event is older, give the model's reference with `--earliest {day}`; else with {shorter}"
    return ConfigError(f"{why}, for events before {day}", remedy=remedy)


def baseline(value: Any) -> Baseline:
    """What the target windows are compared with."""
    given = {key: _plain(one) for key, one in value.items()} if isinstance(value, dict) else value
    if (found := baselines.read(given)) is not None:
        return found
    remedy = "write `reference`, `previous`, `expanding`, or for example `{rolling: 30d}`, `{same_weekday: 3}`, `{same_period_last: year}`"
    if isinstance(value, dict) and "exclude" in value:
        remedy = "write `exclude` beside `baseline`"
    raise ConfigError(f"`{short(value)}` is no baseline", remedy=remedy)


def exclude(value: Any) -> tuple[tuple[int, int], ...]:
    """The spans that baselines leave out, in microseconds and in order."""
    listed = [value] if isinstance(value, dict) else value
    if not isinstance(listed, list) or not all(isinstance(one, dict) and one.keys() == {"from", "to"} for one in listed):
        raise ConfigError(f"`{short(value)}` is no list of spans", remedy="write `[{from: 2026-01-31, to: 2026-02-02}]`")
    return tuple(sorted({moment.span_of({key: _plain(time) for key, time in one.items()}) for one in listed}))


def paned(value: Any, pane: int) -> None:
    """Raise ConfigError where a span to leave out is not made of whole panes of `pane` microseconds. A span that is none is another fault."""
    try:
        spans = exclude(value)
    except ConfigError:
        return
    for start, end in spans:
        for bound in (start, end):
            whole({"from": moment.text(start), "to": moment.text(end)}, bound, pane)


def _plain(value: Any) -> Any:
    """A number as it is written, if it stands for a text; any other value as it is."""
    return as_text(value) if isinstance(value, float) else bare(value)


def threshold(value: Any, measure: Measure | None, against: Baseline | None) -> Threshold:
    """A threshold: a number, or `{below: x}` or `{above: x}`. The measure and its baseline decide which of the two must be written."""
    if isinstance(value, dict):
        if len(value) != 1 or not set(value) <= {"below", "above"}:
            raise ConfigError(f"`{short(value)}` is no threshold", remedy="write one of `{below: 0.8}` and `{above: 12}`")
        ((side, number),) = value.items()
        if measure is not None and not measure.may_take_side(against):
            why = "compared is the value itself, and more is worse"
            if against and measure.judged in (Judged.WORSE, Judged.PROMISE):
                how = "worse" if measure.judged is Judged.WORSE else "farther from the promise"
                why = f"compared is how much {how} than `{against.brief}` it is"
            raise ConfigError(f"`{measure.name}` takes a number here: {why}", remedy="write `0.1`")
        if measure is not None and measure.signed and "below" in value:
            raise ConfigError(f"`{measure.name}` is as bad as it is far from 0, on either side", remedy="write `{above: 12}`")
        return {side: _number(number)}
    number = _number(value)
    if measure is not None and measure.takes_side(against):
        example = "{below: 0.8}" if measure.better > 0 else "{above: 12}"
        if measure.judged is Judged.VALUE:
            raise ConfigError(f"`{measure.name}` needs a side, since more is better", remedy=f"write `{example}`")
        raise ConfigError(f"`{measure.name}` without a baseline needs a side", remedy=f"write `{example}`, or give a baseline")
    return number


def ordered(warn: Threshold | None, critical: Threshold | None) -> None:
    """Raise ConfigError unless `critical` is as bad as `warn`, or worse."""
    if warn is None or critical is None:
        return
    if isinstance(warn, dict) != isinstance(critical, dict):
        raise ConfigError("one of `warn` and `critical` has a side", remedy="write a number or a side in both")
    sides = [next(iter(one)) if isinstance(one, dict) else "above" for one in (warn, critical)]
    if sides[0] != sides[1]:
        raise ConfigError("`warn` and `critical` have different sides", remedy=f"write `{{{sides[0]}: ...}}` in both")
    low, high = (one[side] if isinstance(one, dict) else one for one, side in zip((warn, critical), sides, strict=True))
    if (high < low) if sides[0] == "above" else (high > low):
        raise ConfigError(f"`critical` ({high:g}) is reached before `warn` ({low:g})", remedy="exchange them")


def min_samples(value: Any) -> int:
    """How many rows the window and the baseline need at least."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**12:
        raise ConfigError(f"`{short(value)}` is no number of rows", remedy="write a whole number such as 200")
    return int(value)


def min_label_coverage(value: Any, measure: Measure | None) -> float:
    """The share of the window's predictions that must have a label."""
    number = _number(value)
    if not 0 < number <= 1:
        raise ConfigError(f"`{short(value)}` is no share", remedy="write a number above 0, up to 1, such as 0.8")
    if measure is not None and not measure.matures:
        raise ConfigError(f"`{measure.name}` does not wait for labels", remedy="leave `min_label_coverage` out")
    return number


def compare(value: Any, measure: Measure | None, against: Baseline | None) -> Compare:
    """What is compared with the thresholds."""
    found = _one_of(Compare, value, "comparison")
    if measure is None or found is Compare.VALUE:
        return found
    if against is None:
        raise ConfigError(f"`{found}` needs a baseline", remedy="write for example `baseline: reference`")
    if found is Compare.EXCESS and not measure.excess:
        raise ConfigError(f"`{measure.name}` has no excess", remedy="write `value`, or take drift.psi")
    if found is Compare.RISE and (measure.compares or measure.judged is not Judged.VALUE):
        raise ConfigError(f"`{measure.name}` has no rise: it compares a window with its baseline already", remedy="write `value`")
    return found


def gate(value: Any, measure: Measure | None, against: Baseline | None) -> Gate:
    """What a breach needs besides its threshold."""
    found = _one_of(Gate, value, "gate")
    if measure is None or found is Gate.NONE:
        return found
    if not measure.tested:
        raise ConfigError(f"`{measure.name}` has no p-value that could be evidence", remedy="write `none`")
    if against is None:
        raise ConfigError("`evidence` needs a baseline", remedy="write for example `baseline: reference`")
    return found


def budget(value: Any, measure: Measure | None, against: Baseline | None) -> Budget:
    """How many alarm windows by chance are accepted."""
    found = _BUDGET.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ConfigError(f"`{short(value)}` is no budget", remedy="write `1 per 30d`")
    if measure is not None and not measure.tested:
        raise ConfigError(f"`{measure.name}` has no p-value, which a budget needs", remedy="write `warn` and `critical`")
    if measure is not None and against is None:
        raise ConfigError("a budget needs a baseline", remedy="write for example `baseline: reference`")
    return Budget(int(found[1]), duration.parse(found[2]))


def persist(value: Any) -> tuple[int, int]:
    """(m, n) of `m of n` or `{m: 2, n: 3}`."""
    written = f"{value['m']} of {value['n']}" if isinstance(value, dict) and set(value) == {"m", "n"} else value
    found = _PERSIST.fullmatch(written) if isinstance(written, str) else None
    m, n = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= m <= n <= 1_000:
        raise ConfigError(f"`{short(value)}` does not say how many windows of how many must breach", remedy="write `2 of 3`")
    return m, n


def keep_firing(value: Any) -> int:
    """How many further windows without a cause an episode stays open."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000:
        raise ConfigError(f"`{short(value)}` is no number of windows", remedy="write a whole number up to 1000, such as 2")
    return int(value)


def reopen_within(value: Any) -> int:
    """How long after its end an episode goes on if the rule fires again."""
    return duration.parse(value)


def unjudged(value: Any) -> Unjudged:
    """What windows do that cannot be judged."""
    return _one_of(Unjudged, value, "answer")


def cleared(clear: Threshold | None, warn: Threshold | None, critical: Threshold | None) -> None:
    """Raise ConfigError unless `clear` is milder than the mildest threshold, or the same."""
    least = critical if warn is None else warn
    if clear is None:
        return
    if least is None:
        raise ConfigError("`clear` without `warn` or `critical` clears nothing", remedy="leave it out, or give a threshold")
    try:
        ordered(clear, least)
    except ConfigError:
        raise ConfigError("`clear` is worse than the threshold that fires", remedy="write a milder number, on the same side") from None


def severity(value: Any) -> Severity:
    """How urgent an episode is."""
    return _one_of(Severity, value, "severity")


def version(value: Any) -> str | None:
    """A version of the model; None for all versions."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise ConfigError(f"`{short(value)}` is no version", remedy='write a text such as "3"')
    found = value if isinstance(value, str) else as_text(value)
    return None if found == "all" else check(Named.VERSION, found)


def words(entry: DefinitionEntry, faults: Faults) -> dict[str, Any]:
    """Owner, description and runbook of an entry."""
    return {name: faults.read(entry, name, read, None) for name, read in READERS.items()}


def params(value: Any, measure: AnySpec | None, contract: Contract | None) -> dict[str, Any]:
    """The params of a measure; those that are not written have their defaults."""
    if not isinstance(value, dict):
        raise ConfigError(f"`{short(value)}` is no mapping", remedy="leave `params` out")
    if measure is None:
        return {}
    known = measure.params.__struct_encode_fields__
    for name in value:
        if name not in known:
            if not known:
                raise later(f"params.{short(name)}", "leave it out")
            raise ConfigError(f"`{measure.about.name}` takes no `params.{short(name)}`", remedy="write one of " + ", ".join(known))
    try:
        found = msgspec.convert(_given(value, measure.params), measure.params)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        allowed = _choices(measure.params, where.rstrip("`"))
        said = f"`params.{where.rstrip('`')}`: {what[:1].lower()}{what[1:]}" if where else str(error)
        raise ConfigError(said, remedy="write one of " + ", ".join(allowed) if allowed else "") from None
    built: dict[str, Any] = msgspec.to_builtins(found if contract is None else measure.settle(found, contract))
    return built


def _given(value: dict[str, Any], params: type[msgspec.Struct]) -> dict[str, Any]:
    """Params as plain values; where a text may be given, a number or boolean becomes its text."""
    hints = get_type_hints(params)
    fields = zip(params.__struct_fields__, params.__struct_encode_fields__, strict=True)
    texts = {wire for name, wire in fields if str in get_args(hints[name])}
    return {name: as_text(one) if name in texts and isinstance(one, int | float | YamlTruth) else bare(one) for name, one in value.items()}


def _choices(params: type[msgspec.Struct], wire: str) -> list[str]:
    """The values of a param that takes one of a few texts."""
    names = dict(zip(params.__struct_encode_fields__, params.__struct_fields__, strict=True))
    hint = get_type_hints(params).get(names.get(wire, ""))
    return [str(one) for one in get_args(hint)] if get_origin(hint) is Literal else []


def _one_of(kind: type[S], value: Any, what: str) -> S:
    """The member of an enumeration that is written."""
    if value not in tuple(kind):
        *first, last = kind
        raise ConfigError(f"there is no {what} `{short(value)}`", remedy=f"write {', '.join(first)} or {last}")
    return kind(value)


def _number(value: Any) -> float:
    if isinstance(value, str) and _EXPONENT.fullmatch(value):  # a text for YAML 1.1, a number for people
        value = float(value)
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value) + 0.0
    except OverflowError:
        pass
    raise ConfigError(f"`{short(value)}` is no finite number", remedy="write for example 0.25")
