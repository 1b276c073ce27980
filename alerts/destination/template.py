"""Templates of destinations: the sentence of a notice in a person's own words, in a sandbox.

A template is written by whoever may define destinations, and rendered in the process that delivers. So it may only choose, loop once over a short list and print: no calls, no
imports, no products or names of texts, which could double again and again, and only filters that cannot make much of little. Nothing that it prints is gathered beyond the limit.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerts.destination.notice import Notice, cut, notice
from core.episode import Delivery
from core.error import ConfigError

FIELD = "template"
_LONGEST, _MOST = 4_000, 2_000  # characters of a template, and of what it makes
_PLACES = 9  # of a rounded number
_FILTERS = ("capitalize", "default", "first", "last", "length", "lower", "round", "title", "trim", "truncate", "upper")
_LISTS = ("facts", "labels", "lines", "links")  # what a loop may go over: a text may be long, and sums of texts longer
_NOT = (
    nodes.Call,
    nodes.Macro,
    nodes.CallBlock,
    nodes.FilterBlock,  # it gathers what it holds, however much that is
    nodes.Import,
    nodes.FromImport,
    nodes.Include,
    nodes.Extends,
    nodes.Mul,
    nodes.Pow,
    nodes.Mod,
    nodes.Assign,
    nodes.AssignBlock,
    nodes.With,
)
_LOG = logging.getLogger(__name__)
_SAMPLE = Notice(
    key="ep_1",
    type="episode.fired",
    timestamp="2026-07-02T00:00:03Z",
    title="Critical: taxi-fare, fare-drift, trip_distance",
    sentence="Population stability index of trip_distance is 0.31; critical from 0.25.",
    model="taxi-fare",
    severity="ticket",
    level="critical",
    ended=False,
    since="2026-07-01T00:00:00Z",
    facts=(("Value", "0.31"),),
    links=(("Open in Watchkeeper", "http://127.0.0.1:8650/ui/alerts/ep_1"),),
    labels=(("monitor", "fare-drift"),),
)


def _round(number: object, places: object = 0) -> float:
    """The number with 0 to 9 decimal places. The filter of the library calculates 10 to the power of any number of places."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError("`round` takes a number")
    if isinstance(places, bool) or not isinstance(places, int) or not 0 <= places <= _PLACES:
        raise ValueError(f"`round` takes 0 to {_PLACES} decimal places")
    return round(float(number), places)


class _Sandbox(ImmutableSandboxedEnvironment):
    """An environment with few filters and no globals."""

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False)
        self.filters = {name: self.filters[name] for name in _FILTERS} | {"round": _round}
        self.globals.clear()


_SANDBOX = _Sandbox()


def template(document: Mapping[str, Any]) -> dict[str, str]:
    """`template`, if there is one, after it was tried on an example. ConfigError says what is wrong with it."""
    text = document.get(FIELD)
    if text is None:
        return {}
    remedy = "write a text such as `{{ title }} since {{ since }}`, or leave it out"
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise ConfigError(f"`template` is no text of 1 to {_LONGEST} characters", remedy=remedy)
    try:
        preview(text)
    except ValueError as error:
        raise ConfigError(f"`template`: {error}", remedy=remedy) from None
    return {FIELD: text}


def preview(text: str) -> str:
    """What a template makes of an example. Raises ValueError, which says what is wrong."""
    return _rendered(text, _SAMPLE)


def told(given: Mapping[str, str], delivery: Delivery) -> Notice:
    """The notice of a notification, its sentence by the destination's template. The built-in sentence stays if there is none, or it fails."""
    said = notice(delivery)
    if FIELD not in given:
        return said
    try:
        return msgspec.structs.replace(said, sentence=_rendered(given[FIELD], said))
    except ValueError as error:
        _LOG.warning("the template of %s failed, and the built-in text was sent: %s", delivery.destination, error)
        return said


def _rendered(text: str, said: Notice) -> str:
    fields = {name: getattr(said, name) for name in said.__struct_fields__}
    fields |= {"facts": dict(said.facts), "links": dict(said.links), "labels": dict(said.labels)}
    try:
        _check(_SANDBOX.parse(text))
        made = _beginning(_SANDBOX.from_string(text).generate(fields)).strip()
    except (SyntaxError, MemoryError, RecursionError):  # of the Python code that a template is made into
        raise ValueError("it is nested too deeply") from None
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise ValueError(str(error) or type(error).__name__) from None
    if not made:
        raise ValueError("it makes an empty text")
    return cut(made, _MOST)


def _beginning(pieces: Iterator[str]) -> str:
    """What the pieces make together, no further than is used."""
    made = ""
    for piece in pieces:
        made = (made + piece).lstrip()
        if len(made) > _MOST:
            break
    return made


def _check(tree: nodes.Template) -> None:
    """Raise ValueError for what a template may not do."""
    for node in tree.find_all(_NOT):
        raise ValueError(f"line {node.lineno}: {type(node).__name__} is not allowed")
    for loop in tree.find_all(nodes.For):
        if not isinstance(loop.iter, nodes.Name) or loop.iter.name not in _LISTS or loop.recursive:
            raise ValueError(f"line {loop.lineno}: a loop goes over one of {', '.join(_LISTS)}")
        if any(inner is not loop for inner in loop.find_all(nodes.For)):
            raise ValueError("a loop in a loop is not allowed")
    for given in tree.find_all(nodes.Filter):
        if given.name not in _FILTERS:
            raise ValueError(f"line {given.lineno}: there is no filter {given.name!r}; there are {', '.join(_FILTERS)}")
