"""Monitors of harmful change: whether bets can be read at the ends of their windows, and the params of the measure that the loss is of."""

from __future__ import annotations

from typing import Any

import msgspec

from core import moment
from core.contract import Contract
from core.error import ConfigError
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from detectors.catalogue import spec
from detectors.change.harmful import HarmfulParams
from monitors.definition import field
from monitors.definition.of import suits, written


def check(monitor: Monitor, contract: Contract | None) -> dict[str, Any]:
    """The params of the monitor with those of its measure filled in. Raises ConfigError where windows are not whole days or weeks one after the other."""
    of = msgspec.convert(monitor.params, HarmfulParams).harmed
    found = spec(of.measure)
    suits(found.about, contract)
    parts_of_days = isinstance(monitor.window, Tumbling) and monitor.window.step % moment.DAY
    if monitor.window.overlaps or parts_of_days or monitor.window.step < moment.DAY - moment.HOUR:
        raise ConfigError(
            "bets are read at the ends of whole days or weeks, one after the other, since risk may follow a rhythm within them",
            remedy="write for example `target: daily`",
        )
    return written(monitor.params, of, field.params(of.params, found, contract))
