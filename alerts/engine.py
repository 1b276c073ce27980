"""The alert engine: turns readings into rules, episodes, timelines and notifications, in one transaction a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from alerts import comparison
from alerts.ports import AlertStore, Ledger
from alerts.rule import explained, moved, without_passing
from alerts.step import AlertStep
from alerts.step_reads import StepReads
from alerts.terms import Terms
from core import moment
from core.baseline.reference import Reference
from core.clock import Clock
from core.episode import Cause, EpisodeRecord, Rule, Transition
from core.measure import Measures
from core.monitor import Monitor
from core.reading import Bare, Reading, WithEvidence
from core.text import unquote

NOTIFY_HORIZON = 2 * moment.DAY
_order = attrgetter("window_end", "window_start", "revision")
_UNKNOWN = 0, (0, 0)  # the revision of a monitor, and the versions of the contract


class Observed(NamedTuple):
    """What one monitor observes in a step: its readings; the version of the model's contract that brought its reference, and the columns that the contract has for the monitor; its newest version, and whether that can have a segment."""

    monitor: Monitor
    readings: Sequence[Reading]
    contract: int = 0
    columns: Sequence[str] | None = None
    version: int = 0
    watched: Callable[[str], bool] | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Model and name of the monitor."""
        return self.monitor.model, self.monitor.name


class _Move(msgspec.Struct, frozen=True, gc=False):
    """A rule before and after a reading; the transition that an episode is told of, which has no reason yet; and whether destinations are told of the reading's verdict."""

    before: Rule
    after: Rule
    reading: Reading
    told: Transition | None
    verdict: bool


