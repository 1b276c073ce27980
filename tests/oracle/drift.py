"""PSI, the Jensen-Shannon and the Hellinger distance of two vectors of counts (docs/measures.md), one at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence


def psi(target: Sequence[int], baseline: Sequence[int], groups: Sequence[int]) -> float | None:
    """The population stability index; None where a side is empty."""
    n, m = sum(target), sum(baseline)
    if n == 0 or m == 0:
        return None
    return psi_of(grouped(target, baseline, groups), n, m)


def grouped(target: Sequence[int], baseline: Sequence[int], groups: Sequence[int]) -> list[tuple[int, int]]:
    """The counts of both sides by group of bins, the small ones merged."""
    c, r = [0] * (max(groups) + 1), [0] * (max(groups) + 1)
    for group, in_target, in_baseline in zip(groups, target, baseline, strict=True):
        c[group] += in_target
        r[group] += in_baseline
    return merged(list(zip(c, r, strict=True)), sum(target), sum(baseline))


def psi_of(pairs: Sequence[tuple[int, int]], n: int, m: int) -> float:
    """The population stability index of merged counts, of n and m rows."""
    size = len(pairs)
    total = 0.0
    for in_target, in_baseline in pairs:
        p, q = (in_target + 0.5) / (n + 0.5 * size), (in_baseline + 0.5) / (m + 0.5 * size)
        total += (p - q) * math.log(p / q)
    return total


def merged(pairs: list[tuple[int, int]], n: int, m: int) -> list[tuple[int, int]]:
    """The bins that are left when all small ones are one pool, and a pool that is still small joins the smallest other bin."""
    fewer, all_rows = min(n, m), n + m
    small = [fewer * (c + r) < all_rows for c, r in pairs]
    left = [pair for pair, is_small in zip(pairs, small, strict=True) if not is_small]
    lost = [pair for pair, is_small in zip(pairs, small, strict=True) if is_small]
    pool = (sum(c for c, _ in lost), sum(r for _, r in lost))
    if fewer * sum(pool) >= all_rows:
        return [*left, pool]
    if left:
        smallest = min(range(len(left)), key=lambda place: sum(left[place]))  # the first of equals
        left[smallest] = (left[smallest][0] + pool[0], left[smallest][1] + pool[1])
        return left
    return [pool]


def js(target: Sequence[int], baseline: Sequence[int]) -> float | None:
    """The Jensen-Shannon distance in base 2; None where a side is empty."""
    n, m = sum(target), sum(baseline)
    if n == 0 or m == 0:
        return None
    total = 0.0
    for in_target, in_baseline in zip(target, baseline, strict=True):
        p, q = in_target / n, in_baseline / m
        middle = (p + q) / 2
        total += (p * math.log2(p / middle) if p else 0.0) + (q * math.log2(q / middle) if q else 0.0)
    return math.sqrt(max(total / 2, 0.0))


def hellinger(target: Sequence[int], baseline: Sequence[int]) -> float | None:
    """The Hellinger distance; None where a side is empty."""
    n, m = sum(target), sum(baseline)
    if n == 0 or m == 0:
        return None
    return math.sqrt(sum((math.sqrt(c / n) - math.sqrt(r / m)) ** 2 for c, r in zip(target, baseline, strict=True)) / 2)
