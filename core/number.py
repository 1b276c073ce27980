"""Numbers as texts for people. A number has the same text on pages, in sentences and in notifications."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_LARGEST = 1e15  # from here on digits are powers of ten


def rounded(value: float) -> str:
    """Three significant digits, thousands separated, never in powers of ten where it can be written out.

    >>> rounded(0.31234), rounded(12345.6), rounded(2.0), rounded(9.65e-05)
    ('0.312', '12,346', '2', '0.0000965')
    """
    short = float(f"{value:.3g}")
    return f"{value:,.0f}" if 1_000 <= abs(short) < _LARGEST else exact(short)


@lru_cache(4_096)
def exact(value: float) -> str:
    """All digits of a number, as a threshold is written.

    >>> exact(0.25), exact(12000.0), exact(1e-05), exact(1e300)
    ('0.25', '12000', '0.00001', '10^300')
    """
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    if 1e-9 <= abs(value) < _LARGEST:
        plain = f"{Decimal(repr(value)):f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    digits, power = f"{Decimal(repr(value)):e}".split("e")
    head = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"10^{int(power)}" if head == "1" else f"{head} x 10^{int(power)}"


def chance(p: float) -> str:
    """A p-value; a small one only by how small it is.

    >>> chance(0.0312), chance(3e-36)
    ('0.031', 'below 0.0001')
    """
    return "below 0.0001" if p < 1e-4 else exact(float(f"{p:.2g}"))


def reached(threshold: float | dict[str, float], unit: str = "") -> str:
    """A threshold in words. A value that equals the threshold reaches it.

    >>> reached(0.25), reached({"above": 12.0}), reached({"below": 0.8}), reached(7200, "s")
    ('from 0.25', 'from 12', 'at 0.8 or below', 'from 2 h')
    """
    side, value = next(iter(threshold.items())) if isinstance(threshold, dict) else ("above", threshold)
    said = of_unit(value, unit, exact)
    return f"at {said} or below" if side == "below" else f"from {said}"


def duration(seconds: float) -> str:
    """A duration with its largest unit, to three digits.

    >>> duration(172800.0), duration(5400.0), duration(0.25)
    ('2 d', '1.5 h', '0.25 s')
    """
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(seconds) >= size), (1, "s"))
    return f"{rounded(seconds / size)} {unit}"


def of_unit(value: float, unit: str, write: Callable[[float], str] = rounded) -> str:
    """A value of a measure with this unit; seconds as a duration."""
    return duration(value) if unit == "s" else write(value)
