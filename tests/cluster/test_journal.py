"""The log of a process, for people and for programs."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

from watchkeeper.telemetry.journal import JsonFormatter, RateLimitFilter, TextFormatter


def _record(message: str, *, at: float = 0.0, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("a.b", logging.WARNING, "", 0, message, (), None)
    record.created = at
    record.__dict__.update(fields)
    return record


def test_a_line_for_people_ends_with_what_it_is_about() -> None:
    """Key and value, where there are some."""
    assert (
        TextFormatter()
        .format(_record("written", token="log:labels:0:1:2:1", rows=7))
        .endswith("WARNING a.b: written token=log:labels:0:1:2:1 rows=7")
    )
    assert TextFormatter().format(_record("written")).endswith("WARNING a.b: written")


def test_a_line_for_programs_is_one_object() -> None:
    """Whatever is in the message; a traceback is a member."""
    record = _record('two\nlines "x"', at=1.5, model="m")
    try:
        int("no")
    except ValueError:
        record.exc_info = sys.exc_info()
    line = JsonFormatter().format(record)
    told = json.loads(line)
    assert "\n" not in line
    assert told.pop("traceback").endswith("invalid literal for int() with base 10: 'no'")
    assert told == {"at": "1970-01-01T00:00:01.500000Z", "level": "warning", "logger": "a.b", "message": 'two\nlines "x"', "model": "m"}


def test_a_broker_that_is_away_is_told_of_seldom() -> None:
    """The first time and after half a minute; everything else always."""
    rate_limit = RateLimitFilter(30.0)
    told = [rate_limit.filter(_record("FAIL [x]: refused", at=at)) for at in (100.0, 100.1, 129.0, 131.0)]
    assert told == [True, False, False, True]
    assert all(rate_limit.filter(_record("assigned", at=at)) for at in (1.0, 1.1))


def test_a_process_tells_what_it_is_doing() -> None:
    """SIGQUIT: the stack of each thread is written to stderr, and the process goes on."""
    script = (
        "import os, signal; from watchkeeper.telemetry.journal import configure_logging\n"
        "def busy(): os.kill(os.getpid(), signal.SIGQUIT)\n"
        "configure_logging('info', 'text'); busy(); print('goes on')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert ("in busy" in done.stderr, done.stdout) == (True, "goes on\n")
