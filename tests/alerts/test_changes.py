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
    came = [("2", START + 3 * moment.DAY), ("3", START + 9 * moment.DAY)]
    clock.advance(START + 5 * moment.DAY - clock.now())
    AlertEngine(store, clock, MEASURES).observe_all([(MONITOR, [reading(3, "ok"), reading(4, "warn")])], came=came)
    (episode,), _ = store.episodes()
    assert [(one.kind, one.text) for one in episode.changes] == [
        (ChangeKind.MONITOR, "monitor near created by ada"),
        (ChangeKind.VERSION, "version 2 came"),
    ]
    assert episode.document()["changes"][1] == {"at": moment.text(START + 3 * moment.DAY), "kind": "version", "text": "version 2 came"}
    lines = notice(episode.deliveries[0]).lines
    assert f"Changed near the onset: version 2 came, {moment.text(START + 3 * moment.DAY)}" in lines
