"""How often prediction intervals and sets hold the label, against what they promise."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec
import numpy as np

from core.block import Floats
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Judged, Measure, Need
from detectors.certainty import having
from detectors.evidence import Losses
from detectors.rate import rate
from detectors.spec import Places, Result, Spec


class Promise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`promise`: the share of labels that the intervals or sets should hold; by default the level of the contract's intervals."""

    promise: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None


def promised(promise: float | None, contract: Contract) -> float:
    """The promise that a monitor names, else that of the contract; ConfigError without either."""
    level = contract.roles.interval[2] if contract.roles.interval else None
    promise = level if promise is None else promise
    if promise is None:
        raise ConfigError("the contract does not say what is promised", remedy="write for example `params: {promise: 0.9}`")
    return float(promise)


def _settle(params: Promise, contract: Contract) -> Promise:
    return Promise(promised(params.promise, contract))


def _spec(name: str, title: str, loss: str, what: str, tasks: tuple[Task, ...]) -> Spec[Losses, Promise]:
    def sums(side: Losses) -> tuple[Floats, Floats]:
        """The rows whose region holds the label, and all rows with a label and a region."""
        if loss not in side.of:
            return np.zeros(side.n.shape), np.zeros(side.n.shape)
        return side.of[loss].total, side.of[loss].count

    def compute(target: Losses, baseline: Losses | None, params: Promise) -> Result:
        held = sums(target)
        found = rate(held, None if baseline is None else sums(baseline))

        def evidence(places: Places) -> list[dict[str, Any]]:
            measured = np.broadcast_to(held[1], found.value.shape)[places].tolist()
            return [{"promise": params.promise, "measured": int(rows)} for rows in measured]

        return replace(found, why=None, evidence=evidence)

    return Spec(
        about=Measure(
            name=f"uncertainty.{name}",
            title=title,
            formula=f"labels in their {what} / labels with one",
            unit="share",
            judged=Judged.PROMISE,
            tasks=tasks,
            requires=(Need.LABELS,),
            tested=True,
        ),
        evidence=Losses,
        compute=compute,
        counted=lambda side: having(sums(side)[1], side.n),
        no_value=f"no labelled prediction has a prediction {what}",
        params=Promise,
        settle=_settle,
    )


SPECS = (
    _spec("interval_coverage", "Coverage of intervals", "in_interval", "interval", (Task.REGRESSION,)),
    _spec("set_coverage", "Coverage of sets", "in_set", "set", (Task.BINARY, Task.MULTICLASS)),
)
