"""Alerts at scale: 10,000 monitors x 20 segments that change at once, and a page among 100,000 notifications: `python benchmarks/alert_scale.py [--monitors 10000]`.

First the rules of all monitors advance by a reading of each segment that breaches, and then by one that does not. That includes the control store (SQLite, in a temporary folder). Then a policy decides
of an episode of each monitor, and of one more while all these are open. Last, a notification of severity `page` comes to an outbox in which 100,000 of severity `ticket` wait for the same destination. CPU is
of this process, on one core; the last column is the share of what is promised: 10 s of CPU for the rules, 1 s of waiting for the page.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from material.measure import Cost, cost, one_core, options, progress, table

from alerts.engine import AlertEngine
from alerts.policy.watch import PolicyWatch
from core import moment
from core.baseline.reference import Reference
from core.clock import ManualClock
from core.destination import Destination
from core.episode import Delivery, EpisodeRecord
from core.monitor import Monitor
from core.policy import Policy
from core.reading import Reading, Verdict
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore

SEGMENTS = tuple(f"carrier=C{place:02d}" for place in range(20))
WAITING = 100_000
START = moment.parse("2026-01-01T00:00:00Z")
ADVANCE, PAGE = 10.0, 1.0  # seconds of CPU and of waiting that are promised


def main() -> None:
    """Measure, and print the table."""
    parser = options(__doc__ or "", "python benchmarks/alert_scale.py --monitors 1000")
    parser.add_argument("--monitors", type=int, default=10_000, help="how many; default 10,000")
    one_core()
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(START + 2 * moment.DAY)
        store = ControlStore(f"sqlite:///{Path(folder) / 'control.sqlite'}", clock)
        store.migrate()
        store.apply_destinations([Destination(name="oncall", kind="console")])
        monitors = [_monitor(place) for place in range(parser.parse_args().monitors)]
        rows = [*_advanced(store, clock, monitors), *_decided(store, clock, monitors), _page(store, clock)]
        store.close()
    table("Alerts at scale", ("what", "number", "CPU s", "wall s", "of what is promised"), rows)


def _row(what: str, number: int, spent: Cost, share: float | None = None) -> tuple[str, ...]:
    return what, f"{number:,}", f"{spent.cpu:.2f}", f"{spent.wall:.2f}", "" if share is None else f"{100 * share:.0f} %"


def _monitor(place: int) -> Monitor:
    return Monitor(
        name=f"drift-{place:05d}",
        model=f"m-{place % 100:02d}",
        measure="drift.psi",
        columns=("fare",),
        segments=("carrier",),
        baseline=Reference(),
        warn=0.1,
        critical=0.25,
    )


def _reading(monitor: Monitor, segment: str, day: int, verdict: Verdict) -> Reading:
    return Reading(
        monitor=monitor.name,
        model=monitor.model,
        measure=monitor.measure,
        baseline="reference",
        column="fare",
        segment=segment,
        window_start=START + day * moment.DAY,
        window_end=START + (day + 1) * moment.DAY,
        value=0.15 if verdict is Verdict.WARN else 0.05,
        n_target=2_000,
        threshold={"warn": 0.1, "critical": 0.25},
        verdict=verdict,
    )


def _advanced(store: ControlStore, clock: ManualClock, monitors: Sequence[Monitor]) -> list[tuple[str, ...]]:
    """Advance the rules of all monitors, twice."""
    engine, rules = AlertEngine(store, clock, MEASURES), len(monitors) * len(SEGMENTS)
    rows = []
    for day, (verdict, what) in enumerate(((Verdict.WARN, "opened"), (Verdict.OK, "ended"))):
        with cost() as spent:
            for place, monitor in enumerate(monitors):
                engine.observe(monitor, [_reading(monitor, segment, day, verdict) for segment in SEGMENTS])
                if place % 1_000 == 0:
                    progress(f"day {day}, monitor {place:,} of {len(monitors):,}")
        rows.append(_row(f"rules advance: an episode of each is {what}", rules, spent, spent.cpu / ADVANCE))
    return rows


def _decided(store: ControlStore, clock: ManualClock, monitors: Sequence[Monitor]) -> list[tuple[str, ...]]:
    """Open an episode of each monitor under a policy, and decide; then one more."""
    store.apply_policies([Policy(name="default")])
    engine, watch = AlertEngine(store, clock, MEASURES), PolicyWatch(store, clock, moment.DAY * 30)
    rows = []
    for what, some in (("the policy decides of new episodes", monitors[1:]), ("and then of one more", monitors[:1])):
        for monitor in some:
            engine.observe(monitor, [_reading(monitor, "all", 1, Verdict.WARN)])
        clock.advance(moment.MINUTE)
        with cost() as spent:
            watch.look()
        rows.append(_row(what, len(some), spent))
    return rows


def _page(store: ControlStore, clock: ManualClock) -> tuple[str, ...]:
    """A page behind many tickets: how long until it is the next one."""
    now = clock.now()
    row = Delivery(id="", destination="oncall", episode="", type="episode.fired", body="x" * 2_000, created=now, due=now, rank=1)
    for first in range(0, WAITING, 10_000):
        progress(f"notification {first:,} of {WAITING:,}")
        many = [msgspec.structs.replace(row, id=f"msg_{place}", episode=f"ep_{place}") for place in range(first, first + 10_000)]
        with store.recording() as ledger:
            ledger.write(EpisodeRecord(deliveries=many))
    with store.recording() as ledger:
        ledger.write(EpisodeRecord(deliveries=[msgspec.structs.replace(row, id="msg_page", episode="ep_page", rank=2)]))
    with cost() as spent:
        (found,) = store.due(now)
    if found.id != "msg_page":
        raise SystemExit(f"{found.id} came before the page")
    return _row("a page among notifications is next", WAITING, spent, spent.wall / PAGE)


if __name__ == "__main__":
    main()
