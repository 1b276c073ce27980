"""Which chunks of NannyML's car loans a monitor of the estimated area alarms in, as the page of measures says: beside those for which NannyML has published an alert."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from core.baseline.reference import Reference
from core.moment import HOUR
from core.monitor import Monitor
from core.reading import Verdict
from core.window.tumbling import Tumbling
from detectors import catalogue
from validation.replay import Replay

MEASURE = "performance.estimated_roc_auc"
PUBLISHED = ("nml_car_loan",)
WARN = 0.005  # below the reference's


def of(model: Replay) -> Iterator[tuple[int, bool]]:
    """The place of each window, and whether it alarms."""
    spec = catalogue.spec(MEASURE)
    params = msgspec.to_builtins(spec.settle(msgspec.convert({}, spec.params), model.model.contract))
    monitor = Monitor(
        name="m",
        model=model.model.contract.model,
        measure=MEASURE,
        params=params,
        columns=(),
        window=Tumbling(HOUR),
        baseline=Reference(),
        warn=WARN,
    )
    for at, reading in model.readings(monitor):
        yield at, reading.verdict == Verdict.WARN
