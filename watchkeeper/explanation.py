"""Attributions of predictions by a model that runs here: how far each feature moves a prediction, on a sample of raw events."""

from __future__ import annotations

import hashlib
import heapq
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from core.block import Floats
from core.error import ConfigError

Row = Mapping[str, Any]
Predict = Callable[[list[dict[str, Any]]], Sequence[float]]

SUFFIX = ":explained"  # of the ids of events that carry attributions


def attributions(predict: Predict, rows: Sequence[Row], repeats: int = 5, seed: int = 0) -> Floats:
    """How far each feature moves each prediction: the prediction less its mean where the feature's value is that of other rows, drawn by permutations. (rows, features), features in the order of the first row.

    The mean of absolute values over rows is the permutation importance of the output (Breiman 2001, without labels). `predict` takes rows as dicts and returns a number for each: the score of a class, or
    the prediction of a regression. Raises ConfigError if it does not.
    """
    rng, features = np.random.default_rng(seed), list(rows[0])
    given = [dict(row) for row in rows]
    own, found = numbers(predict, given), np.zeros((len(rows), len(features)))
    for place, feature in enumerate(features):
        for _ in range(repeats):
            other = rng.permutation(len(rows))
            moved = [{**row, feature: rows[drawn][feature]} for row, drawn in zip(given, other.tolist(), strict=True)]
            found[:, place] += (own - numbers(predict, moved)) / repeats
    return found


def sample(events: Iterable[Row], most: int) -> list[Row]:
    """At most so many events, which a hash of their ids draws: the same ones whenever it is asked again. Events that carry attributions from here are left out."""
    own = (one for one in events if not one["prediction_id"].endswith(SUFFIX))
    return heapq.nsmallest(most, own, key=lambda one: hashlib.md5(one["prediction_id"].encode(), usedforsecurity=False).digest())


def explained(events: Sequence[Row], found: Floats, features: Sequence[str], version: str) -> Iterator[dict[str, Any]]:
    """The events again, under ids and a version of their own, with their attributions."""
    kept = ("model", "ts", "features", "tags", "prediction", "score", "probabilities")
    for event, row in zip(events, found.tolist(), strict=True):
        again = {name: event[name] for name in kept if event.get(name) is not None}
        named = {"prediction_id": event["prediction_id"] + SUFFIX, "version": version, "role": version}
        yield again | named | {"attributions": dict(zip(features, row, strict=True))}


def labels(events: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """The labels of these events, for the ids under which they are sent again."""
    for event in events:
        if event.get("label") is not None:
            at = {} if event.get("label_ts") is None else {"ts": event["label_ts"]}
            yield {"prediction_id": event["prediction_id"] + SUFFIX, "model": event["model"], "label": event["label"]} | at


def load(named: str) -> Predict:
    """The function of `package:function`. Raises ConfigError."""
    module, _, name = named.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"`--with {named}`: {error}", remedy="write `package.module:function`; the package must be installed or in this folder"
        ) from None
    if not callable(found):
        raise ConfigError(
            f"`--with {named}` is no function", remedy="name one that takes a list of rows, as dicts, and returns a number for each"
        )
    return found  # type: ignore[no-any-return]


def numbers(predict: Predict, rows: list[dict[str, Any]]) -> Floats:
    """The finite number that `predict` returns for each row; ConfigError if it does not."""
    found = np.asarray(predict([dict(row) for row in rows]))
    if found.shape != (len(rows),) or not np.issubdtype(found.dtype, np.number) or not np.isfinite(found.astype(np.float64)).all():
        raise ConfigError(
            f"the function returned {found.dtype} of the shape {found.shape} for {len(rows)} rows, or a number that is not finite",
            remedy="return one finite number for each row: the score of a class, or the prediction",
        )
    return found.astype(np.float64)
