"""A group in one sentence, and the body that is sent of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from alerts import notification
from alerts.policy.decide import Notice
from core import moment
from core.episode import Episode, Level

MOST = 20  # episodes in a body
_NAMED = 3  # columns, segments and so on that a sentence names


def sentence(episodes: Sequence[Episode]) -> str:
    """Why the worst fired, and what else there is: `...; 6 more with it: columns temp, dewp, wind and 2 others; segments origin=JFK, origin=LGA`."""
    worst, others = episodes[0], episodes[1:]
    if not others:
        return worst.reason
    named = [
        ("models", [one.model for one in episodes], 2),
        ("columns", [one.column for one in episodes if one.column], 2),
        ("segments", [one.segment for one in episodes if one.segment != "all"], 1),
        ("measures", [one.measure for one in episodes], 2),
    ]
    said = [f"{what} {_named(names)}" for what, names, least in named if len(set(names)) >= least]
    return f"{worst.reason}; {len(others)} more with it" + (f": {'; '.join(said)}" if said else "")


def _named(names: Sequence[str]) -> str:
    different = list(dict.fromkeys(names))
    rest = len(different) - _NAMED
    return ", ".join(different[:_NAMED]) + (f" and {rest} {'other' if rest == 1 else 'others'}" if rest > 0 else "")


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
    return notification.body(notice.kind, data, now)
