"""What a notification says to people: one record, from which each kind of destination makes its message.

It is made of the body that webhooks get, so that all kinds say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any

import msgspec

from core import bin_text, number
from core.episode import Delivery
from core.incident import RESOLVED
from core.policy import DIGEST
from core.trust import place

_ENDS = frozenset({"episode.resolved", "group.resolved", RESOLVED})
_ACTIONS = {"acknowledge": "Acknowledge", "silence": "Silence for 2 hours", "approve": "Approve"}
_MOST = 8  # contributions and episodes of a group that are listed


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A notification in words.

    `key` is the same for all notifications of one episode, group, or place of trust. `title` is one line, `sentence` says why. `facts` are names and values,
    `lines` a list, the worst first, and `to` the addresses of the first of them; `links` are words and addresses. `level` is `critical`, `warn` or `info`; `since` and `timestamp` are RFC 3339.
    """

    key: str
    type: str
    timestamp: str
    title: str
    sentence: str
    model: str
    severity: str
    level: str
    ended: bool
    since: str
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    to: tuple[str, ...] = ()

    @property
    def ways(self) -> list[tuple[str, str]]:
        """The lines, each with its address, "" without one."""
        return list(zip_longest(self.lines, self.to[: len(self.lines)], fillvalue=""))

    @property
    def text(self) -> str:
        """All of it as plain text."""
        parts = [self.sentence, "\n".join(f"{name}: {said}" for name, said in self.facts), "\n".join(f"- {line}" for line in self.lines)]
        parts.append("\n".join(f"{words}: {address}" for words, address in self.links))
        return "\n\n".join(part for part in parts if part) + "\n"


def notice(delivery: Delivery) -> Notice:
    """The notice of a notification."""
    body = msgspec.json.decode(delivery.body)
    data: Mapping[str, Any] = body["data"]
    return _maker(data)(delivery, body["timestamp"], data)


def _maker(data: Mapping[str, Any]) -> Callable[[Delivery, str, Mapping[str, Any]], Notice]:
    if "group" in data and "episodes" in data:
        return _group
    made = {"comparison": _comparison, "hook": _retrain, "monitor": _episode, "reasons": _trust, "incident": _system}
    return next((make for field, make in made.items() if field in data), _test)


def cut(said: str, most: int) -> str:
    """A text of at most so many characters.

    >>> cut("123456", 5)
    '1234…'
    """
    return said if len(said) <= most else said[: most - 1] + "…"


def _episode(delivery: Delivery, timestamp: str, data: Mapping[str, Any]) -> Notice:
    ended = delivery.type in _ENDS
    where = " ".join(part for part in (data["column"], "" if data["segment"] == "all" else f"in {data['segment']}") if part)
    state = "Resolved" if ended else _word(data["level"])
    return Notice(
        key=data["id"],
        type=delivery.type,
        timestamp=timestamp,
        title=f"{state}: {data['model']}, {data['monitor']}" + (f", {where}" if where else ""),
        sentence=_sentence(data["reason"]),
        model=data["model"],
        severity=data["severity"],
        level=data["level"],
        ended=ended,
        since=data["started_at"],
        facts=tuple(_facts(data)),
        lines=(*_contributions(data.get("reading") or {}), *_changes(data)),
        links=tuple(_links(data)),
        labels=tuple((name, str(data[name])) for name in ("monitor", "measure", "column", "segment") if data[name]),
    )


