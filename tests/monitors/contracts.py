"""Two models that definitions speak of: fares (regression) and delays (binary)."""

from __future__ import annotations

from core.contract import LABEL, PREDICTION, SCORE, Column, Contract, Dimension, Kind, Task


def _numeric(name: str) -> Column:
    return Column(name=name, kind=Kind.NUMERIC, edges=(1.0, 2.0))


def _categorical(name: str, *categories: str) -> Column:
    return Column(name=name, kind=Kind.CATEGORICAL, categories=categories)


FARE = Contract(
    model="taxi-fare",
    version=2,
    task=Task.REGRESSION,
    features=(_numeric("trip_distance"), _categorical("borough", "Queens", "Bronx"), _categorical("rush_hour", "true", "false")),
    tags=(_categorical("vendor", "1", "2"),),
    outputs=(_numeric(PREDICTION), _numeric(LABEL)),
    dimensions=(
        Dimension(name="borough", values=("Queens", "Bronx")),
        Dimension(name="rush_hour", values=("true", "false")),
        Dimension(name="vendor", values=("1", "2"), protected=True),
    ),
    crosses=(("borough", "rush_hour"),),
)
DELAY = Contract(
    model="delay",
    version=1,
    task=Task.BINARY,
    features=(_numeric("distance"),),
    outputs=(_categorical(PREDICTION, "0", "1"), _numeric(SCORE), _categorical(LABEL, "0", "1")),
    classes=("0", "1"),
    scored=True,
)
CONTRACTS = {contract.model: contract for contract in (FARE, DELAY)}
