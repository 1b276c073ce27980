"""`watchkeeper realign`: after a restore, read the log on from where the facts end."""

from __future__ import annotations

from contextlib import closing

import typer

from core.document_name import OWNER
from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.up import ConfigFile
from watchkeeper.settings import settings as source


def realign(config: ConfigFile = None) -> None:
    """Let ingest go on from where the facts end, and every owner start from the beginning. Use it after a restore, while the cluster is stopped.

    Example: `watchkeeper realign --config production.yaml`
    """
    settings = source.load(config)
    if settings.kafka.bootstrap is None:
        raise ConfigError("kafka.bootstrap is not set: an embedded store is restored with its log", remedy="docs/operations.md says how")
    from core.clock import SystemClock
    from ingest.kafka.realign import realign as move
    from storage.facts.diagnosis import reached
    from watchkeeper.brokers import connection
    from watchkeeper.stores import Stores

    with closing(Stores(settings, SystemClock())) as stores:
        stores.migrate()
        offsets = move(connection(settings), reached(stores.engine))
        owners = list(stores.control.cursors(OWNER))
        for owner in owners:
            stores.control.save_cursor(owner, {})
    terminal.table(("topic", "partition", "read on from"), [(topic, part, at) for (topic, part), at in sorted(offsets.items())])
    typer.echo(f"{len(owners)} owners start from the beginning")
