"""Charts: whether the values of a measure can be charted, and the params of that measure."""

from __future__ import annotations

from typing import Any

import msgspec

from core.contract import Contract
from core.error import ConfigError
from core.measure import Family, Subject
from core.monitor import Monitor
from detectors.catalogue import spec
from detectors.compare.difference import Of
from monitors.definition import field
from monitors.definition.of import column, named, suits, written

_APART = (Family.COMPARE, Family.CHANGE)  # which have no value of a window alone


def check(monitor: Monitor, contract: Contract | None) -> dict[str, Any]:
    """The params of a chart with those of its measure filled in, and its baseline. Raises ConfigError where the measure cannot be charted."""
    of = named(lambda: msgspec.convert(monitor.params, spec(monitor.measure).params).charted)
    found = spec(of.measure)
    about = found.about
    if found.trained or about.family in _APART or about.subject is Subject.GROUP or about.name.startswith(f"{Family.USER}."):
        raise ConfigError(
            f"`{about.name}` cannot be charted", remedy="take a measure of quality, drift, performance, fairness, uncertainty or service"
        )
    suits(about, contract)
    if monitor.window.overlaps:
        raise ConfigError("a chart takes one window after the other, and these overlap", remedy="write for example `target: daily`")
    if about.usual_baseline is not None and monitor.baseline is None:
        raise ConfigError(f"`{about.name}` compares with a baseline", remedy="write `baseline: reference`, or `baseline: previous`")
    settled = field.params(of.params, found, contract)
    column(Of(of.measure, settled, of.column), about, monitor.segments, contract)
    return written(monitor.params, of, settled)
