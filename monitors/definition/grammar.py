"""The grammar of definitions: turns a file into monitors, contracts, budgets, destinations, policies and hooks, or raises one error that lists every fault.

What the grammar has and this version has not built is refused by its name, never ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from core import duration
from core.baseline.kind import Baseline
from core.baseline.reference import Reference
from core.baseline.rows import Role, Version
from core.baseline.source import Source
from core.contract import Contract
from core.described import READERS
from core.error import ConfigError
from core.measure import Family, Measure, Need, Subject
from core.moment import DAY
from core.monitor import Compare, Gate, ModelBudget, Monitor, Severity, Unjudged
from core.name import check
from core.window.tumbling import Tumbling
from detectors.catalogue import spec
from detectors.change.chart import charts
from detectors.change.harmful import harms
from detectors.performance.delay_corrected import DELAY_CORRECTED
from detectors.spec import AnySpec
from monitors.definition import attribute, charted, field, harmful, segment, sides, user_measure
from monitors.definition.column import flag
from monitors.definition.declared import declared
from monitors.definition.document import KINDS, DefinitionEntry, Faults, bare, entries, short, unknown
from monitors.definition.shared import model_budget

KEYS = (
    "monitor",
    "model",
    "measure",
    "params",
    "expression",
    "columns",
    "attributes",
    "segments",
    "target",
    "baseline",
    "a",
    "b",
    "exclude",
    "version",
    "warn",
    "critical",
    "compare",
    "gate",
    "min_samples",
    "min_label_coverage",
    "persist",
    "clear",
    "keep_firing",
    "reopen_within",
    "on_nodata",
    "on_error",
    "budget",
    "severity",
    "enabled",
    *READERS,
)


@dataclass(frozen=True)
class ParsedDefinitions:
    """The definitions of a file, in its order. Destinations, policies and hooks are as written, because `alerts` reads them. Contracts get their version when they are saved."""

    monitors: tuple[Monitor, ...] = ()
    destinations: tuple[dict[str, Any], ...] = ()
    contracts: tuple[Contract, ...] = ()
    budgets: tuple[ModelBudget, ...] = ()
    policies: tuple[dict[str, Any], ...] = ()
    hooks: tuple[dict[str, Any], ...] = ()


def parse(text: str, *, contract: Callable[[str], Contract | None], there: Collection[tuple[str, str, str]] = ()) -> ParsedDefinitions:
    """Read definitions. `contract` gives the newest contract of a model; contracts that the file declares come first.

    `there` are the monitors, budgets and destinations that exist, by kind, model ("" for a destination) and name. Their names, and those of models with a
    contract, are not new, so they need not follow the rule for names.

    Raises ConfigError that lists every fault with its line, definition, field and remedy; then nothing of the file may be applied.
    """
    faults = Faults()
    found = list(entries(text, faults))
    _names(found, faults, there, contract)
    contracts = {
        entry.name: read
        for entry in found
        if entry.kind == "contract" and (read := declared(entry, faults, contract(entry.name))) is not None
    }
    broken = {entry.name for entry in found if entry.kind == "contract"} - contracts.keys()

    def known(model: str) -> Contract | None:
        return contracts.get(model) or contract(model)

    monitors = [_monitor(entry, faults, known, broken) for entry in found if entry.kind == "monitor"]
    budgets = [model_budget(entry, faults, known) for entry in found if entry.kind == "budget"]
    faults.close()
    destinations, policies, hooks = (
        tuple(bare(entry.fields) for entry in found if entry.kind == kind) for kind in ("destination", "policy", "hook")
    )
    return ParsedDefinitions(tuple(monitors), destinations, tuple(contracts.values()), tuple(budgets), policies, hooks)


def _monitor(  # long: a line for each field
    entry: DefinitionEntry, faults: Faults, contract: Callable[[str], Contract | None], broken: set[str]
) -> Monitor:
    """The monitor of an entry, with default values for fields with faults."""
    _keys(entry, faults)
    model = faults.read(entry, "model", _text, "")
    known = contract(model) if model else None
    if model and known is None and model not in broken:
        error = ConfigError(f"there is no model `{model}`", remedy=f"give its reference first: watchkeeper reference {model} FILE.parquet")
        faults.add(entry.lines["model"], f"monitor `{entry.name}`, `model`", error)
    what = faults.read(entry, "measure", lambda value: _measure(value, known), None)
    about = None if what is None else what.about
    first, second = sides.read(entry, faults, what)
    against = first or faults.read(entry, "baseline", field.baseline, None if about is None else about.usual_baseline)
    window = faults.read(entry, "target", lambda value: field.target(value, known), Tumbling(DAY))
    if entry.fields.get("target") is None and known is not None and not window.fits(known.pane, known.earliest):
        error = ConfigError(f"the usual window of 1d is no multiple of {duration.text(known.pane)}", remedy="write `target: {window: ...}`")
        faults.add(entry.line, f"monitor `{entry.name}`, `target`", error)
    if against is not None and known is not None:
        faults.read(entry, "baseline", lambda _: against.check(window, known.pane), None)
        faults.read(entry, "exclude", lambda value: field.paned(value, known.pane), None)
    segments, auto = faults.read(entry, "segments", lambda value: segment.segments(value, known), (("all",), None))
    monitor = Monitor(
        name=entry.name,
        model=model,
        measure="" if about is None else about.name,
        params=user_measure.params(entry, faults, what, known),
        columns=faults.read(entry, "columns", lambda value: _columns(value, about, known), ()),
        attributes=faults.read(entry, "attributes", lambda value: attribute.attributes(value, about, known), ()),
        segments=segments,
        auto=auto,
        window=window,
        baseline=against,
        other=second,
        exclude=faults.read(entry, "exclude", field.exclude, ()),
        version=faults.read(entry, "version", field.version, None),
        **_alarms(entry, faults, about, against),
        min_samples=faults.read(entry, "min_samples", field.min_samples, 200 if about is None or about.own_limit is None else 1),
        min_label_coverage=faults.read(entry, "min_label_coverage", partial(field.min_label_coverage, measure=about), None),
        **_terms(entry, faults),
        severity=faults.read(entry, "severity", field.severity, Severity.TICKET),
        enabled=faults.read(entry, "enabled", flag, True),
        **field.words(entry, faults),
    )
    _together(entry, faults, monitor, about)
    if sides.compares(what) and monitor.params:
        monitor = msgspec.structs.replace(
            monitor, params=faults.read(entry, "params", lambda _: sides.check(monitor, known), monitor.params)
        )
    if (charts(what) or harms(what)) and monitor.params:
        fits = charted.check if charts(what) else harmful.check
        monitor = msgspec.structs.replace(
            monitor, params=faults.read(entry, "params", lambda _: fits(monitor, known), monitor.params, missing={})
        )
    if about is not None and known is not None:
        _attributes(entry, faults, monitor, about, known)
    return monitor


def _attributes(entry: DefinitionEntry, faults: Faults, monitor: Monitor, about: Measure, contract: Contract) -> None:
    """Panes hold the groups that a measure of attributes compares."""
    try:
        if about.subject.protected:
            attribute.check(about, monitor.attributes, monitor.segments, monitor.params.get("reference"), contract)
    except ConfigError as error:
        faults.add(entry.line, f"monitor `{entry.name}`, `attributes`", error)


def _together(entry: DefinitionEntry, faults: Faults, monitor: Monitor, about: Measure | None) -> None:
    """The fields of a monitor fit one another. A measure of how events come is neither of a part of them nor compared with a file."""
    try:
        field.ordered(monitor.warn, monitor.critical)
    except ConfigError as error:
        faults.add(entry.lines["critical"], f"monitor `{entry.name}`, `critical`", error)
    _beside(entry, faults, monitor)
    if monitor.budget is None:
        faults.read(entry, "clear", lambda _: field.cleared(monitor.clear, monitor.warn, monitor.critical), None)
    if monitor.budget is not None and monitor.window.overlaps:
        overlap = ConfigError("a budget counts windows that do not overlap", remedy="write for example `target: daily`")
        faults.add(entry.lines["budget"], f"monitor `{entry.name}`, `budget`", overlap)
    if about is not None and about.family is Family.CHANGE and Need.LABELS in about.requires and monitor.baseline is not None:
        alone = ConfigError(f"`{monitor.measure}` compares the stream with itself", remedy="leave `baseline` out")
        faults.add(entry.lines["baseline"], f"monitor `{entry.name}`, `baseline`", alone)
    if about is not None and about.name == DELAY_CORRECTED and monitor.baseline not in (None, Reference()):
        older = ConfigError(
            f"`{monitor.measure}` is compared with the reference alone", remedy="write `baseline: reference`, or leave it out"
        )
        faults.add(entry.lines["baseline"], f"monitor `{entry.name}`, `baseline`", older)
    if about is None or not about.of_stream:
        return
    wrong = {
        "segments": (monitor.segments != ("all",), "is not computed for segments", "leave `segments` out"),
        "version": (monitor.version is not None, "is not computed for one version", "leave `version` out"),
        "baseline": (
            isinstance(monitor.baseline, Reference | Version | Role),
            "has no value in the reference" if monitor.baseline == Reference() else "is not computed for a version or a role",
            "write `previous`, or `{prior: 7d}`",
        ),
    }
    for key, (there, why, remedy) in wrong.items():
        if there:
            faults.add(entry.lines[key], f"monitor `{entry.name}`, `{key}`", ConfigError(f"`{monitor.measure}` {why}", remedy=remedy))


def _beside(entry: DefinitionEntry, faults: Faults, monitor: Monitor) -> None:
    """The baseline is of other rows than the target, and what it leaves out is of the stream."""
    wrong = {
        "baseline": (
            isinstance(monitor.baseline, Version) and monitor.baseline.version == monitor.version,
            "the baseline is the version that is watched: it overlaps the window",
            "name another version",
        ),
        "exclude": (
            bool(monitor.exclude) and (monitor.baseline is None or monitor.baseline.source is not Source.STREAM),
            "`exclude` leaves spans out of a baseline from the stream, and this monitor has none",
            "leave `exclude` out, or write for example `baseline: {rolling: 30d}`",
        ),
    }
    for key, (there, why, remedy) in wrong.items():
        if there:
            faults.add(entry.lines[key], f"monitor `{entry.name}`, `{key}`", ConfigError(why, remedy=remedy))


def _alarms(entry: DefinitionEntry, faults: Faults, about: Measure | None, against: Baseline | None) -> dict[str, Any]:
    """What makes a reading a breach."""
    readers: dict[str, tuple[Callable[..., Any], Any]] = {
        "warn": (field.threshold, None),
        "critical": (field.threshold, None),
        "clear": (field.threshold, None),
        "budget": (field.budget, None),
        "compare": (field.compare, Compare.VALUE),
        "gate": (field.gate, Gate.NONE),
    }
    found = {
        name: faults.read(entry, name, partial(reader, measure=about, against=against), default)
        for name, (reader, default) in readers.items()
    }
    limited = about is not None and all(found[name] is None for name in ("warn", "critical", "budget"))
    return found | ({"critical": about.own_limit} if about is not None and limited else {})


def _terms(entry: DefinitionEntry, faults: Faults) -> dict[str, Any]:
    """What makes an episode begin, go on and end."""
    return {
        "persist": faults.read(entry, "persist", field.persist, (1, 1)),
        "keep_firing": faults.read(entry, "keep_firing", field.keep_firing, 0),
        "reopen_within": faults.read(entry, "reopen_within", field.reopen_within, 0),
        "on_nodata": faults.read(entry, "on_nodata", field.unjudged, Unjudged.HOLD),
        "on_error": faults.read(entry, "on_error", field.unjudged, Unjudged.HOLD),
    }


def _keys(entry: DefinitionEntry, faults: Faults) -> None:
    """Every key is one of the grammar's, and built; those that must be there are."""
    where = f"monitor `{entry.name}`"
    for key, value in entry.fields.items():
        if key == "share" and value is None:
            continue
        if key in ("revision", "share"):
            faults.add(entry.lines[key], where, ConfigError(f"`{key}` is counted, not written", remedy="leave it out"))
        elif key not in KEYS:
            faults.add(entry.lines[key], where, unknown("field", key, KEYS))
    if entry.fields.get("budget") is not None:
        for key, usual in (("warn", None), ("critical", None), ("clear", None), ("compare", Compare.VALUE), ("gate", Gate.NONE)):
            if entry.fields.get(key) not in (None, usual):
                faults.add(
                    entry.lines[key], where, ConfigError(f"a `budget` takes the place of `{key}`", remedy="leave one of the two out")
                )
    for key, example in (("model", "taxi-fare"), ("measure", "drift.psi")):
        if entry.fields.get(key) is None:
            faults.add(entry.line, where, ConfigError(f"`{key}` is missing", remedy=f"write for example `{key}: {example}`"))


