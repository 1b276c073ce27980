"""`watchkeeper replay`: send a file's predictions and labels as if they happened now."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.clock import SystemClock
from core.contract import Contract
from core.error import ConfigError
from watchkeeper import document
from watchkeeper.cli import terminal
from watchkeeper.cli.connection import Url, connect
from watchkeeper.client import Client, Sent

if TYPE_CHECKING:
    from ingest.kafka.connection import Connection
    from watchkeeper.replay.produce import Brokers
    from watchkeeper.replay.send import Receipt, Target

_SPEED = re.compile(r"max|([0-9]+(?:\.[0-9]+)?)x", re.ASCII)
_SHOWN = 5


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The events, a Parquet file.")],
    model: Annotated[str, typer.Option(help="Their model, which must have a reference.")],
    version: Annotated[str, typer.Option(help="The model's version.")] = "1",
    url: Url = None,
    to: Annotated[Literal["http", "kafka"], typer.Option(help="Where to send them: http or kafka.")] = "http",
    bootstrap: Annotated[
        str | None, typer.Option(help="Kafka's HOST:PORT, for `--to kafka`. [default: the setting kafka.bootstrap]")
    ] = None,
    label_ts: Annotated[str | None, typer.Option(help="Column of the labels' times. [default: the contract's]")] = None,
    shift: Annotated[
        Literal["none", "now"], typer.Option(help="`now`: move all times by whole weeks, so that the last is not in the future.")
    ] = "none",
    speed: Annotated[str, typer.Option(help="`max`, or a multiple of real time: 60x")] = "max",
    wait: Annotated[bool, typer.Option("--wait", help="Return when the server is quiet: everything read, joined and evaluated.")] = False,
) -> None:
    """Send, in time order, a prediction at `ts` and its label at `label_ts` for each row. Sending a file again is harmless.
    How the file's columns differ from the model's is printed first.

    Example: `watchkeeper replay year.parquet --model taxi-fare --shift now --wait`
    """
    pace = _pace(speed)
    brokers = _brokers(bootstrap) if to == "kafka" else None
    if bootstrap is not None and brokers is None:
        raise ConfigError("--bootstrap says where Kafka is, and events go over HTTP", remedy="add `--to kafka`, or leave --bootstrap out")
    from watchkeeper.replay.recording import Recording
    from watchkeeper.replay.send import send

    with connect(url, patience=60.0) as client, ExitStack() as opened:
        contract = _contract(client, model)
        recording = Recording(file, contract, version=version, label_ts=label_ts)
        for note in recording.notes:
            terminal.warn(f"{file.name}: {note}")
        target: Target = client if brokers is None else opened.enter_context(_producer(brokers, contract))
        weeks = recording.weeks_until(SystemClock().now()) if shift == "now" else 0
        begun = time.monotonic()
        with terminal.progress() as progress:
            task = progress.add_task(f"{model}: sending", total=recording.events)
            receipt = send(target, recording, shift=weeks, speed=pace, advance=lambda events: progress.advance(task, events))
        _report(model, receipt, time.monotonic() - begun)
        if wait:
            begun = time.monotonic()
            client.wait(timeout=24 * 3600)
            terminal.out.print(f"{model}: quiet after {time.monotonic() - begun:.1f} s")
    if receipt.rejected and not receipt.accepted:
        raise typer.Exit(1)


def _brokers(bootstrap: str | None) -> Connection:
    from watchkeeper.replay.produce import connection

    return connection(bootstrap)


def _producer(brokers: Connection, contract: Contract) -> Brokers:
    from watchkeeper.replay.produce import Brokers

    return Brokers(brokers, contract, SystemClock())


def _pace(speed: str) -> float | None:
    match = _SPEED.fullmatch(speed)
    if match is None or (match[1] and float(match[1]) == 0):
        raise ConfigError(f"--speed {speed!r} is no speed", remedy="write `max`, or a multiple of real time such as `60x`")
    return float(match[1]) if match[1] else None


def _contract(client: Client, model: str) -> Contract:
    return document.read(client.contract(model))


def _report(model: str, receipt: Receipt, seconds: float) -> None:
    predictions, labels = receipt.predictions, receipt.labels
    rate = (receipt.accepted + receipt.rejected) / max(seconds, 1e-3)
    counts = f"{predictions.accepted:,} predictions and {labels.accepted:,} labels accepted, {receipt.rejected:,} rejected"
    terminal.out.print(f"{model}: {counts}, in {seconds:.1f} s ({rate:,.0f} events/s)")
    for kind, sent in (("prediction", predictions), ("label", labels)):
        _reasons(kind, sent)


def _reasons(kind: str, sent: Sent) -> None:
    for fault in (sent.errors + sent.cells)[:_SHOWN]:
        terminal.warn(f"{kind} {fault['row']}, {fault.get('field')}: {fault.get('reason')}")
