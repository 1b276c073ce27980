"""Tells destinations when a comparison reaches a verdict: that b may take the place of a, or is worse."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from alerts import sentence
from alerts.notification import notifications
from core import moment
from core.destination import Destination
from core.episode import Delivery, Rule
from core.monitor import Monitor
from core.reading import Reading, Verdict

READY, WORSE = "comparison.ready", "comparison.worse"
_TYPES = {Verdict.READY: READY, Verdict.WORSE: WORSE}


def reached(rule: Rule, reading: Reading, now: int, horizon: int) -> bool:
    """Whether a reading of the newest window of a rule has a verdict that was not told last, and its window has not ended longer ago than `horizon`."""
    if reading.verdict not in _TYPES or rule.told == reading.verdict or now - reading.window_end > horizon:
        return False
    return bool(rule.windows) and (rule.windows[-1].start, rule.windows[-1].end) == (reading.window_start, reading.window_end)


def deliveries(monitor: Monitor, reading: Reading, destinations: Sequence[Destination], now: int, address: str) -> list[Delivery]:
    """The notifications of a verdict, one for each destination that takes it. An id is the same whenever it is made of the same reading: of one window each of two verdicts may come more than once."""
    kind = _TYPES[reading.verdict]
    page = f"{address}/ui/models/{quote(reading.model, safe='')}/compare"
    told = {name: reading.evidence.get(name) for name in ("a", "b", "better", "better_upper", "rows_a", "rows_b", "needed")}
    data = {
        "comparison": monitor.name,
        "model": reading.model,
        "segment": reading.segment,
        "of": reading.params.get("of"),
        "margin": reading.params.get("margin"),
        "verdict": reading.verdict,
        "sentence": sentence.comparison(reading),
        "severity": monitor.severity,
        "window_start": moment.text(reading.window_start),
        "window_end": moment.text(reading.window_end),
        "value": reading.value,
        **told,
        "url": page,
    }
    thread = f"comparison|{reading.model}|{monitor.name}|{reading.segment}"
    window = (reading.window_start, reading.window_end, *([reading.revision] if reading.revision > 1 else []))
    takers = [one for one in destinations if one.enabled and one.takes_comparison(reading.model, monitor.severity)]
    key = (thread, monitor.evaluated_revision, kind, *window)
    return notifications(kind, data, takers, thread=thread, key=key, now=now, rank=monitor.severity.rank)
