"""`watchkeeper explain`: attributions of a model that sends none, computed beside it and sent back as events."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Annotated

import numpy as np
import typer

from core.error import ConfigError
from watchkeeper.cli import terminal
from watchkeeper.cli.backtest import utc
from watchkeeper.cli.connection import Url, connect
from watchkeeper.cli.terminal import AsJson
from watchkeeper.explanation import attributions, explained, labels, load, numbers, sample
from watchkeeper.shapley import installed, shapley


class Method(StrEnum):
    """How attributions are computed."""

    AUTO = "auto"
    PERMUTATION = "permutation"
    SHAP = "shap"


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
    method: Annotated[
        Method, typer.Option(help="`permutation`, or `shap`; `auto` takes shap where that library is installed.")
    ] = Method.AUTO,
    version: Annotated[str, typer.Option(help="Version and role of the events that carry the attributions.")] = "explained",
    url: Url = None,
    json: AsJson = False,
) -> None:
    """Explain a sample of a model's events by permutations of their features, or by SHAP if that is installed, with a function that runs here, and send the attributions back.

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
        by_shap = method is Method.SHAP or (method is Method.AUTO and installed())
        given = [one["features"] for one in held]
        found = shapley(partial(numbers, predict), given, repeats) if by_shap else attributions(predict, given, repeats)
        sent = client.predictions(explained(held, found, features, version))
        client.labels(labels(held))
    if not {*features} & {*known}:
        terminal.warn(
            f"the contract has no signals `{_SIGNAL}`: the events are kept, and no monitor sees their attributions (docs/signals.md)"
        )
    size = np.abs(found).mean(axis=0)
    order = np.argsort(-size, kind="stable").tolist()
    if json:
        how = Method.SHAP if by_shap else Method.PERMUTATION
        told = [{"feature": features[place], "importance": float(size[place])} for place in order]
        terminal.as_json({"model": model, "rows": len(held), "method": how, "accepted": sent.accepted, "features": told})
        return
    terminal.table(("feature", "mean |attribution|"), [[features[place], f"{size[place]:.4g}"] for place in order])
    terminal.say(f"{sent.accepted} events with attributions were sent, as version {version} of {model}")
