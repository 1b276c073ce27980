"""`watchkeeper migrate`: bring the stores to the newest schema."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.cli import terminal
from watchkeeper.cli.up import ConfigFile
from watchkeeper.settings import settings as source


def migrate(
    data: Annotated[
        Path | None, typer.Option(file_okay=False, help="The data folder. [default: watchkeeper-data]", show_default=False)
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Bring the stores to the newest schema, and create the topics if there are brokers. Every process does the same when it starts.

    Example: `watchkeeper migrate --data ./data`
    """
    settings = source.load(config, data=data)
    from core.clock import SystemClock
    from watchkeeper.stores import Stores

    with closing(Stores(settings, SystemClock())) as stores:
        stores.migrate()
    if settings.kafka.bootstrap is not None:
        from ingest.kafka import topics
        from watchkeeper.brokers import connection

        made = topics.create(connection(settings), settings.kafka.partitions, settings.kafka.replication)
        terminal.out.print(f"{settings.kafka.bootstrap}: topics {'created: ' + ', '.join(made.created) if made.created else 'there'}")
        for sentence in made.differ:
            terminal.warn(sentence)
    shown = settings.shown()
    for place in dict.fromkeys(shown[part]["url"] or shown["data"] for part in ("clickhouse", "control")):
        terminal.out.print(f"{place}: at the newest schema")
