"""The alert engine: turns readings into rules, episodes, timelines and notifications, in one transaction a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from alerts.ports import AlertStore
from alerts.rule import advance
from alerts.step import AlertStep, Versions, no_versions
from alerts.terms import Terms
from core import moment
from core.baseline.reference import Reference
from core.clock import Clock
from core.episode import Cause, Rule, Transition
from core.measure import Measures
from core.monitor import Monitor
from core.reading import Reading

NOTIFY_HORIZON = 2 * moment.DAY


class AlertEngine:
    """Advances the rules of monitors. For one model only one engine may run at a time.

    `measures` are all measures by name. `notify_horizon` is in microseconds: episodes of a window that ended longer ago are recorded and not sent. `address` is
    that of the dashboard, for links. `wake` is called after each step that has left something to send. `versions` tells when versions of a model came: it is asked when an episode begins.
    """

    def __init__(
        self,
        store: AlertStore,
        clock: Clock,
        measures: Measures,
        notify_horizon: int = NOTIFY_HORIZON,
        *,
        address: str = "",
        wake: Callable[[], None] = lambda: None,
        versions: Versions = no_versions,
    ) -> None:
        self._store = store
        self._clock = clock
        self._measures = measures
        self._horizon = notify_horizon
        self._address = address
        self._wake = wake
        self._versions = versions
        self._known: dict[tuple[str, str], tuple[int, int]] = {}

    def observe(
        self,
        monitor: Monitor,
        readings: Sequence[Reading],
        fence: tuple[str, int] | None = None,
        *,
        contract: int = 0,
        columns: Sequence[str] | None = None,
    ) -> list[Transition]:
        """Take readings of one monitor, in any order and any number of times. Returns what changed in its episodes.

        When a new revision of a monitor comes for the first time, episodes that older revisions left open are closed. So are those of columns that are not
        among the `columns` that the model's contract has for the monitor, and if the monitor compares with the reference, those that an earlier version of the
        `contract` left open. A monitor without a threshold or a
        budget has no rules. `fence` is the name and epoch of an ownership: raises Fenced, having changed nothing, if another owner has it now.
        """
        key = (monitor.model, monitor.name)
        watched = monitor.alarms
        seen = (monitor.evaluated_revision, contract)
        if not (watched and readings) and (self._known.get(key) == seen or (not contract and self._known.get(key, (0, 0))[0] == seen[0])):
            return []
        with self._store.recording(fence) as ledger:
            rules = {(rule.column, rule.segment): rule for rule in ledger.rules(*key)}
            gone = any(rule.definition > monitor.evaluated_revision for rule in rules.values())
            if gone or ledger.retired(*key) >= monitor.evaluated_revision:
                return []  # readings of an older definition
            step = AlertStep(monitor, self._clock.now(), self._horizon, self._address, ledger, readings, self._versions)
            changed = f"Monitor {monitor.name} was changed (revision {monitor.revision}) and is judged afresh"
            for old in [rule for rule in rules.values() if rule.definition < monitor.evaluated_revision]:
                rules[old.column, old.segment] = step.supersede(old, changed, Cause.MONITOR_CHANGED, contract)
            for old, reason, cause in _overtaken(monitor, rules.values(), contract, columns):
                rules[old.column, old.segment] = step.supersede(old, reason, cause, contract)
            terms, places = Terms.of(monitor), {(one.column, one.segment) for one in readings}
            step.expect(rule for place, rule in rules.items() if place in places)
            for reading in sorted(readings, key=_order) if watched else ():
                rule = rules.get((reading.column, reading.segment)) or _rule(monitor, reading)
                after, transition = advance(rule, reading, self._measures[monitor.measure], terms)
                if after is not rule:
                    rules[after.column, after.segment] = step.advanced(rule, after, transition, reading)
            record = step.record()
            ledger.write(record)
        self._known[key] = seen if contract else (seen[0], self._known.get(key, (0, 0))[1])
        if record.deliveries or record.notices:
            self._wake()
        return record.transitions


def _order(reading: Reading) -> tuple[int, int, int]:
    return reading.window_end, reading.window_start, reading.revision


def _overtaken(monitor: Monitor, rules: Iterable[Rule], contract: int, columns: Sequence[str] | None) -> list[tuple[Rule, str, Cause]]:
    """The rules that a contract overtakes, each with the reason: their column is gone, or they were judged against an older reference."""
    found = []
    for rule in rules:
        if columns is not None and rule.column not in columns:
            if rule.episode is not None:
                found.append((rule, f"{rule.column} is not watched under contract version {contract}", Cause.COLUMN_GONE))
        elif monitor.baseline == Reference() and 0 < rule.contract < contract:
            found.append((rule, f"the reference is another one (contract version {contract}), and is judged afresh", Cause.NEW_BASELINE))
    return found


def _rule(monitor: Monitor, reading: Reading) -> Rule:
    return Rule(
        model=monitor.model,
        monitor=monitor.name,
        column=reading.column,
        segment=reading.segment,
        definition=monitor.evaluated_revision,
        contract=reading.contract,
    )