def _names(
    found: list[DefinitionEntry], faults: Faults, there: Collection[tuple[str, str, str]], contract: Callable[[str], Contract | None]
) -> None:
    """Report what is defined twice, and new names that break the rule. A monitor is identified by model and name, other kinds by their name."""
    seen: dict[tuple[str, str, str], int] = {}
    for entry in found:
        key = (entry.kind, str(entry.fields.get("model")) if entry.kind == "monitor" else "", entry.name)
        if key in seen:
            faults.add(
                entry.line, f"{entry.kind} `{entry.name}`", ConfigError(f"is defined in line {seen[key]} too", remedy="keep one of the two")
            )
        elif key not in there and not (entry.kind == "contract" and contract(entry.name)):
            try:
                check(KINDS[entry.kind], entry.name)
            except ConfigError as error:
                faults.add(entry.line, "", error)
        seen.setdefault(key, entry.line)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"`{short(value)}` is no name", remedy="quote it if it looks like a number")
    return value


def _measure(value: Any, contract: Contract | None) -> AnySpec:
    found = spec(_text(value))
    about = found.about
    if contract is not None and contract.task not in about.tasks:
        raise ConfigError(f"`{about.name}` is not for {contract.task} models", remedy="it is for " + ", ".join(about.tasks))
    return found


def _columns(value: Any, what: Measure | None, contract: Contract | None) -> tuple[str, ...]:
    if value == [] or what is None:
        return ()
    if what.subject.protected:
        raise ConfigError(f"`{what.name}` is computed for attributes, not for columns", remedy="write `attributes` in place of `columns`")
    if what.subject is not Subject.COLUMN:
        raise ConfigError(f"`{what.name}` is computed for the whole model, not for columns", remedy="leave `columns` out")
    return field.columns(value, contract)
