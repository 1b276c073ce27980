"""Reads the causes of a measure's change, in the window of an episode or in any other one."""

from __future__ import annotations

from threading import Lock
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
from watchkeeper.backend import Readable
from watchkeeper.reader.episodes import EpisodeReader
from watchkeeper.reader.trial import TrialReader

_KEPT = 64  # causes


class CauseReader(TrialReader, EpisodeReader):
    """Finds causes. It writes nothing."""

    def __init__(self, backend: Readable) -> None:
        super().__init__(backend)
        stores = backend.stores
        self._uncalibrated = Uncalibrated(stores.panes, stores.raw, stores.stream, stores.control.contract_version, stores.training)
        self._causes: dict[bytes, tuple[str, int, Causes]] = {}
        self._finding = Lock()

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
        monitor, protected = one.definition, MEASURES[one.measure].subject.protected
        if one.column and not protected:
            self._column(one.model, one.column)
        asked = CauseQuery(
            model=one.model,
            measure=one.measure,
            start=one.window_start,
            end=one.window_end,
            segment=segment or one.segment,
            column=one.column,
            version=monitor.version,
        )
        named = {"attributes" if protected else "columns": (one.column,) if one.column else ()}
        return self._found(msgspec.structs.replace(monitor, **named), asked, age)

    def _found(self, monitor: Monitor, asked: CauseQuery, age: int = 0) -> Causes:
        key, tag, now = msgspec.json.encode((monitor, asked)), self._backend.tag(), self._backend.clock.now()
        if (held := self._held(key, tag, now - age)) is not None:
            return held
        with self._finding:  # one at a time, since each holds the rows of two sides; who waited for the same takes what was found
            if (held := self._held(key, tag, now - age)) is not None:
                return held
            contract = self._known(asked.model)
            found = explain(self._uncalibrated, monitor, self._model(contract), self._stores.panes.segments(contract), asked)
            if len(self._causes) >= _KEPT:
                self._causes.clear()
            self._causes[key] = tag, now, found
            return found

    def _held(self, key: bytes, tag: str, after: int) -> Causes | None:
        """The causes that were found of the same data, or since a time."""
        held = self._causes.get(key)
        return held[2] if held is not None and (held[0] == tag or held[1] > after) else None

    def _column(self, model: str, column: str) -> None:
        """Raises ConfigError for a column that the newest contract does not have."""
        try:
            self._known(model).column(column)
        except KeyError:
            raise ConfigError(f"`{model}` has no column `{column[:80]}` any more", remedy="look at the events of the window") from None

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
