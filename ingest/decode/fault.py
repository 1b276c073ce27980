"""Faults of rows and cells, with texts that can be shown, stored and sent."""

from __future__ import annotations

import math
from typing import NamedTuple

LONGEST_REASON = 300  # characters
LARGEST_NUMBER = 10**308  # of whole numbers

HALF = "a string with half a character (a lone surrogate)"


class Fault(NamedTuple):
    """A fault of a row (counted from 0 in its request): the field, the reason, and the model where it is known."""

    row: int
    field: str
    reason: str
    model: str = ""


def fault(row: int, field: str, reason: str, model: str = "") -> Fault:
    """A fault whose texts are short and encode as UTF-8."""
    return Fault(row, plain(field), plain(reason), plain(model))


def plain(text: str) -> str:
    """The text, cut to `LONGEST_REASON` characters, lone surrogates replaced by `?`."""
    text = text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 3] + "..."
    return text if text.isascii() else text.encode(errors="replace").decode()


def kind_of(value: object) -> str:
    """What a JSON value is, for people.

    >>> kind_of("a"), kind_of(None), kind_of([])
    ('a string', 'null', 'an array')
    """
    if isinstance(value, float | int) and not isinstance(value, bool):
        return "a number" if finite(value) else "NaN, infinity or a number out of range"
    names = {str: "a string", bool: "a boolean", dict: "an object", list: "an array", type(None): "null"}
    return names.get(type(value), "something else")


def why_no_string(value: object) -> str:
    """Why a JSON value is no id.

    >>> why_no_string(7.0)
    'a number where a string is expected; write it in quotes, such as "7", in pandas by `.astype("Int64").astype("string")`: 7.0 would not find "7"'
    """
    reason = f"{kind_of(value)} where a string is expected"
    if isinstance(value, bool) or not isinstance(value, int | float) or not finite(value):
        return reason
    if isinstance(value, int) or not value.is_integer():
        return f'{reason}; write it in quotes, such as "{value}"'
    whole = f'{reason}; write it in quotes, such as "{value:.0f}"'
    return f'{whole}, in pandas by `.astype("Int64").astype("string")`: {value} would not find "{value:.0f}"'


def finite(value: float) -> bool:
    """Whether a number of any size is a finite float."""
    return abs(value) < LARGEST_NUMBER if isinstance(value, int) else math.isfinite(value)


def encodes(text: str) -> bool:
    """Whether a string is Unicode: lone surrogates are not."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
