"""Runs a property again and again, each time from another seed, until its time is over.

`WATCHKEEPER_FUZZ_SECONDS` (2) is how long each test hammers; `WATCHKEEPER_FUZZ_SEED` the first seed, which is printed: the same seed makes the same
input.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import hypothesis

SECONDS = float(os.environ.get("WATCHKEEPER_FUZZ_SECONDS", "2"))
SEED = int(os.environ.get("WATCHKEEPER_FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
_PROGRESS = 30.0  # seconds between two lines

everything = hypothesis.settings(
    max_examples=50 if SECONDS > 10 else 20,
    database=None,
    deadline=None,
    derandomize=False,
    suppress_health_check=list(hypothesis.HealthCheck),
    print_blob=True,
)


def hammer(*checks: Callable[..., object], seconds: float = SECONDS, **given: Any) -> None:
    """Run Hypothesis tests in turn for so many seconds, at least once each; `given` are their other arguments. A failure names its seed."""
    began, told, runs = time.monotonic(), time.monotonic(), 0
    while runs < len(checks) or time.monotonic() - began < seconds:
        check, seed = checks[runs % len(checks)], SEED + runs
        try:
            hypothesis.seed(seed)(check)(**given)
        except BaseException as error:
            error.add_note(f"again with WATCHKEEPER_FUZZ_SEED={SEED}, in run {runs} of {check.__name__} (seed {seed})")
            raise
        runs += 1
        if time.monotonic() - told > _PROGRESS:
            told = time.monotonic()
            print(f"{runs} runs of {len(checks)} properties in {told - began:.0f} of {seconds:.0f} s, from seed {SEED}", file=sys.stderr)  # noqa: T201
