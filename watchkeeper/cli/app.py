"""The commands by name. Errors become messages and exit codes: 0 done, 1 failed, 2 wrong use."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from core.error import ConfigError, WatchkeeperError
from watchkeeper.cli import (
    apply,
    backtest,
    cluster,
    config,
    delete,
    deliveries,
    demo,
    doctor,
    explain,
    export,
    migrate,
    noise,
    people,
    realign,
    rebuild,
    reference,
    replay,
    retrains,
    rules,
    status,
    terminal,
    up,
)
from watchkeeper.client import ClientError

app = typer.Typer(
    name="watchkeeper",
    help="Monitors deployed machine-learning models.\n\nStart with `watchkeeper demo`, or with `watchkeeper up --data ./data`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in (
    ("up", up.up),
    ("reference", reference.reference),
    ("apply", apply.apply),
    ("backtest", backtest.backtest),
    ("noise", noise.noise),
    ("explain", explain.explain),
    ("delete", delete.delete),
    ("replay", replay.replay),
    ("rebuild", rebuild.rebuild),
    ("retrain", retrains.retrain),
    ("export", export.export),
    ("status", status.status),
    ("doctor", doctor.doctor),
    ("migrate", migrate.migrate),
    ("realign", realign.realign),
    ("demo", demo.demo),
    ("ingest", cluster.ingest),
    ("evaluate", cluster.evaluate),
    ("deliver", cluster.deliver),
    ("serve", cluster.serve),
):
    app.command(name)(command)
app.add_typer(config.app, name="config")
app.add_typer(rules.app, name="rules")
app.add_typer(people.episode, name="episode")
app.add_typer(people.silence, name="silence")
app.add_typer(deliveries.deliveries, name="deliveries")
app.add_typer(deliveries.destination, name="destination")
app.add_typer(retrains.retrains, name="retrains")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in `arguments` (else in `sys.argv`) and return the exit code. Expected errors are printed, not raised."""
    terminal.forgive()
    try:
        app(args=arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except ConfigError as error:
        terminal.error(error.message, error.remedy)
        return 2
    except ClientError as error:
        terminal.error(error.message, error.remedy)
    except (WatchkeeperError, OSError) as error:  # TimeoutError is an OSError
        terminal.error(str(error))
    return 1
