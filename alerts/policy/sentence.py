"""A group in one sentence, and the body that is sent of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from alerts.policy.decide import Notice
from core import moment
from core.episode import Episode, Level

MOST = 20  # episodes in a body
_NAMED = 3  # columns that a sentence names


def sentence(episodes: Sequence[Episode]) -> str:
    """Why the worst fired, and what else there is: `...; 6 more with it: columns temp, dewp and 2 others, 3 segments, 2 measures`."""
    worst, others = episodes[0], episodes[1:]
    if not others:
        return worst.reason
    columns = list(dict.fromkeys(one.column for one in episodes if one.column))
    named = ", ".join(columns[:_NAMED]) + (f" and {len(columns) - _NAMED} others" if len(columns) > _NAMED else "")
    counts = [
        (len({one.model for one in episodes}), "models"),
        (len({one.segment for one in episodes}), "segments"),
        (len({one.measure for one in episodes}), "measures"),
    ]
    said = [f"columns {named}"] * (len(columns) > 1) + [f"{many} {what}" for many, what in counts if many > 1]
    return f"{worst.reason}; {len(others)} more with it" + (f": {', '.join(said)}" if said else "")


def body(notice: Notice, now: int, address: str) -> str:
    """The body of a notice, as JSON."""
    episodes, worst = notice.episodes, notice.episodes[0]
    models = sorted({one.model for one in episodes})
    data: dict[str, Any] = {
        "group": notice.group,
        "sentence": sentence(episodes),
        "reason": notice.reason,
        "severity": worst.severity,
        "level": Level.CRITICAL if any(one.level is Level.CRITICAL for one in episodes) else Level.WARN,
        "model": models[0] if len(models) == 1 else None,
        "window_start": moment.text(min(one.window_start for one in episodes)),
        "window_end": moment.text(max(one.window_end for one in episodes)),
        "models": models,
        "episodes": [msgspec.structs.replace(one, deliveries=(), timeline=()).document(address) for one in episodes[:MOST]],
        "count": notice.count,
        "url": f"{address}/ui/alerts/{worst.id}",
    }
    return msgspec.json.encode({"type": notice.kind, "timestamp": moment.text(now), "data": data}).decode()
