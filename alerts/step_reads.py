"""What one step of the alert engine reads of the store. The monitors of a step share it, so that each question is asked once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from alerts.ports import Ledger
from core.change import Change, ChangeKind
from core.described import Described
from core.destination import Destination
from core.episode import Episode
from core.monitor import Severity


class StepReads:
    """Answers of a ledger, kept for the rest of the step. `came` are the versions of the step's model that came after its first one, each with the time of its first events."""

    def __init__(self, ledger: Ledger, came: Sequence[tuple[str, int]] = ()) -> None:
        self._ledger, self._came = ledger, came
        self._expected: dict[str, None] = {}
        self._unasked: dict[str, None] = {}
        self._told: set[str] = set()
        self._stored: dict[str, Episode] = {}
        self._described: dict[str, Described] = {}
        self._takers: dict[tuple[str, Severity], list[Destination]] = {}
        self._near: dict[tuple[str, int, int], tuple[Change, ...]] = {}

    @cached_property
    def governed(self) -> tuple[bool, bool]:
        """Whether a policy says what is told, and whether groups are open."""
        return self._ledger.governed()

    @cached_property
    def destinations(self) -> list[Destination]:
        """All destinations."""
        return self._ledger.destinations()

    def takers(self, model: str, severity: Severity) -> list[Destination]:
        """The destinations that take episodes of a model and severity."""
        if (model, severity) not in self._takers:
            self._takers[model, severity] = [one for one in self.destinations if one.takes(model, severity)]
        return self._takers[model, severity]

    def described(self, model: str) -> Described:
        """Owner, description and runbook of a model."""
        if model not in self._described:
            self._described[model] = self._ledger.described(model)
        return self._described[model]

    def changes(self, model: str, since: int, until: int) -> tuple[Change, ...]:
        """What changed of a model in `[since, until)`, the first one first."""
        key = (model, since, until)
        if key not in self._near:
            came = [Change(at, ChangeKind.VERSION, f"version {name} came") for name, at in self._came if since <= at < until]
            self._near[key] = tuple(sorted((*came, *self._ledger.changes(model, since, until)), key=lambda one: one.at))
        return self._near[key]

    def expect(self, names: Iterable[str]) -> None:
        """Episodes that may be needed: what is asked of the first one is read of all of them together."""
        found = dict.fromkeys(names)
        self._expected |= found
        self._unasked |= found

    def told(self, name: str) -> bool:
        """Whether a destination was told of an expected episode without a policy."""
        if self._unasked:
            self._told |= self._ledger.told(list(self._unasked))
            self._unasked = {}
        return name in self._told

    def episode(self, name: str) -> Episode:
        """An episode that a rule has or had."""
        if name not in self._stored:
            self._stored |= {one.id: one for one in self._ledger.episodes(list({name: None, **self._expected}))}
            self._expected = {}
        return self._stored[name]