class AlertEngine:
    """Advances the rules of monitors. For one model only one engine may run at a time.

    `measures` are all measures by name. `notify_horizon` is in microseconds: episodes of a window that ended longer ago are recorded and not sent. `address` is
    that of the dashboard, for links. `wake` is called after each step that has left something to send.
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
    ) -> None:
        self._store = store
        self._clock = clock
        self._measures = measures
        self._horizon = notify_horizon
        self._address = address
        self._wake = wake
        self._known: dict[tuple[str, str], tuple[int, tuple[int, int]]] = {}

    def observe(
        self,
        monitor: Monitor,
        readings: Sequence[Reading],
        fence: tuple[str, int] | None = None,
        *,
        contract: int = 0,
        columns: Sequence[str] | None = None,
        version: int = 0,
        watched: Callable[[str], bool] | None = None,
    ) -> list[Transition]:
        """Take readings of one monitor, in any order and any number of times. Returns what changed in its episodes.

        When a new revision of a monitor comes for the first time, episodes that older revisions left open are closed. So are those of columns that are not
        among the `columns` that the model's contract has for the monitor, those of segments that its newest `version` cannot have any more by `watched`, and if the
        monitor compares with the reference, those that were judged against that of an earlier version than `contract`. A monitor without a threshold or a
        budget has no rules. `fence` is the name and epoch of an ownership: raises Fenced, having changed nothing, if another owner has it now.
        """
        return self._advance([Observed(monitor, readings, contract, columns, version, watched)], fence)

    def observe_all(
        self,
        given: Sequence[tuple[Monitor, Sequence[Reading]]],
        fence: tuple[str, int] | None = None,
        came: Sequence[tuple[str, int]] = (),
    ) -> list[Transition]:
        """As `observe`, for several monitors of a model in one transaction: all of them, or none if it raises.

        `came` are the versions of the model that came after its first one, each with its first slot: an episode says which of them came near its onset.
        """
        return self._advance([Observed(monitor, readings) for monitor, readings in given], fence, came)

    def supersede(self, monitor: Monitor, reason: str, fence: tuple[str, int] | None = None) -> list[Transition]:
        """End the open episodes of a monitor, whose version of the model is not served any more. Its rules go on, and are judged by later windows alone."""
        with self._store.recording(fence) as ledger:
            step = AlertStep(monitor, self._clock.now(), self._horizon, self._address, StepReads(ledger))
            for rule in ledger.rules(monitor.model, monitor.name):
                if rule.episode is not None and rule.definition == monitor.evaluated_revision:
                    step.resolve(rule, reason, Cause.VERSION_SUPERSEDED)
            record = step.record()
            ledger.write(record)
        self._tell(record)
        return record.transitions

    def _tell(self, record: EpisodeRecord) -> None:
        if record.deliveries or record.notices:
            self._wake()

    def _advance(self, given: Sequence[Observed], fence: tuple[str, int] | None, came: Sequence[tuple[str, int]] = ()) -> list[Transition]:
        given = [one for one in given if self._concerns(one)]
        if not given:
            return []
        record, current = EpisodeRecord(), list[Observed]()
        with self._store.recording(fence) as ledger:
            reads = StepReads(ledger, came)
            held = [(one, rules) for one, rules in _held(ledger, given) if rules is not None]
            for one, rules in held:
                places = {(reading.column, reading.segment) for reading in one.readings}
                names = (rule.episode or rule.last for rule in rules.values() if (rule.column, rule.segment) in places)
                reads.expect(name for name in names if name is not None)
            for one, rules in held:
                step = AlertStep(one.monitor, self._clock.now(), self._horizon, self._address, reads, one.readings)
                self._judge(one, rules, step)
                step.record(record)
                current.append(one)
            ledger.write(record)
        for one in current:
            about = (one.contract, one.version) if one.contract else self._known.get(one.key, _UNKNOWN)[1]
            self._known[one.key] = one.monitor.evaluated_revision, about
        self._tell(record)
        return record.transitions

    def _concerns(self, one: Observed) -> bool:
        """Whether a monitor may change anything: it has rules and readings, or its definition or contract is seen for the first time."""
        if one.monitor.alarms and one.readings:
            return True
        revision, known = one.monitor.evaluated_revision, self._known.get(one.key, _UNKNOWN)
        return known[0] != revision or (one.contract != 0 and known[1] != (one.contract, one.version))

    def _judge(self, one: Observed, rules: dict[tuple[str, str], Rule], step: AlertStep) -> None:
        """Begin rules afresh that are overtaken, and advance all by the readings."""
        monitor, terms = one.monitor, Terms.of(one.monitor)
        changed = f"Monitor {monitor.name} was changed (revision {monitor.revision}) and is judged afresh"
        for old in [rule for rule in rules.values() if rule.definition < monitor.evaluated_revision]:
            rules[old.column, old.segment] = step.supersede(old, changed, Cause.MONITOR_CHANGED, one.contract)
        for old, reason, cause in _overtaken(one, rules.values()):
            rules[old.column, old.segment] = step.supersede(old, reason, cause, one.contract)
        if monitor.alarms:
            self._move(one, rules, terms, step)

    def _move(self, one: Observed, rules: dict[tuple[str, str], Rule], terms: Terms, step: AlertStep) -> None:
        """Advance rules by readings. Only those that episodes are told of need their evidence, and these are found first."""
        about, moves, now = self._measures[one.monitor.measure], list[_Move](), self._clock.now()
        whole: WithEvidence = one.readings.with_evidence if isinstance(one.readings, Bare) else list
        ordered = sorted(whole(one.readings) if terms.needs_evidence else one.readings, key=_order)
        for reading in without_passing(ordered, rules, terms):
            rule = rules.get((reading.column, reading.segment)) or _rule(one.monitor, reading)
            after, transition = moved(rule, reading, about, terms)
            if after is not rule:
                verdict = comparison.reached(after, reading, now, self._horizon)
                after = msgspec.structs.replace(after, told=reading.verdict) if verdict else after
                rules[after.column, after.segment] = after
                moves.append(_Move(rule, after, reading, transition if transition is not None and transition.episode else None, verdict))
        told = iter(whole([move.reading for move in moves if move.told or move.verdict]))
        for move in moves:
            given = next(told) if move.told or move.verdict else move.reading
            reason = explained(move.before, move.after, given, about, terms) if move.told else ""
            step.advanced(move.before, move.after, move.told, given, reason)
            if move.verdict:
                step.compared(given)


def _held(ledger: Ledger, given: Sequence[Observed]) -> Iterator[tuple[Observed, dict[tuple[str, str], Rule] | None]]:
    """The rules of monitors by column and segment; None of a monitor whose readings are of an older definition than its rules, or of a deleted one."""
    models: dict[str, list[str]] = {}
    for one in given:
        models.setdefault(one.monitor.model, []).append(one.monitor.name)
    rules: dict[tuple[str, str], dict[tuple[str, str], Rule]] = {one.key: {} for one in given}
    retired: dict[tuple[str, str], int] = {}
    for model, names in models.items():
        for rule in ledger.rules(model, *names):
            rules[model, rule.monitor][rule.column, rule.segment] = rule
        retired |= {(model, name): revision for name, revision in ledger.retired(model, *names).items()}
    for one in given:
        revision, found = one.monitor.evaluated_revision, rules[one.key]
        gone = retired.get(one.key, 0) >= revision or any(rule.definition > revision for rule in found.values())
        yield one, None if gone else found


def _overtaken(one: Observed, rules: Iterable[Rule]) -> list[tuple[Rule, str, Cause]]:
    """The rules that a contract overtakes, each with the reason: their column or their segment is gone, or they were judged against an older reference."""
    found, newest = [], one.version or one.contract
    for rule in rules:
        if one.columns is not None and rule.column not in one.columns:
            if rule.episode is not None:
                found.append((rule, f"{rule.column} is not watched under contract version {newest}", Cause.COLUMN_GONE))
        elif one.watched is not None and rule.episode is not None and not one.watched(rule.segment):
            found.append((rule, f"{unquote(rule.segment)} is not watched under contract version {newest}", Cause.SEGMENT_GONE))
        elif one.monitor.baseline == Reference() and 0 < rule.contract < one.contract:
            found.append(
                (rule, f"the reference is another one (contract version {one.contract}), and is judged afresh", Cause.NEW_BASELINE)
            )
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
