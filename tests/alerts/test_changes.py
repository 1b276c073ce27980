"""What changed of a model near the onset of an episode is kept with it, and told."""

from __future__ import annotations

import msgspec

from alerts.destination.notice import notice
from alerts.engine import AlertEngine
from core import moment
from core.change import ChangeKind
from core.clock import ManualClock
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.sample import DESTINATION, MONITOR, START, reading


def test_a_version_and_a_monitor_that_changed_near_the_onset_are_told(store: ControlStore, clock: ManualClock) -> None:
    """In order of time; what changed long before, or of another model, is not."""
    store.apply_destinations([DESTINATION])
    for days, model, name in ((-9, "late", "old"), (2, "late", "near"), (2, "later", "other")):
        clock.advance(START + days * moment.DAY + moment.HOUR - clock.now())
        store.apply_monitors([msgspec.structs.replace(MONITOR, model=model, name=name)], actor="ada")
    came = {"late": [("2", START + 3 * moment.DAY), ("3", START + 9 * moment.DAY)]}
    clock.advance(START + 5 * moment.DAY - clock.now())
    AlertEngine(store, clock, MEASURES, versions=lambda model: came.get(model, ())).observe(MONITOR, [reading(3, "ok"), reading(4, "warn")])
    (episode,), _ = store.episodes()
    assert [(one.kind, one.text) for one in episode.changes] == [
        (ChangeKind.MONITOR, "monitor near created by ada"),
        (ChangeKind.VERSION, "version 2 came"),
    ]
    assert episode.document()["changes"][1] == {"at": moment.text(START + 3 * moment.DAY), "kind": "version", "text": "version 2 came"}
    lines = notice(episode.deliveries[0]).lines
    assert f"Changed near the onset: version 2 came, {moment.text(START + 3 * moment.DAY)}" in lines


def test_episodes_that_begin_in_one_step_ask_once(store: ControlStore, clock: ManualClock) -> None:
    """The answer comes from another store, and the control store waits for it."""
    asked: list[str] = []
    engine = AlertEngine(store, clock, MEASURES, versions=lambda model: asked.append(model) or ())  # type: ignore[func-returns-value]
    engine.observe(MONITOR, [reading(day, "warn", segment=f"carrier={day}") for day in range(4)])
    assert (len(store.episodes()[0]), asked) == (4, ["late"])
