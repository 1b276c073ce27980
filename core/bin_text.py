"""Names of bins, slices and segments as people read them.

The name of a bin of numbers, such as `[12,48.02000000000001)`, holds its edges to the last digit, because events are asked for by it. The least number above 48.02 is such an edge, and so is
the middle between two float32. People read `[12,48.02]`: an edge has six digits, and a bracket that says whether the bin holds the number that is written.
"""

from __future__ import annotations

import math
import re
import sys
from functools import lru_cache

from core import number
from core.text import unquote

_DIGITS = 6  # of an edge; more only where the two ends would be the same
_LONG = 9  # a number of the name with more digits than these is an edge, and no value that somebody has sent
_TINY = sys.float_info.min  # below it is the least number above 0
_INTERVAL = re.compile(r"\[([^,\[\]()]+),([^,\[\]()]+)\)")
_NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")


def written(name: str) -> str:
    """The name of a bin with short edges.

    >>> written("[12,48.02000000000001)"), written("[48.02000000000001,50)"), written("0.10000000149011612"), written("EV")
    ('[12,48.02]', '(48.02,50)', '0.1', 'EV')
    >>> written("[-inf,5e-324)"), written("[5e-324,1)")
    ('[-inf,0]', '(0,1)')
    """
    ends = _ends(name)
    if ends is None:
        return _value(name)
    low, high, above, closed = ends
    return f"{'(' if above else '['}{low},{high}{']' if closed else ')'}"


def words(name: str) -> str:
    """The name of a bin in words.

    >>> words("[12,48.02000000000001)"), words("[48.02000000000001,50)"), words("[-inf,3)"), words("[3,inf)"), words("EV")
    ('12 to 48.02', 'above 48.02 to below 50', 'below 3', '3 or more', 'EV')
    """
    ends = _ends(name)
    if ends is None:
        return _value(name)
    low, high, above, closed = ends
    upper = f"{high} or less" if low == "-inf" and closed else high if closed else f"below {high}"
    if low == "-inf":
        return "any value" if high == "inf" else upper
    lower = f"above {low}" if above else low
    return f"{lower} to {upper}" if high != "inf" else lower if above else f"{lower} or more"


def of_slice(name: str) -> str:
    """The name of a slice or a segment: its values as they were sent, and intervals with short edges.

    >>> of_slice("carrier=EV,temp=[12%2C48.02000000000001)"), of_slice("origin=a%3Db"), of_slice("all")
    ('carrier=EV,temp=[12,48.02]', 'origin=a=b', 'all')
    """
    return ",".join(
        f"{column}{equals}{written(unquote(value))}" for column, equals, value in (part.rpartition("=") for part in name.split(","))
    )


@lru_cache(4_096)
def _ends(name: str) -> tuple[str, str, bool, bool] | None:
    """The two edges of an interval as texts, whether the lower one is just above what is written, and whether the upper one is; None for other names."""
    found = _INTERVAL.fullmatch(name)
    if found is None:
        return None
    try:
        low, high = (float(end) for end in found.groups())
    except ValueError:
        return None
    digits = next((many for many in range(_DIGITS, 18) if _near(low, many) < _near(high, many)), 17)
    return _text(low, digits), _text(high, digits), low > _near(low, digits), high > _near(high, digits)


def _near(value: float, digits: int) -> float:
    return 0.0 if abs(value) < _TINY else float(f"{value:.{digits}g}")


def _text(value: float, digits: int) -> str:
    return number.exact(_near(value, digits)) if math.isfinite(value) else str(value)


def _value(name: str) -> str:
    """A number with many digits in few; other texts as they are."""
    long = _NUMBER.fullmatch(name) and sum(one.isdigit() for one in name.lower().partition("e")[0]) > _LONG
    return _text(float(name), _DIGITS) if long else name
