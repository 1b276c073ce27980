"""Unit tests of rules: series of values, and the episodes that the rules of a monitor must have open after a window. Nothing is asked of a server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from alerts.rule import advance
from alerts.terms import Terms
from core import moment
from core.contract import Column, Contract, Dimension, Kind
from core.episode import Rule
from core.error import ConfigError
from core.measure import Measure
from core.monitor import Monitor
from core.reading import Reading, Verdict
from core.segment import ALL
from detectors.catalogue import MEASURES, spec
from monitors.definition.document import DefinitionEntry, Faults, bare, entries, plain, short
from monitors.definition.grammar import parse
from monitors.evaluation.frame import VERDICTS
from monitors.evaluation.verdict import Judgement, judge

_UNJUDGED = (Verdict.NODATA, Verdict.INSUFFICIENT, Verdict.IMMATURE, Verdict.NOT_ESTIMABLE, Verdict.ASSUMPTIONS_BROKEN)
_OF_COMPARISON = (Verdict.READY, Verdict.KEEP_WAITING, Verdict.WORSE)
_TIMES = re.compile(r"(.+)x([1-9][0-9]{0,3})", re.ASCII)
_MOST = 10_000  # windows of a series
_TEST, _SERIES = ("name", "monitor", "model", "start", "series", "expect"), ("column", "segment", "values", "baseline")
_EPISODE = ("column", "segment", "level", "state")


class Outcome(NamedTuple):
    """The result of a test: its name, and what differs, one sentence each; none if it holds."""

    name: str
    faults: tuple[str, ...]


def run(text: str, folder: Path) -> list[Outcome]:
    """Run the tests of a file; `monitors` in it is a file of definitions beside it. ConfigError if the file cannot be read."""
    try:
        document = bare(plain(text))
    except yaml.YAMLError as error:
        raise ConfigError(f"this is no YAML: {error}") from None
    found = _mapping(document, "the file", ("monitors", "tests"))
    path = folder / str(found.get("monitors"))
    try:
        definitions = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"`monitors`: {path} cannot be read: {error.strerror}", remedy="name a file of definitions beside this one"
        ) from None
    monitors = _monitors(definitions)
    tests = found.get("tests")
    if not isinstance(tests, list) or not tests:
        raise ConfigError("`tests` is no list of tests", remedy="write `- {name: ..., monitor: ..., series: [...], expect: [...]}`")
    return [_run(_mapping(one, f"`tests[{place}]`", _TEST), f"`tests[{place}]`", monitors) for place, one in enumerate(tests)]


def _monitors(text: str) -> list[Monitor]:
    """The monitors of a file. Models that it does not declare are taken to have the columns and dimensions that the monitors name."""
    faults = Faults()
    written = [one for one in entries(text, faults) if one.kind == "monitor"]
    faults.close()
    models: dict[str, list[DefinitionEntry]] = {}
    for one in written:
        models.setdefault(str(one.fields.get("model")), []).append(one)
    contracts = {name: _contract(name, of) for name, of in models.items()}
    return list(parse(text, contract=contracts.get).monitors)


def _contract(model: str, monitors: Sequence[DefinitionEntry]) -> Contract:
    columns: dict[str, None] = {}
    dimensions: dict[str, None] = {}
    crosses: dict[tuple[str, ...], None] = {}
    tasks = [spec(str(one.fields.get("measure"))).about.tasks for one in monitors]
    task = next((one for one in tasks[0] if all(one in others for others in tasks)), tasks[0][0])
    for one in monitors:
        columns |= dict.fromkeys(name for name in _listed(one.fields.get("columns")) if name != "all" and not name.startswith("@"))
        for grouping in [*_listed(one.fields.get("segments")), *_listed(one.fields.get("attributes"))]:
            parts = tuple(part for part in grouping.split("*") if part != ALL)
            dimensions |= dict.fromkeys(parts)
            crosses |= {parts: None} if len(parts) > 1 else {}
    return Contract(
        model=model,
        version=1,
        task=task,
        features=tuple(Column(name=name, kind=Kind.NUMERIC) for name in columns),
        dimensions=tuple(Dimension(name=name, values=(), protected=True) for name in dimensions),
        crosses=tuple(crosses),
        classes=("0", "1"),
        scored=True,
    )


def _run(test: Mapping[str, Any], at: str, monitors: Sequence[Monitor]) -> Outcome:
    monitor = _monitor(test, at, monitors)
    about = MEASURES[monitor.measure].directed(monitor.params)
    start = _start(test.get("start") or "2024-01-01", f"{at}.start")
    rules: dict[tuple[str, str], Rule] = {}
    series = [_mapping(one, f"{at}.series[{place}]", _SERIES) for place, one in enumerate(_items(test, "series", at))]
    compares = monitor.other is not None
    values = [_values(one.get("values"), f"{at}.series[{place}].values", compares=compares) for place, one in enumerate(series)]
    expected = [_mapping(one, f"{at}.expect[{place}]", ("after", "episodes")) for place, one in enumerate(_items(test, "expect", at))]
    for place, one in enumerate(series):
        _baseline(one, f"{at}.series[{place}].baseline")
    faults: list[str] = []
    for window in range(max(map(len, values))):
        for one, of in zip(series, values, strict=True):
            if window < len(of):
                reading = _reading(monitor, about, one, of[window], start + window * monitor.window.longest)
                key = (reading.column, reading.segment)
                rule = rules.get(key) or Rule(model=monitor.model, monitor=monitor.name, column=key[0], segment=key[1])
                rules[key], _ = advance(rule, reading, about, Terms.of(monitor))
        for place, want in enumerate(expected):
            if want.get("after") == window + 1 and not isinstance(want["after"], bool):
                faults += _compare(want, rules, f"{at}.expect[{place}]")
    for place, want in enumerate(expected):
        if not isinstance(want.get("after"), int) or isinstance(want["after"], bool) or not 1 <= want["after"] <= max(map(len, values)):
            raise ConfigError(
                f"{at}.expect[{place}].after: `{want.get('after')}` is no window of the series", remedy="windows count from 1"
            )
    return Outcome(str(test.get("name") or monitor.name), tuple(faults))


def _compare(want: Mapping[str, Any], rules: Mapping[tuple[str, str], Rule], at: str) -> list[str]:
    """What differs between the expected open episodes and those of the rules. A field that is left out may have any value."""
    left = [rule for rule in rules.values() if rule.episode is not None]
    missing = []
    episodes = want.get("episodes")
    if not isinstance(episodes, list | None):
        raise ConfigError(
            f"{at}.episodes: `{short(episodes)}` is no list", remedy="write [] where none is open, or for example [{level: warn}]"
        )
    for place, one in enumerate(episodes or []):
        asked = _mapping(one, f"{at}.episodes[{place}]", _EPISODE)
        fits = [rule for rule in left if all(str(getattr(rule, name)) == str(value) for name, value in asked.items())]
        if fits:
            left.remove(fits[0])
        else:
            missing.append(
                f"after window {want['after']}: no open episode is {', '.join(f'{name} {value}' for name, value in asked.items())}"
            )
    extra = [
        f"after window {want['after']}: an episode is open that is not expected: column {rule.column or '(none)'}, segment {rule.segment}, level {rule.level}, state {rule.state}"
        for rule in left
    ]
    return missing + extra


def _reading(monitor: Monitor, about: Measure, series: Mapping[str, Any], value: float | Verdict, start: int) -> Reading:
    """The reading of a value, judged as the evaluation judges it: with enough rows, and with evidence where the monitor asks for it."""
    number = np.array([np.nan if isinstance(value, Verdict) else value])
    before = _baseline(series, "baseline")
    baseline = np.array([np.nan if before is None else before])
    many = np.array([max(monitor.min_samples, 1)])
    given = Judgement(number, baseline, number, np.zeros(1), 1)
    codes, _ = judge(monitor, about, given, many, many, "no value", "no rows")
    compared = {} if isinstance(value, Verdict) or monitor.compare == "value" else {monitor.compare.value: value}
    if monitor.compare == "rise" and not isinstance(value, Verdict):
        compared = {"rise": value - float(baseline[0])}
    return Reading(
        monitor=monitor.name,
        model=monitor.model,
        measure=monitor.measure,
        params=monitor.params,
        column=str(series.get("column") or ""),
        segment=str(series.get("segment") or ALL),
        window_start=start,
        window_end=start + monitor.window.longest,
        value=None if isinstance(value, Verdict) else value,
        baseline_value=before,
        n_target=int(many[0]),
        threshold=monitor.threshold,
        verdict=value if isinstance(value, Verdict) else VERDICTS[int(codes[0])],
        evidence=compared,
    )


def _baseline(series: Mapping[str, Any], at: str) -> float | None:
    """The baseline's value of a series; None without one."""
    written = series.get("baseline")
    if written is None:
        return None
    if isinstance(written, bool) or not isinstance(written, int | float) or not np.isfinite(written):
        raise ConfigError(f"{at}: `{short(written)}` is no number", remedy="write the baseline's value, such as 0.9")
    return float(written)


