"""Fairness on public data: the measures of the product on panes of each chunk, beside those that fairlearn gives for the same rows, and what small groups do to alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from core.moment import HOUR
from core.monitor import Monitor
from core.reading import Reading, Verdict
from core.window.tumbling import Tumbling
from detectors import catalogue
from validation.replay import Replay

LEAST = 30  # rows: smaller groups are suppressed unless a monitor says otherwise
PEERS = {
    "fairness.demographic_parity_difference": "demographic_parity_difference",
    "fairness.demographic_parity_ratio": "demographic_parity_ratio",
    "fairness.equal_opportunity_difference": "equal_opportunity_difference",
    "fairness.equalized_odds_difference": "equalized_odds_difference",
}
_BY_GROUP = {
    "fairness.demographic_parity_difference": "selection_rate",
    "fairness.accuracy_parity": "accuracy",
    "fairness.equal_opportunity_difference": "tpr",
    "fairness.fpr_parity": "fpr",
    "fairness.predictive_parity_difference": "precision",
}
_UNDEFINED = "a group without rows that count has no rate; the peer takes it as 0"


class Compared(NamedTuple):
    """A number of ours and the peer's, of a measure, and why they may differ."""

    measure: str
    peer: str
    ours: float
    theirs: float
    why: str


def compared(model: Replay, published: Mapping[int, Mapping[str, Any]]) -> Iterator[Compared]:
    """Gaps and rates of every group, however small, of each chunk, and whether small groups are left out, from what the peer tells of chunks, by the place of their window."""
    every = {name: _readings(model, name, 1) for name in {*PEERS, *_BY_GROUP}}
    for name, readings in every.items():
        for (at, attribute), one in readings.items():
            theirs = published[at][attribute]
            rates = {f"{attribute}={group}": held for group, held in theirs["by_group"].items()}
            told = {group["group"]: group for group in one.evidence["groups"]}
            if (rate := _BY_GROUP.get(name)) is not None:
                for group, held in rates.items():
                    if not told[group]["suppressed"]:
                        yield Compared(name, f"fairlearn {rate} of groups", told[group]["value"], held[rate], "")
            if name in PEERS and one.value is not None:
                lacking = {*rates} != {group for group, held in told.items() if not held["suppressed"]}
                peer = PEERS[name]
                yield Compared(name, f"fairlearn {peer}", one.value, theirs[peer], _UNDEFINED if lacking else "")
    yield from _small(model, published)


def _small(model: Replay, published: Mapping[int, Mapping[str, Any]]) -> Iterator[Compared]:
    """As monitors are by default: 1 for each attribute of a chunk in which a group of less than 30 rows has a value, is of the pair, or alarms; the peer's number is 0."""
    for name in PEERS:
        for (at, attribute), one in _readings(model, name, LEAST).items():
            sizes = {f"{attribute}={group}": held["count"] for group, held in published[at][attribute]["by_group"].items()}
            few = {group for group, size in sizes.items() if size < LEAST}
            shown = {group["group"] for group in one.evidence["groups"] if group["value"] is not None}
            apart = {*one.evidence.get("pair", ())}
            silent = len(sizes) - len(few) >= 2 or (one.value is None and one.verdict == Verdict.INSUFFICIENT)
            yield Compared(name, f"groups of less than {LEAST} rows", float(bool((shown | apart) & few) or not silent), 0.0, "")


def _readings(model: Replay, name: str, least: int) -> dict[tuple[int, str], Reading]:
    """The readings of a measure by the place of their window and attribute, with a threshold that any gap reaches."""
    contract, spec = model.model.contract, catalogue.spec(name)
    settled = spec.settle(msgspec.convert({"min_group": least}, spec.params), contract)
    monitor = Monitor(
        name="m",
        model=contract.model,
        measure=name,
        params=msgspec.to_builtins(settled),
        columns=contract.protected,
        window=Tumbling(HOUR),
        critical={"below": 1.0} if name.endswith("_ratio") else {"above": 0.0},
        min_samples=0,
    )
    return {(at, reading.column): reading for at, reading in model.readings(monitor)}