def _facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a person asks first: how much, from what, against which threshold, on how many rows, since when, for whom."""
    reading: Mapping[str, Any] = data.get("reading") or {}
    found = [("Value", _with_interval(data["value"], reading.get("lower"), reading.get("upper")))]
    if reading.get("baseline_value") is not None:
        found.append(("Before", f"{number.rounded(reading['baseline_value'])} ({_baseline(reading['baseline'])})"))
    found.append(("Threshold", ", ".join(f"{level} {_threshold(at)}" for level, at in data["threshold"].items() if at is not None)))
    if reading.get("n_target") is not None:
        found.append(("Rows", _rows(reading)))
    found.append(("Window", f"{data['window_start']} to {data['window_end']}"))
    found.append(("Since", data["started_at"]))
    if data.get("ended_at"):
        found.append(("Ended", data["ended_at"]))
    if data.get("traffic_share") is not None:
        found.append(("Share of traffic", f"{100 * data['traffic_share']:.1f} %"))
    found += [(name.capitalize(), data[name]) for name in ("severity", "owner", "description") if data.get(name)]
    return [(name, said) for name, said in found if said]


def _group(delivery: Delivery, timestamp: str, data: Mapping[str, Any]) -> Notice:
    ended = delivery.type in _ENDS
    models = ", ".join(data["models"]) or data["model"] or ""
    digest = delivery.type == DIGEST
    count, shown = data["count"], data["episodes"][: len(data["episodes"]) if digest else _MOST]
    word = "Resolved" if ended else "Digest" if digest else _word(data["level"])
    more = [f"and {count - len(shown):,} more"] if count > len(shown) else []
    return Notice(
        key=data["group"],
        type=delivery.type,
        timestamp=timestamp,
        title=f"{word}: {_shared(data)}{models}, {count:,} {'alert' if count == 1 else 'alerts'}",
        sentence=_sentence(data["sentence"]),
        model=data["model"] or models,
        severity=data["severity"],
        level=data["level"],
        ended=ended,
        since=min((one["started_at"] for one in data["episodes"]), default=data["window_start"]),
        facts=(
            *([("Told because", data["reason"])] if data.get("reason") else []),
            ("Window", f"{data['window_start']} to {data['window_end']}"),
            ("Severity", data["severity"]),
        ),
        lines=(*(_line(one, data) for one in shown), *more),
        to=tuple(one["url"] for one in shown),
        links=tuple(_links(data)),
        labels=(("group", data["group"]),),
    )


def _shared(data: Mapping[str, Any]) -> str:
    """The column that all episodes of a group have."""
    columns = {one["column"] for one in data["episodes"]}
    known = data["count"] == len(data["episodes"]) and len(columns) == 1
    return f"{columns.pop()} of " if known and "" not in columns else ""


def _line(one: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """An episode of a group; with its model where there are several."""
    return _sentence(one["reason"] if data["model"] else f"{one['model']}: {one['reason']}")


def _trust(delivery: Delivery, timestamp: str, data: Mapping[str, Any]) -> Notice:
    state, before = (str(one).replace("_", " ") for one in (data["state"], data["before"]))
    where = f"{data['model']} version {data['version']}, {data['segment']}"
    return Notice(
        key=place(data["model"], data["version"], data["segment"]),
        type=delivery.type,
        timestamp=timestamp,
        title=f"Trust: {where}: {state}",
        sentence=_sentence(f"The trust in {where} is now: {state}; before: {before}"),
        model=data["model"],
        severity="ticket",
        level={"do_not_trust": "critical", "watch": "warn"}.get(data["state"], "info"),
        ended=data["state"] == "trusted",
        since=data["since"] or timestamp,
        lines=tuple(reason["text"] for reason in data["reasons"][:_MOST]),
        links=tuple(_links(data)),
        labels=(("version", data["version"]), ("segment", data["segment"])),
    )


def _comparison(delivery: Delivery, timestamp: str, data: Mapping[str, Any]) -> Notice:
    worse = data["verdict"] == "worse"
    rows = [f"{side} {data[name]:,}" for side, name in (("a", "rows_a"), ("b", "rows_b")) if data[name] is not None]
    return Notice(
        key=delivery.episode,
        type=delivery.type,
        timestamp=timestamp,
        title=f"Comparison {'worse' if worse else 'ready'}: {data['model']}, {data['comparison']}",
        sentence=_sentence(data["sentence"]),
        model=data["model"],
        severity=data["severity"],
        level="warn" if worse else "info",
        ended=not worse,
        since=data["window_start"],
        facts=(("Window", f"{data['window_start']} to {data['window_end']}"), *((("Rows", ", ".join(rows)),) if rows else ())),
        links=tuple(_links(data)),
        labels=(("monitor", data["comparison"]), ("segment", data["segment"])),
    )


def _system(delivery: Delivery, timestamp: str, data: Mapping[str, Any]) -> Notice:
    ended, problems = delivery.type in _ENDS, data["problems"]
    count = f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}"
    return Notice(
        key=data["incident"],
        type=delivery.type,
        timestamp=timestamp,
        title="Resolved: Watchkeeper has no problem now" if ended else f"Critical: Watchkeeper has {count}",
        sentence=_sentence(f"No problem is left of those since {data['since']}" if ended else (data["new"] or problems)[0]),
        model="",
        severity="page",
        level="critical",
        ended=ended,
        since=data["since"],
        facts=(("Since", data["since"]),),
        lines=tuple(problems[:_MOST]),
        links=tuple(_links(data)),
    )


def _retrain(delivery: Delivery, timestamp: str, data: Mapping[str, Any]) -> Notice:
    titles = {
        "retrain.off": "Automatic retraining is off",
        "retrain.worse": "Roll back",
        "retrain.awaiting_approval": "Retraining waits for approval",
        "retrain.overdue": "Training is overdue",
    }
    return Notice(
        key=f"retrain|{data['id']}",
        type=delivery.type,
        timestamp=timestamp,
        title=f"{titles.get(delivery.type, 'Retraining did not help')}: {data['model']}",
        sentence=_sentence(data["sentence"]),
        model=data["model"],
        severity=data["severity"],
        level="critical" if data["severity"] == "page" else "warn",
        ended=False,
        since=data["created"],
        facts=tuple(
            (name, said) for name, said in (("Hook", data["hook"]), ("Run", data["url_of_run"]), ("Version", data["version"])) if said
        ),
        lines=tuple(f"{one['at']}: {one['state']}: {one['reason']}" for one in data["history"][-_MOST:]),
        links=tuple(_links(data)),
        labels=(("hook", data["hook"]),),
    )


def _test(delivery: Delivery, timestamp: str, data: Mapping[str, Any]) -> Notice:
    return Notice(
        key=f"test|{delivery.destination}",
        type=delivery.type,
        timestamp=timestamp,
        title="Test from Watchkeeper",
        sentence=str(data["sentence"]),
        model="",
        severity="report",
        level="info",
        ended=False,
        since=timestamp,
        links=tuple(_links(data)),
    )


def _links(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    named = [("Open in Watchkeeper", data.get("url")), ("Runbook", data.get("runbook")), *_actions(data)]
    return [(words, address) for words, address in named if address]


def _actions(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(_ACTIONS.get(name, name), address) for name, address in (data.get("links") or {}).items()]


def _contributions(reading: Mapping[str, Any]) -> list[str]:
    """The bins or categories that make most of it."""
    return [
        f"{one['category'] if 'category' in one else bin_text.words(one.get('bin', ''))}: {100 * one['target']:.1f} % of rows, before {100 * one['baseline']:.1f} %"
        for one in reading.get("contributions") or ()
        if isinstance(one.get("target"), int | float) and isinstance(one.get("baseline"), int | float)
    ]


def _changes(data: Mapping[str, Any]) -> list[str]:
    """What changed of the model near the onset."""
    return [f"Changed near the onset: {one['text']}, {one['at']}" for one in data.get("changes") or ()][:_MOST]


def _rows(reading: Mapping[str, Any]) -> str:
    before = f", before {reading['n_baseline']:,}" if reading.get("n_baseline") else ""
    effective = f" (worth {number.rounded(reading['n_effective'])} independent ones)" if reading.get("n_effective") is not None else ""
    return f"{reading['n_target']:,}{effective}{before}"


def _with_interval(value: float | None, lower: float | None, upper: float | None) -> str:
    if value is None:
        return ""
    between = f" (95 % interval {number.rounded(lower)} to {number.rounded(upper)})" if lower is not None and upper is not None else ""
    return number.rounded(value) + between


def _baseline(baseline: object) -> str:
    return (
        baseline
        if isinstance(baseline, str)
        else ", ".join(f"{name} {said}" for name, said in baseline.items())
        if isinstance(baseline, dict)
        else ""
    )


def _threshold(at: object) -> str:
    return " or ".join(f"{side} {limit}" for side, limit in at.items()) if isinstance(at, dict) else f"from {at}"


def _word(level: str) -> str:
    return {"critical": "Critical", "warn": "Warning"}.get(level, "Notice")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
