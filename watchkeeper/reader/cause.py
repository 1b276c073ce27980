"""Reads the causes of a measure's change, in the window of an episode or in any other one."""

from __future__ import annotations

from typing import Any

import msgspec

from core import duration
from core.cause import CauseQuery, Causes
from core.error import ConfigError
from core.measure import Subject
from core.monitor import Monitor
from core.segment import ALL
from core.trial import Trial
from detectors.catalogue import MEASURES
from monitors.cause.explain import explain
from monitors.cause.values import Uncalibrated
from watchkeeper.backend import Backend
from watchkeeper.reader.episodes import EpisodeReader
from watchkeeper.reader.trial import TrialReader

_KEPT = 64  # causes


class CauseReader(TrialReader, EpisodeReader):
    """Finds causes. It writes nothing."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        stores = backend.stores
        self._uncalibrated = Uncalibrated(stores.panes, stores.raw, stores.stream, stores.control.contract_version, stores.training)
        self._causes: dict[bytes, tuple[str, int, Causes]] = {}

    def cause(self, asked: CauseQuery) -> Causes:
        """The causes of a measure's change in a window. Raises ConfigError or Retryable."""
        contract = self._known(asked.model)
        if asked.end <= asked.start or asked.start % contract.pane or asked.end % contract.pane:
            pane = duration.text(contract.pane)
            raise ConfigError(
                f"`from` and `to` bound no whole panes of {pane}", remedy=f"give times that are multiples of {pane}, `to` after `from`"
            )
        return self._found(self._monitor(asked), asked)

    def cause_of(self, name: str, segment: str | None = None, *, age: int = 0) -> Causes | None:
        """The causes of an episode, within its segment or another slice; None if there is no such episode. Raises ConfigError or Retryable.

        They may be `age` microseconds old, although something has changed since.
        """
        one = self.episode(name)
        if one is None:
            return None
        monitor = one.definition
        asked = CauseQuery(
            model=one.model,
            measure=one.measure,
            start=one.window_start,
            end=one.window_end,
            segment=segment or one.segment,
            column=one.column,
            version=monitor.version,
        )
        named = {"attributes" if MEASURES[one.measure].subject.protected else "columns": (one.column,) if one.column else ()}
        return self._found(msgspec.structs.replace(monitor, **named), asked, age)

    def _found(self, monitor: Monitor, asked: CauseQuery, age: int = 0) -> Causes:
        key, tag, now = msgspec.json.encode((monitor, asked)), self._backend.tag(), self._backend.clock.now()
        held = self._causes.get(key)
        if held is not None and (held[0] == tag or now - held[1] < age):
            return held[2]
        contract = self._known(asked.model)
        found = explain(self._uncalibrated, monitor, self._model(contract), self._stores.panes.segments(contract), asked)
        if len(self._causes) >= _KEPT:
            self._causes.clear()
        self._causes[key] = tag, now, found
        return found

    def _monitor(self, asked: CauseQuery) -> Monitor:
        """The monitor that would have a reading of this window. Raises ConfigError."""
        subject = MEASURES[asked.measure].subject
        if subject is not Subject.MODEL and not asked.column:
            raise ConfigError(f"`{asked.measure}` is of a column", remedy="give `column`, such as column=age")
        fields: dict[str, Any] = {
            "model": asked.model,
            "measure": asked.measure,
            "target": {"window": duration.text(asked.end - asked.start)},
        }
        if asked.column:
            fields["attributes" if subject.protected else "columns"] = [asked.column]
        fields |= {"version": asked.version} if asked.version else {}
        if asked.baseline is not None:
            fields["baseline"] = asked.baseline
        return self._read(Trial(fields, segment=ALL))
