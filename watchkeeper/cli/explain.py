"""`watchkeeper explain`: attributions of a model that sends none, computed beside it and sent back as events."""

from __future__ import annotations

import sys
from datetime import datetime
from itertools import islice
from typing import Annotated

import numpy as np
import typer

from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.backtest import utc
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson
from watchkeeper.explanation import attributions, explained, labels, load, sample

_READ = 200_000  # events, the newest, of which the sample is drawn
_SIGNAL = "@attribution:"


def explain(  # long: every option of the command
    model: Annotated[str, typer.Argument(help="The model.")],
    function: Annotated[
        str, typer.Option("--with", help="`package:function`, which takes a list of rows, as dicts, and returns a number for each.")
    ],
    start: Annotated[datetime | None, typer.Option("--from", help="Events of then or later, UTC.")] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="Events before.")] = None,
    rows: Annotated[int, typer.Option(min=2, max=100_000, help="Events that are explained.")] = 1_000,
    repeats: Annotated[int, typer.Option(min=1, max=1_000, help="Permutations of each feature.")] = 5,
    version: Annotated[str, typer.Option(help="Version and role of the events that carry the attributions.")] = "explained",
    url: Url = None,
    json: AsJson = False,
) -> None:
    """Explain a sample of a model's events by permutations of their features, with a function that runs here, and send the attributions back.

    They come as events of a version of their own, with the labels that are known, so that a monitor with `version: explained` takes them alone. Of the same events the same sample is drawn, so doing it twice changes nothing.

    Example: `watchkeeper explain fraud --with scoring.model:score --from 2026-07-01`
    """
    sys.path.insert(0, "")
    predict = load(function)
    with connect(url) as client:
        held = sample(islice(client.events(model, start=utc(start), end=utc(end), order="newest", limit=10_000), _READ), rows)
        if len(held) < 2:
            raise ConfigError(f"`{model}` has fewer than two events there", remedy="ask for a longer time")
        known = [
            name.removeprefix(_SIGNAL)
            for name in (one["name"] for one in client.contract(model).get("signals", ()))
            if name.startswith(_SIGNAL)
        ]
        features = list(held[0]["features"])
        found = attributions(predict, [one["features"] for one in held], repeats)
        sent = client.predictions(explained(held, found, features, version))
        client.labels(labels(held))
    if not {*features} & {*known}:
        terminal.warn(
            f"the contract has no signals `{_SIGNAL}`: the events are kept, and no monitor sees their attributions (docs/signals.md)"
        )
    size = np.abs(found).mean(axis=0)
    order = np.argsort(-size, kind="stable").tolist()
    if json:
        told = [{"feature": features[place], "importance": float(size[place])} for place in order]
        terminal.as_json({"model": model, "rows": len(held), "accepted": sent.accepted, "features": told})
        return
    terminal.table(("feature", "mean |attribution|"), [[features[place], f"{size[place]:.4g}"] for place in order])
    terminal.say(f"{sent.accepted} events with attributions were sent, as version {version} of {model}")
