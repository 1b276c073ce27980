"""Monitors as documents: as the API gives them, and as the definition that people write."""

from __future__ import annotations

from typing import Any

import msgspec

from core import duration
from core.monitor import Monitor

_USUAL = Monitor(name="", model="", measure="")
_COUNTED = {"revision", "share"}  # what nobody writes
_ALWAYS = ("monitor", "model", "measure", "target", "baseline")  # what a definition says also where it is the usual one


def document(monitor: Monitor) -> dict[str, Any]:
    """A monitor with the fields of the grammar, and its revision."""
    built: dict[str, Any] = msgspec.to_builtins(monitor)
    built |= {
        "baseline": monitor.baseline.written if monitor.baseline else None,
        "target": monitor.window.written,
        "exclude": monitor.excluded,
    }
    built["budget"] = monitor.budget and monitor.budget.text
    built["segments"] = monitor.auto.written if monitor.auto else built["segments"]
    del built["auto"], built["window"], built["since"], built["share"], built["other"], built["challengers"]
    if monitor.other is not None and monitor.baseline is not None:
        built |= {"baseline": None, "a": monitor.baseline.written, "b": monitor.other.written}
    if monitor.share:
        built["share"] = {"budget": monitor.share.budget, "rate": monitor.share.text}
    count, of = built.pop("persist")
    built["reopen_within"] = duration.text(monitor.reopen_within) if monitor.reopen_within else None
    name, said = built.pop("name"), monitor.params.get("expression")
    return {"monitor": name, **built, "persist": f"{count} of {of}"} | ({} if said is None else {"expression": said})


def definition(monitor: Monitor) -> dict[str, Any]:
    """The definition that makes this monitor, without what is usual."""
    made, usual = document(monitor), document(_USUAL)
    if "expression" in made:
        made["params"] = {name: value for name, value in made["params"].items() if name != "expression"}
    kept = {name: value for name, value in made.items() if name not in _COUNTED and (name in _ALWAYS or value != usual.get(name))}
    first = {name: kept[name] for name in _ALWAYS if kept.get(name) is not None}
    return first | {name: value for name, value in kept.items() if name not in _ALWAYS}
