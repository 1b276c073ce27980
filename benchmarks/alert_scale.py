"""Alerts at scale: 10,000 monitors x 20 segments that change at once, and a page among 100,000 notifications: `python benchmarks/alert_scale.py [--monitors 10000]`.

First the rules of all monitors advance by a reading of each segment that breaches, and then by one that does not. That includes the control store (SQLite in a temporary folder, or PostgreSQL), and a notification of
each episode to one destination. Then the same of other models under a policy, which decides once of all these episodes, and once of one more while they are open. Last, a notification of severity `page` comes
to an outbox in which 100,000 of severity `ticket` wait for the same destination. CPU is of this process, on one core; the last column is the share of what is promised: 10 s of CPU for the rules, 1 s of waiting for the page.
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
EACH = 100  # monitors of a model, which are evaluated in one step
WAITING = 100_000
START = moment.parse("2026-01-01T00:00:00Z")
ADVANCE, PAGE = 10.0, 1.0  # seconds of CPU and of waiting that are promised


def main() -> None:
    """Measure, and print the table."""
    parser = options(__doc__ or "", "python benchmarks/alert_scale.py --monitors 1000")
    parser.add_argument("--monitors", type=int, default=10_000, help="how many; default 10,000")
    parser.add_argument("--control", metavar="URL", help="an empty PostgreSQL database, whose own CPU is not counted; default SQLite")
    given = parser.parse_args()
    one_core()
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(START + 2 * moment.DAY)
        store = ControlStore(given.control or f"sqlite:///{Path(folder) / 'control.sqlite'}", clock)
        store.migrate()
        store.apply_destinations([Destination(name="oncall", kind="console")])
        number = given.monitors
        rows = _advanced(store, clock, [_monitor("a", place) for place in range(number)], ", and told")
        store.apply_policies([Policy(name="default")])
        rows += _decided(store, clock, [_monitor("b", place) for place in range(number)])
        rows.append(_page(store, clock))
        store.close()
    table("Alerts at scale", ("what", "number", "CPU s", "wall s", "of what is promised"), rows)


def _row(what: str, number: int, spent: Cost, share: float | None = None) -> tuple[str, ...]:
    return what, f"{number:,}", f"{spent.cpu:.2f}", f"{spent.wall:.2f}", "" if share is None else f"{100 * share:.0f} %"


def _monitor(kind: str, place: int) -> Monitor:
    return Monitor(
        name=f"drift-{place:05d}",
        model=f"{kind}-{place // EACH:02d}",
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
        value=(0.15 if verdict is Verdict.WARN else 0.05) + hash((monitor.name, segment)) % 4_000 / 100_000,
        n_target=2_000 + hash(segment) % 1_000,
        threshold={"warn": 0.1, "critical": 0.25},
        verdict=verdict,
    )


def _advanced(store: ControlStore, clock: ManualClock, monitors: Sequence[Monitor], told: str) -> list[tuple[str, ...]]:
    """Advance the rules of all monitors twice, those of a model in one step."""
    return [
        _step(store, clock, monitors, 0, Verdict.WARN, f"rules advance: an episode of each is opened{told}"),
        _step(store, clock, monitors, 1, Verdict.OK, f"rules advance: an episode of each is ended{told}"),
    ]


def _step(store: ControlStore, clock: ManualClock, monitors: Sequence[Monitor], day: int, verdict: Verdict, what: str) -> tuple[str, ...]:
    """A window of each monitor and segment."""
    progress(what)
    engine, models = AlertEngine(store, clock, MEASURES), [monitors[start : start + EACH] for start in range(0, len(monitors), EACH)]
    readings = [[(one, [_reading(one, segment, day, verdict) for segment in SEGMENTS]) for one in some] for some in models]
    with cost() as spent:
        for some in readings:
            engine.observe_all(some)
    return _row(what, len(monitors) * len(SEGMENTS), spent, spent.cpu / ADVANCE)


def _decided(store: ControlStore, clock: ManualClock, monitors: Sequence[Monitor]) -> list[tuple[str, ...]]:
    """Open episodes under a policy, and let it decide; then one more; then they end."""
    engine, watch = AlertEngine(store, clock, MEASURES), PolicyWatch(store, clock, moment.DAY * 30)
    rows = [_step(store, clock, monitors, 0, Verdict.WARN, "rules advance: an episode of each is opened, under a policy")]
    clock.advance(moment.MINUTE)
    rows.append(_look(watch, len(monitors) * len(SEGMENTS), "the policy decides of them"))
    engine.observe(monitors[0], [_reading(monitors[0], "all", 1, Verdict.WARN)])
    clock.advance(moment.MINUTE)
    rows.append(_look(watch, 1, "and of one more while they are open"))
    rows.append(_step(store, clock, monitors, 1, Verdict.OK, "rules advance: an episode of each is ended, under a policy"))
    return rows


def _look(watch: PolicyWatch, number: int, what: str) -> tuple[str, ...]:
    progress(what)
    with cost() as spent:
        watch.look()
    return _row(what, number, spent)


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
