"""A stream of flights in whose last day one upstream fails: the temperature is missing for many flights of one carrier, and their predictions are far off."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from watchkeeper.client import Client
from watchkeeper.demo.receiver import Receiver

MODEL, CARRIER, COLUMN = "planted-arrival", "EV", "temp"
ROWS = 800  # a day
_DAYS = 2
_WATCHED: dict[str, dict[str, Any]] = {
    "error": {"measure": "performance.mae", "critical": {"above": 12}},
    "missing": {"measure": "quality.null_rate", "columns": [COLUMN], "critical": 0.05},
}
_CARRIERS = ("AA", "UA", "DL", "B6", CARRIER)
_PATIENCE = 300.0  # seconds until the notice is there


class Flight(NamedTuple):
    """One flight, as it is sent."""

    prediction_id: str
    carrier: str
    temp: float | None
    distance: int
    prediction: float
    label: float

    @property
    def loss(self) -> float:
        """The size of its error."""
        return abs(self.prediction - self.label)

    @property
    def broken(self) -> bool:
        """Whether it is of the carrier that fails, without a temperature."""
        return self.carrier == CARRIER and self.temp is None


class Planted(NamedTuple):
    """What the receiver got about the errors and about the missing values, and the flights of the day that fails."""

    notice: dict[str, Any]
    missing: dict[str, Any]
    flights: Sequence[Flight]


@contextmanager
def planted(url: str) -> Iterator[Planted]:
    """Send the stream to a server, and wait for its webhook; the receiver is there as long as the block lasts."""
    told: list[dict[str, Any]] = []
    draw, sink = random.Random(14), BytesIO()
    pq.write_table(pa.Table.from_pylist([one._asdict() for one in _flights(draw, "r", 4_000)]), sink)
    days = [_flights(draw, f"d{day}", ROWS, failing=day == _DAYS - 1) for day in range(_DAYS)]
    today = datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)  # of old episodes no notice is sent
    with Receiver(told.append) as receiver, Client(url) as client:
        client.reference(MODEL, sink.getvalue(), task="regression", features=["carrier", COLUMN, "distance"], segments=["carrier"])
        client.apply(yaml.safe_dump(_definitions(receiver)))
        for day, flights in enumerate(days):
            _send(client, flights, today - timedelta(days=_DAYS - day), timedelta(minutes=1))
        _send(client, _flights(draw, "later", 20), today, timedelta(0))  # the day before is over
        client.wait(900)
        until = time.monotonic() + _PATIENCE
        while not _WATCHED.keys() <= (fired := {one["data"]["monitor"]: one for one in told if one["type"] == "episode.fired"}).keys():
            assert time.monotonic() < until, told
            time.sleep(0.1)
        yield Planted(fired["error"], fired["missing"], days[-1])


def _definitions(receiver: Receiver) -> Sequence[dict[str, Any]]:
    shared = {"model": MODEL, "target": {"window": "1d"}, "min_samples": 50}
    return [
        {"destination": "planted-door", "kind": "webhook", "url": receiver.url, "secret": receiver.secret},
        *({"monitor": name, **shared, **watched} for name, watched in _WATCHED.items()),
    ]


def _flights(draw: random.Random, prefix: str, many: int, *, failing: bool = False) -> list[Flight]:
    """Flights, in turn of five carriers. If one is `failing`, four of five of its flights have no temperature, and are an hour late or more."""
    made = []
    for row in range(many):
        carrier, distance = _CARRIERS[row % len(_CARRIERS)], draw.randrange(90, 2_500)
        broken = failing and carrier == CARRIER and draw.random() < 0.8
        temp = None if broken or draw.random() < 0.01 else round(draw.gauss(10, 8), 2)
        late = 60 + draw.expovariate(1 / 40) if broken else draw.gauss(0, 6)
        made.append(Flight(f"{prefix}-{row}", carrier, temp, distance, distance / 100, round(distance / 100 + late, 3)))
    return made


def _send(client: Client, flights: Sequence[Flight], day: datetime, every: timedelta) -> None:
    heads = [{"prediction_id": one.prediction_id, "model": MODEL, "ts": (day + row * every).isoformat()} for row, one in enumerate(flights)]
    own = [{"carrier": one.carrier, COLUMN: one.temp, "distance": one.distance} for one in flights]
    events = [head | {"features": values, "prediction": one.prediction} for head, values, one in zip(heads, own, flights, strict=True)]
    sent = client.predictions(events), client.labels([head | {"label": one.label} for head, one in zip(heads, flights, strict=True)])
    assert [one.rejected for one in sent] == [0, 0]
