"""Diagnosis of the control database: can it be reached, is it new enough, do we have the rights that we need, is its schema the newest?"""

from __future__ import annotations

import time
from collections.abc import Iterator

from sqlalchemy import text

from core.error import Fatal, Retryable
from core.finding import Finding, clock, refused, version
from storage.control.engine import Database
from storage.control.migration import current, newest
from storage.control.right import Rights

LEAST = (14,)  # the oldest version that still gets fixes
NAME = "postgresql"


def diagnose(store: Rights) -> Iterator[Finding]:
    """The findings about a PostgreSQL server. The first says whether it answers; if not, there is no other."""
    try:
        asked = time.time_ns() // 1_000
        with store.read() as connection:
            found = str(connection.execute(text("SHOW server_version")).scalar_one())
            now = int(connection.execute(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")).scalar_one())
        answered = time.time_ns() // 1_000
        yield Finding(NAME, well=True, seen="answers")
        yield version(NAME, found.split(maxsplit=1)[0], LEAST, "older ones get no fixes any more, and are not tried")
        yield clock(NAME, asked, now, answered)
        missing = store.rights()
        yield Finding(f"{NAME} rights", not missing, "the role lacks some" if missing else "granted", "; ".join(missing))
        if not missing:
            yield _schema(store)
    except (Retryable, Fatal) as error:
        yield refused(NAME, error, "control.url")


def _schema(store: Database) -> Finding:
    with store.read() as connection:
        found = current(connection)
    return Finding(f"{NAME} schema", found == newest(), found or "none", f"run `watchkeeper migrate` (to {newest()})")
