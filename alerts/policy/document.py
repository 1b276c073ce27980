"""Policies and silences as people write them. ConfigError says what is wrong, at which place of the definition, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from core import duration, moment
from core.episode import Level
from core.error import ConfigError
from core.monitor import Severity
from core.policy import GROUPED, MATCHED, Inhibit, Match, Mute, Policy, Route

DAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIELDS = ("policy", "group_by", "group_wait", "group_interval", "repeat_interval", "cap", "to", "routes", "inhibit", "mute")
_ROUTE = ("match", "to", "continue", "escalate_after", "escalate_to", "routes")
_CAP = re.compile(r"\s*([1-9][0-9]{0,5})\s+per\s+([0-9]{1,6}[smhdw])\s*", re.ASCII)
_CLOCK = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])", re.ASCII)
_WORDS = {"severity": tuple(Severity), "level": tuple(Level)}
_DEEPEST = 10  # levels of routes

T = TypeVar("T")


def policy_from(document: Mapping[str, Any]) -> Policy:
    """The policy that a document defines."""
    name = str(document.get("policy"))
    try:
        _only(document, _FIELDS, "")
        return Policy(
            name=name,
            group_by=_read(document, "group_by", "", lambda value, at: _of(value, at, GROUPED), ("model",)),
            group_wait=_read(document, "group_wait", "", _wait, Policy(name="").group_wait),
            group_interval=_read(document, "group_interval", "", _length, Policy(name="").group_interval),
            repeat_interval=_read(document, "repeat_interval", "", _length, Policy(name="").repeat_interval),
            cap=_read(document, "cap", "", _cap, None),
            to=_read(document, "to", "", _names, ()),
            routes=_read(document, "routes", "", _routes, ()),
            inhibit=_read(document, "inhibit", "", lambda value, at: _each(value, at, _inhibit), ()),
            mute=_read(document, "mute", "", lambda value, at: _each(value, at, _mute), ()),
        )
    except ConfigError as error:
        raise ConfigError(f"policy `{name}`, {error.message}", remedy=error.remedy) from None


def destinations_of(policy: Policy) -> dict[str, str]:
    """The destinations that a policy names, with the first place of each."""
    found = dict.fromkeys(reversed(policy.to), "`to`")

    def walk(routes: Sequence[Route], above: str) -> None:
        for place, route in enumerate(routes):
            at = f"{above}[{place}]"
            for field, names in (("to", route.to), ("escalate_to", route.escalate_to)):
                for name in names:
                    found.setdefault(name, f"`{at}.{field}`")
            walk(route.routes, f"{at}.routes")

    walk(policy.routes, "routes")
    return found


def check_destinations(policy: Policy, there: Collection[str]) -> None:
    """Raise ConfigError if the policy names a destination that is not there."""
    for name, place in destinations_of(policy).items():
        if name not in there:
            known = ", ".join(sorted(there)) or "none"
            raise ConfigError(
                f"policy `{policy.name}`, {place}: there is no destination `{name}`", remedy=f"define it, or name one of: {known}"
            )


def match_from(value: Any, at: str = "match") -> Match:
    """A match: by field one text or a list of them."""
    if not isinstance(value, Mapping):
        raise _fault(at, f"`{value}` is no match", "write for example {severity: page}")
    _only(value, MATCHED, at)
    return {field: _of(_given(one, f"{at}.{field}"), f"{at}.{field}", _WORDS.get(field)) for field, one in value.items()}


def written(policy: Policy) -> dict[str, Any]:
    """The policy in the words of the grammar."""
    return {
        "policy": policy.name,
        "group_by": list(policy.group_by),
        "group_wait": _text(policy.group_wait),
        "group_interval": _text(policy.group_interval),
        "repeat_interval": _text(policy.repeat_interval),
        "cap": None if policy.cap is None else f"{policy.cap[0]} per {duration.text(policy.cap[1])}",
        "to": list(policy.to),
        "routes": [_written_route(one) for one in policy.routes],
        "inhibit": [{"source": _plain(one.source), "target": _plain(one.target), "equal": list(one.equal)} for one in policy.inhibit],
        "mute": [
            {
                "match": _plain(one.match),
                "days": [DAYS[day] for day in one.days],
                "from": _minutes(one.start),
                "to": _minutes(one.end),
                "timezone": one.timezone,
            }
            for one in policy.mute
        ],
    }


def _written_route(route: Route) -> dict[str, Any]:
    return {
        "match": _plain(route.match),
        "to": list(route.to),
        "continue": route.goes_on,
        "escalate_after": None if route.escalate_after is None else duration.text(route.escalate_after),
        "escalate_to": list(route.escalate_to),
        "routes": [_written_route(one) for one in route.routes],
    }


def _plain(match: Match) -> dict[str, Any]:
    return {field: values[0] if len(values) == 1 else list(values) for field, values in match.items()}


def _routes(value: Any, at: str, depth: int = 0) -> tuple[Route, ...]:
    if depth >= _DEEPEST:
        raise _fault(at, f"routes are more than {_DEEPEST} levels deep", "write fewer")
    return _each(value, at, lambda one, place: _route(one, place, depth))


def _route(value: Mapping[str, Any], at: str, depth: int) -> Route:
    _only(value, _ROUTE, at)
    route = Route(
        match=match_from(_given(value.get("match", {}), f"{at}.match"), f"{at}.match"),
        to=_read(value, "to", at, _names, ()),
        goes_on=_read(value, "continue", at, _flag, False),
        escalate_after=_read(value, "escalate_after", at, _length, None),
        escalate_to=_read(value, "escalate_to", at, _names, ()),
        routes=_read(value, "routes", at, lambda one, place: _routes(one, place, depth + 1), ()),
    )
    if (route.escalate_after is None) != (not route.escalate_to):
        raise _fault(at, "one of `escalate_after` and `escalate_to` is missing", "write both, or none")
    if not (route.to or route.routes):
        raise _fault(at, "the route goes nowhere", "write `to: [destination]`, or `routes` below it")
    return route


def _inhibit(value: Mapping[str, Any], at: str) -> Inhibit:
    _only(value, ("source", "target", "equal"), at)
    for name in ("source", "target"):
        if not value.get(name):
            raise _fault(at, f"`{name}` is missing", "write for example {family: quality}")
    return Inhibit(
        source=match_from(value["source"], f"{at}.source"),
        target=match_from(value["target"], f"{at}.target"),
        equal=_of(_given(value["equal"], f"{at}.equal"), f"{at}.equal", MATCHED) if "equal" in value else (),
    )


def _mute(value: Mapping[str, Any], at: str) -> Mute:
    _only(value, ("match", "days", "from", "to", "timezone"), at)
    zone = value.get("timezone") or "UTC"
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError, TypeError):
        raise _fault(f"{at}.timezone", f"there is no time zone `{zone}`", "write one such as Europe/Rome") from None
    mute = Mute(
        match=match_from(_given(value.get("match", {}), f"{at}.match"), f"{at}.match"),
        days=tuple(sorted(DAYS.index(day) for day in _read(value, "days", at, lambda one, place: _of(one, place, DAYS), DAYS))),
        start=_read(value, "from", at, _clock, 0),
        end=_read(value, "to", at, _clock, 24 * 60),
        timezone=zone,
    )
    if mute.start in {mute.end, 24 * 60}:
        raise _fault(at, "the hours are empty", 'write `from: "22:00"` and `to: "06:00"`, or leave both out for whole days')
    return mute


def _given(value: Any, at: str) -> Any:
    """A value that narrows something: left empty it would match everything, which somebody who writes the field does not mean."""
    if value is None:
        raise _fault(at, "it is empty", "write a value, or leave the field out")
    return value


def _each(value: Any, at: str, one: Callable[[Mapping[str, Any], str], T]) -> tuple[T, ...]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise _fault(at, "it is not a list of mappings", "write one `- {...}` for each")
    return tuple(one(item, f"{at}[{place}]") for place, item in enumerate(value))


def _of(value: Any, at: str, known: Sequence[str] | None) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    found = [str(item).lower() if isinstance(item, bool) else str(item) for item in listed if not isinstance(item, list | Mapping)]
    wrong = [item for item in found if known is not None and item not in known]
    if len(found) != len(listed) or not found or wrong:
        allowed = f"one or more of {', '.join(known)}" if known else "a text or a list of texts"
        raise _fault(at, f"`{wrong[0] if wrong else value}` is not allowed", f"write {allowed}")
    return tuple(dict.fromkeys(found))


def _names(value: Any, at: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(name, str) and name for name in listed):
        raise _fault(at, f"`{value}` is not a list of destinations", "write `[oncall]`")
    return tuple(dict.fromkeys(listed))


def _flag(value: Any, at: str) -> bool:
    if not isinstance(value, bool):
        raise _fault(at, f"`{value}` is neither true nor false", "write true or false")
    return value


def _cap(value: Any, at: str) -> tuple[int, int]:
    found = _CAP.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _fault(at, f"`{value}` is no cap", "write `20 per 1h`")
    return int(found[1]), _length(found[2], at)


def _wait(value: Any, at: str) -> int:
    """A length that may be none."""
    return 0 if str(value) in {"0", "0s"} else _length(value, at)


def _length(value: Any, at: str) -> int:
    try:
        found = duration.parse(value)
    except ConfigError as error:
        raise _fault(at, error.message, error.remedy) from None
    if found > 366 * moment.DAY:
        raise _fault(at, f"`{value}` is longer than a year", "write a shorter time")
    return found


def _clock(value: Any, at: str) -> int:
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found else -1
    if not 0 <= minutes <= 24 * 60:
        raise _fault(at, f"`{value}` is no time of day", 'write "22:00", up to "24:00"')
    return minutes


def _read(document: Mapping[str, Any], field: str, at: str, read: Callable[[Any, str], T], default: T) -> T:
    value = document.get(field)
    return default if value is None else read(value, f"{at}.{field}" if at else field)


def _only(document: Mapping[str, Any], fields: Collection[str], at: str) -> None:
    for name in document:
        if name not in fields:
            raise _fault(
                f"{at}.{name}" if at else str(name), "there is no such field", f"write one of {', '.join(sorted(set(fields) - {'policy'}))}"
            )


def _fault(at: str, problem: str, remedy: str) -> ConfigError:
    return ConfigError(f"`{at}`: {problem}", remedy=remedy)


def _text(length: int) -> str:
    return duration.text(length) if length else "0s"


def _minutes(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
