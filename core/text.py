"""The text of a value: how classes, categories and segment values are written and compared.

Whole numbers have no decimals, booleans are `true` and `false`, a missing value is `null`, one of a wrong type is
`invalid`. `%`, `,` and `=` are percent-encoded, and so is the first letter of a value that is literally `other`, `null`
or `invalid`, so that these three words never stand for such a value.
"""

from __future__ import annotations

import math
import re

NULL = "null"
INVALID = "invalid"
OTHER = "other"

LONGEST = 4096  # bytes of UTF-8; a longer string is invalid

_RESERVED = {NULL: "%6Eull", INVALID: "%69nvalid", OTHER: "%6Fther"}
_ENCODE = str.maketrans({"%": "%25", ",": "%2C", "=": "%3D"})
_ENCODED = re.compile("%([0-9A-Fa-f]{2})")


def quote(value: str) -> str:
    """The text of a string value.

    >>> quote("a=b"), quote("null"), quote("UA")
    ('a%3Db', '%6Eull', 'UA')
    """
    return _RESERVED.get(value) or value.translate(_ENCODE)


def unquote(text: str) -> str:
    """The string that `quote` was given; the three bare words stay as they are."""
    return _ENCODED.sub(lambda match: chr(int(match.group(1), 16)), text)


def of(value: object) -> str:
    """The text of a JSON value; `invalid` for what is no string, number, boolean or null.

    >>> of(5.0), of(2.5), of(True), of(None), of([1])
    ('5', '2.5', 'true', 'null', 'invalid')
    """
    if isinstance(value, str):
        return quote(value) if len(value) * 4 <= LONGEST or len(value.encode()) <= LONGEST else INVALID
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -(2**63) <= value < 2**64 else repr(float(value)) if abs(value) < 10**300 else INVALID
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 2**63 else repr(value)
    return INVALID


def class_of(value: object, *, binary: bool) -> str:
    """The text of a class as it came; in a binary model `true` is `1` and `false` is `0`. `core.classes` finds the class that it means."""
    text = of(value)
    return {"true": "1", "false": "0"}.get(text, text) if binary else text
