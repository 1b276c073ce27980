"""Counts the notices that the readings of a data folder would have made, as if each window had been evaluated an hour after its end: `python -m validation.notices FOLDER`.

The folder is that of an embedded Watchkeeper which does not run, such as `watchkeeper demo --data FOLDER --exit` leaves. Its stored readings are played, in order of time, through rules and a policy in a
control store of their own. Somebody acknowledges each notice, so that none is repeated. What else has ended an episode there is not played: where a retraining or a person ended one early, the folder may hold another one
after it, which here is the same one that goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from alerts.engine import AlertEngine
from alerts.policy.watch import PolicyWatch
from core import moment
from core.clock import ManualClock
from core.destination import Destination
from core.monitor import Monitor
from core.policy import Policy
from core.reading import DOCUMENTS, Query, Reading
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from validation.report import table
from watchkeeper.embedded import Embedded
from watchkeeper.reader.reader import Reader
from watchkeeper.settings.settings import Settings

_LATER = moment.HOUR  # from the end of a window to its evaluation
_LOOK = 10 * moment.SECOND
_YEARS = 100 * 365 * moment.DAY
_PAGE = 50_000


def main() -> None:
    """Play the readings of a folder, and print the notices."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the data folder")
    parser.add_argument("--interval", type=int, default=24, help="hours that a group waits between two notices; default 24")
    parser.add_argument("--group-by", nargs="+", default=["model"], help="what makes a group, such as column; default model")
    asked = parser.parse_args()
    with Embedded(Settings(data=asked.folder)) as backend:
        reader = Reader(backend)
        monitors = [one for one in reader.monitors() if one.alarms]
        readings = [one for monitor in monitors for one in _readings(reader, monitor)]
    with tempfile.TemporaryDirectory() as folder:
        store = ControlStore(f"sqlite:///{folder}/control.sqlite")
        store.migrate()
        policy = Policy(name="default", group_by=tuple(asked.group_by), group_interval=asked.interval * moment.HOUR, repeat_interval=_YEARS)
        _play(store, policy, {(one.model, one.name): one for one in monitors}, readings)
        _tell(store)
        store.close()


def _readings(reader: Reader, monitor: Monitor) -> Iterator[Reading]:
    """The newest readings of a monitor."""
    after: str | None = None
    while True:
        found, after = reader.page(Query(model=monitor.model, monitor=monitor.name, limit=_PAGE, after=after))
        for row in found.to_pylist():
            documents = {name: msgspec.json.decode(row[name] or "{}") for name in DOCUMENTS}
            yield msgspec.convert({**row, **documents}, Reading)
        if after is None:
            return


def _play(store: ControlStore, policy: Policy, monitors: dict[tuple[str, str], Monitor], readings: list[Reading]) -> None:
    """Advance rules and policy, window by window."""
    ordered = sorted(readings, key=lambda one: (one.window_end, one.model, one.monitor))
    clock = ManualClock(ordered[0].window_end)
    store.apply_destinations([Destination(name="people", kind="console")])
    store.apply_policies([policy])
    engine, watch = AlertEngine(store, clock, MEASURES, _YEARS), PolicyWatch(store, clock, _YEARS)
    for end, windows in groupby(ordered, key=lambda one: one.window_end):
        _until(clock, watch, end + _LATER)
        for key, some in groupby(windows, key=lambda one: (one.model, one.monitor)):
            engine.observe(monitors[key], list(some))
    _until(clock, watch, clock.now() + 7 * moment.DAY)


def _until(clock: ManualClock, watch: PolicyWatch, time: int) -> None:
    """Let time pass; the policy looks often for a while, and then every hour."""
    begun = clock.now()
    while clock.now() < time:
        watch.look()
        step = _LOOK if clock.now() - begun < 2 * moment.MINUTE else moment.HOUR
        clock.advance(min(step, time - clock.now()))


def _tell(store: ControlStore) -> None:
    episodes, after = list[Any](), None
    while True:
        page, after = store.episodes(limit=1_000, after=after)
        episodes += page
        if after is None:
            break
    found, after = list[Any](), None
    while True:
        page_of, after = store.deliveries(None, None, 1_000, after)
        found += page_of
        if after is None:
            break
    kinds, by_model = Counter(one.type for one in found), Counter(one.model for one in episodes)
    counts = [f"{number} episodes of {model}" for model, number in sorted(by_model.items())]
    print("; ".join([*counts, *(f"{number} {kind}" for kind, number in sorted(kinds.items()))]), end="\n\n")
    told = sorted(found, key=lambda one: one.created)
    lines = [[moment.text(one.created)[:16], one.type.partition(".")[2], *_said(one.body)] for one in told]
    print(table(["told at", "kind", "models", "severity", "sentence"], lines))


def _said(body: str) -> list[str]:
    data = msgspec.json.decode(body)["data"]
    return [", ".join(data["models"]), data["severity"], data["sentence"]]


if __name__ == "__main__":
    main()
