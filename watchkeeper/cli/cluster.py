"""`watchkeeper ingest`, `evaluate`, `deliver`, `serve`: the process types of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watchkeeper.cli.up import ConfigFile
from watchkeeper.importing import importing
from watchkeeper.settings import settings as source

if TYPE_CHECKING:
    from pathlib import Path

    from watchkeeper.cluster.process import Kind

Host = Annotated[str | None, typer.Option(help="The address to listen on. [default: 127.0.0.1]", show_default=False)]
Port = Annotated[int | None, typer.Option(help="The port of health and metrics; of `serve` also of API and pages.", show_default=False)]


def ingest(config: ConfigFile = None, host: Host = None, port: Port = None) -> None:
    """Read events from Kafka, and write raw events and panes. Several may run, up to the number of partitions of a topic. Port 8651.

    Example: `watchkeeper ingest --config watchkeeper.yaml`
    """
    _run("ingest", config, host, port)


def evaluate(config: ConfigFile = None, host: Host = None, port: Port = None) -> None:
    """Join labels with predictions, evaluate monitors, fire alerts. Several may run: each model has one owner at a time. Port 8652.

    Example: `watchkeeper evaluate --config watchkeeper.yaml`
    """
    _run("evaluate", config, host, port)


def deliver(config: ConfigFile = None, host: Host = None, port: Port = None) -> None:
    """Send notifications to their destinations. Several may run, and share the notifications. Port 8653.

    Example: `watchkeeper deliver --config watchkeeper.yaml`
    """
    _run("deliver", config, host, port)


def serve(config: ConfigFile = None, host: Host = None, port: Port = None) -> None:
    """Serve the API and the pages. Several may run. Port 8650.

    Example: `watchkeeper serve --config watchkeeper.yaml --port 8650`
    """
    _run("serve", config, host, port)


def _run(kind: Kind, config: Path | None, host: str | None, port: int | None) -> None:
    with importing():
        from watchkeeper.cluster.kind import MAKE
        from watchkeeper.cluster.process import PORTS, Process

        make = MAKE[kind]()
    Process(kind, source.load(config, usual={"port": PORTS[kind]}, host=host, port=port), make).run()