def _start(written: Any, at: str) -> int:
    try:
        return moment.parse_start(str(written))
    except ValueError:
        raise ConfigError(f"{at}: `{short(written)}` is no time", remedy="write for example 2026-01-31") from None


def _monitor(test: Mapping[str, Any], at: str, monitors: Sequence[Monitor]) -> Monitor:
    named = [one for one in monitors if one.name == test.get("monitor") and test.get("model") in (None, one.model)]
    if len(named) != 1:
        known = ", ".join(f"{one.model}/{one.name}" for one in monitors) or "none"
        problem = f"{at}.monitor: `{short(test.get('monitor'))}` names {'no' if not named else 'more than one'} monitor"
        raise ConfigError(problem, remedy=f"name one of {known}, and its model where several have that name")
    if named[0].budget is not None:
        raise ConfigError(
            f"{at}.monitor: `{named[0].name}` has a budget", remedy="test monitors with `warn` or `critical`; back-test this one"
        )
    return named[0]


def _values(written: Any, at: str, *, compares: bool) -> list[float | Verdict]:
    """The values of a series: numbers, verdicts such as `nodata`, and either of them repeated, as in `0.05x4`. Of a comparison verdicts only."""
    if not isinstance(written, list) or not written:
        raise ConfigError(f"{at}: `{short(written)}` is no list of values", remedy="write for example [0.05x4, 0.3, nodata]")
    found: list[float | Verdict] = []
    for one in written:
        times = _TIMES.fullmatch(one) if isinstance(one, str) else None
        value, many = (times[1], int(times[2])) if times else (one, 1)
        found += [_value(value, at, compares=compares)] * many
    if len(found) > _MOST:
        raise ConfigError(f"{at}: these are {len(found):,} windows", remedy=f"write {_MOST:,} at most")
    return found


def _value(written: Any, at: str, *, compares: bool) -> float | Verdict:
    allowed = (*_OF_COMPARISON, *_UNJUDGED) if compares else _UNJUDGED
    if written in allowed:
        return Verdict(written)
    if compares:  # no number makes its verdict
        raise ConfigError(f"{at}: `{short(written)}` is no verdict of a comparison", remedy=f"write one of {', '.join(allowed)}")
    try:
        number = float(written) if not isinstance(written, bool) else np.nan
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise ConfigError(f"{at}: `{short(written)}` is no value", remedy=f"write a number, or one of {', '.join(_UNJUDGED)}")
    return float(number)


def _items(test: Mapping[str, Any], field: str, at: str) -> list[Any]:
    found = test.get(field)
    if not isinstance(found, list) or not found:
        raise ConfigError(f"{at}.{field} is missing", remedy=f"write a list below `{field}`")
    return found


def _mapping(value: Any, at: str, fields: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{at} is no mapping", remedy=f"write the fields {', '.join(fields)}")
    for name in value:
        if name not in fields:
            raise ConfigError(f"{at}: there is no field `{short(name)}`", remedy=f"write {', '.join(fields)}")
    return value


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]
