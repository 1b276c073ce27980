"""Numbers as texts for people. A number has the same text on pages, in sentences and in notifications."""

from __future__ import annotations

import math
from decimal import Decimal

_LARGEST = 1e15  # from here on digits are powers of ten


def rounded(value: float) -> str:
    """Three significant digits, thousands separated, never in powers of ten where it can be written out.

    >>> rounded(0.31234), rounded(12345.6), rounded(2.0), rounded(9.65e-05)
    ('0.312', '12,346', '2', '0.0000965')
    """
    short = float(f"{value:.3g}")
    return f"{value:,.0f}" if 1_000 <= abs(short) < _LARGEST else exact(short)


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


def reached(threshold: float | dict[str, float]) -> str:
    """A threshold in words. A value that equals the threshold reaches it.

    >>> reached(0.25), reached({"above": 12.0}), reached({"below": 0.8})
    ('from 0.25', 'from 12', 'at 0.8 or below')
    """
    if not isinstance(threshold, dict):
        return f"from {exact(threshold)}"
    side, value = next(iter(threshold.items()))
    return f"at {exact(value)} or below" if side == "below" else f"from {exact(value)}"
