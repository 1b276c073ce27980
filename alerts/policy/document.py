"""Policies and silences as people write them. ConfigError says what is wrong, at which place of the definition, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from alerts import field
from core import duration
from core.episode import Level
from core.error import ConfigError
from core.monitor import Severity
from core.policy import GROUPED, MATCHED, Inhibit, Match, Mute, Policy, Route

DAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIELDS = ("policy", "group_by", "group_wait", "group_interval", "repeat_interval", "cap", "to", "routes", "inhibit", "mute")
_ROUTE = ("match", "to", "continue", "escalate_after", "escalate_to", "routes")
_CLOCK = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])", re.ASCII)
_WORDS = {"severity": tuple(Severity), "level": tuple(Level)}
_DEEPEST = 10  # levels of routes


def policy_from(document: Mapping[str, Any]) -> Policy:
    """The policy that a document defines."""
    name = str(document.get("policy"))
    try:
        field.only(document, _FIELDS, "", "policy")
        return Policy(
            name=name,
            group_by=field.read(document, "group_by", "", lambda value, at: field.of(value, at, GROUPED), ("model",)),
            group_wait=field.read(document, "group_wait", "", field.pause, Policy(name="").group_wait),
            group_interval=field.read(document, "group_interval", "", field.length, Policy(name="").group_interval),
            repeat_interval=field.read(document, "repeat_interval", "", field.length, Policy(name="").repeat_interval),
            cap=field.read(document, "cap", "", field.rate, None),
            to=field.read(document, "to", "", field.names, ()),
            routes=field.read(document, "routes", "", _routes, ()),
            inhibit=field.read(document, "inhibit", "", lambda value, at: field.each(value, at, _inhibit), ()),
            mute=field.read(document, "mute", "", lambda value, at: field.each(value, at, _mute), ()),
        )
    except ConfigError as error:
        raise ConfigError(f"policy `{name}`, {error.message}", remedy=error.remedy) from None


def destinations_of(policy: Policy) -> dict[str, str]:
    """The destinations that a policy names, with the first place of each."""
    found = dict.fromkeys(reversed(policy.to), "`to`")

    def walk(routes: Sequence[Route], above: str) -> None:
        for place, route in enumerate(routes):
            at = f"{above}[{place}]"
            for key, names in (("to", route.to), ("escalate_to", route.escalate_to)):
                for name in names:
                    found.setdefault(name, f"`{at}.{key}`")
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
        raise field.fault(at, f"`{value}` is no match", "write for example {severity: page}")
    field.only(value, MATCHED, at)
    return {name: field.of(field.given(one, f"{at}.{name}"), f"{at}.{name}", _WORDS.get(name)) for name, one in value.items()}


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
    return {name: values[0] if len(values) == 1 else list(values) for name, values in match.items()}


def _routes(value: Any, at: str, depth: int = 0) -> tuple[Route, ...]:
    if depth >= _DEEPEST:
        raise field.fault(at, f"routes are more than {_DEEPEST} levels deep", "write fewer")
    return field.each(value, at, lambda one, place: _route(one, place, depth))


def _route(value: Mapping[str, Any], at: str, depth: int) -> Route:
    field.only(value, _ROUTE, at)
    route = Route(
        match=match_from(field.given(value.get("match", {}), f"{at}.match"), f"{at}.match"),
        to=field.read(value, "to", at, field.names, ()),
        goes_on=field.read(value, "continue", at, field.flag, False),
        escalate_after=field.read(value, "escalate_after", at, field.length, None),
        escalate_to=field.read(value, "escalate_to", at, field.names, ()),
        routes=field.read(value, "routes", at, lambda one, place: _routes(one, place, depth + 1), ()),
    )
    if (route.escalate_after is None) != (not route.escalate_to):
        raise field.fault(at, "one of `escalate_after` and `escalate_to` is missing", "write both, or none")
    if not (route.to or route.routes):
        raise field.fault(at, "the route goes nowhere", "write `to: [destination]`, or `routes` below it")
    return route


def _inhibit(value: Mapping[str, Any], at: str) -> Inhibit:
    field.only(value, ("source", "target", "equal"), at)
    for name in ("source", "target"):
        if not value.get(name):
            raise field.fault(at, f"`{name}` is missing", "write for example {family: quality}")
    return Inhibit(
        source=match_from(value["source"], f"{at}.source"),
        target=match_from(value["target"], f"{at}.target"),
        equal=field.of(field.given(value["equal"], f"{at}.equal"), f"{at}.equal", MATCHED) if "equal" in value else (),
    )


def _mute(value: Mapping[str, Any], at: str) -> Mute:
    field.only(value, ("match", "days", "from", "to", "timezone"), at)
    mute = Mute(
        match=match_from(field.given(value.get("match", {}), f"{at}.match"), f"{at}.match"),
        days=tuple(sorted(DAYS.index(day) for day in field.read(value, "days", at, lambda one, place: field.of(one, place, DAYS), DAYS))),
        start=field.read(value, "from", at, _clock, 0),
        end=field.read(value, "to", at, _clock, 24 * 60),
        timezone=field.read(value, "timezone", at, field.zone, "UTC"),
    )
    if mute.start in {mute.end, 24 * 60}:
        raise field.fault(at, "the hours are empty", 'write `from: "22:00"` and `to: "06:00"`, or leave both out for whole days')
    return mute


def _clock(value: Any, at: str) -> int:
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found else -1
    if not 0 <= minutes <= 24 * 60:
        raise field.fault(at, f"`{value}` is no time of day", 'write "22:00", up to "24:00"')
    return minutes


def _text(length: int) -> str:
    return duration.text(length) if length else "0s"


def _minutes(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
