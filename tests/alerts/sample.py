"""Readings, monitors and destinations for the tests of alerts."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from core import moment
from core.baseline.reference import Reference
from core.destination import Destination
from core.monitor import Monitor
from core.reading import Reading, Verdict

START = moment.parse("2013-07-01T00:00:00Z")
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()

MONITOR = Monitor(name="drift", model="late", measure="drift.psi", columns=("temp",), baseline=Reference(), warn=0.1, critical=0.25)
DESTINATION = Destination(name="oncall", settings={"url": "http://127.0.0.1:9/hook", "secret": SECRET})
VALUES = {Verdict.OK: 0.05, Verdict.WARN: 0.15, Verdict.CRITICAL: 0.31, Verdict.INSUFFICIENT: 0.4}


def at(url: str, **changes: Any) -> Destination:
    """The destination at an address."""
    return msgspec.structs.replace(DESTINATION, settings={"url": url, "secret": SECRET}, **changes)


def reading(day: int, verdict: Verdict | str, revision: int = 1, **changes: Any) -> Reading:
    """A reading of the `day`-th day after 2013-07-01."""
    verdict = Verdict(verdict)
    made = Reading(
        monitor="drift",
        model="late",
        measure="drift.psi",
        baseline="reference",
        column="temp",
        window_start=START + day * moment.DAY,
        window_end=START + (day + 1) * moment.DAY,
        value=VALUES.get(verdict),
        n_target=2_377,
        threshold={"warn": 0.1, "critical": 0.25},
        verdict=verdict,
        revision=revision,
    )
    return msgspec.structs.replace(made, **changes)
