"""Rows a second from JSON to columns, on one core: `python benchmarks/decode.py`.

Events of about 490 bytes with 20 features (14 decimals, 2 whole numbers, 4 categories), a time, a class and a score.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable

import msgspec
from material.measure import one_core, options, progress

from core.contract import Column, Contract, Kind, Task
from ingest.decode.label import decode_labels
from ingest.decode.layout import EventLayout, types_of
from ingest.decode.prediction import decode_predictions
from ingest.decoding import Decode
from ingest.record import Batch, LogRecord

ROWS = 20_000
NOW = 1_700_000_000_000_000

_NAMES = [*(f"num_{i}" for i in range(14)), *(f"int_{i}" for i in range(2)), *(f"cat_{i}" for i in range(4))]

CONTRACT = Contract(
    model="taxi-fare",
    version=1,
    task=Task.BINARY,
    features=tuple(Column(name=name, kind=Kind.CATEGORICAL if name.startswith("cat") else Kind.NUMERIC) for name in _NAMES),
    classes=("0", "1"),
    scored=True,
)

SIGNALS = msgspec.structs.replace(
    CONTRACT,
    features=tuple(msgspec.structs.replace(one, range=(-300.0, 1_000.0)) for one in CONTRACT.features),
    signals=tuple(
        Column(name=name, kind=Kind.CATEGORICAL if name == "@status" else Kind.NUMERIC)
        for name in ("@confidence", "@entropy", "@margin", "@outside", "@latency_ms", "@status")
    ),
)


def events() -> list[dict[str, object]]:
    """Prediction events, the same in every run."""
    draw = random.Random(1)
    value: dict[str, Callable[[], object]] = {
        "num": lambda: round(draw.gauss(0, 100), 4),
        "int": lambda: draw.randrange(1_000),
        "cat": lambda: draw.choice("abcdefghij") * 3,
    }
    return [
        {
            "prediction_id": f"{i:032x}",
            "model": "taxi-fare",
            "version": "3",
            "ts": f"2022-07-01T{i % 24:02d}:{i % 60:02d}:00.{i:06d}Z",
            "features": {name: value[name[:3]]() for name in _NAMES},
            "prediction": i % 2,
            "score": draw.random(),
        }
        for i in range(ROWS)
    ]


def rate(work: Callable[[], object], rows: int = ROWS, repeats: int = 7) -> float:
    """Rows a second of CPU time, the best of some repeats."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return rows / best


def batch(lines: list[str], models: int) -> Batch:
    """A batch as Kafka gives it, one event a record, the models in turn."""
    bodies = [line.replace("taxi-fare", f"taxi-fare-{i % models}").encode() for i, line in enumerate(lines)]
    return Batch("predictions", 0, 0, len(bodies) - 1, [LogRecord(i, NOW + i, "json", body) for i, body in enumerate(bodies)])


def main() -> None:
    """Print the table."""
    options(__doc__ or "", "python benchmarks/decode.py").parse_args()
    one_core()
    progress("decode")
    rows = events()
    compact = [json.dumps(row, separators=(",", ":")) for row in rows]
    array, lines = f"[{','.join(compact)}]".encode(), "\n".join(compact).encode()
    rows[ROWS // 2]["features"] = {**rows[ROWS // 2]["features"], "num_3": float("nan")}  # type: ignore[dict-item]
    broken = "\n".join(json.dumps(row, separators=(",", ":")) for row in rows).encode()
    nan = f"[{','.join(broken.decode().splitlines())}]".encode()
    more = lines.replace(b'"features":{', b'"features":{"unheard_of":1,')
    labels = json.dumps(
        [{"prediction_id": row["prediction_id"], "model": "taxi-fare", "label": 1, "ts": row["ts"]} for row in rows]
    ).encode()
    contracts, signalled = {CONTRACT.model: CONTRACT}.get, {CONTRACT.model: SIGNALS}.get
    sent = lines.replace(b'"prediction":', b'"latency_ms":12.5,"status":"ok","prediction":')
    decode = Decode(lambda model: msgspec.structs.replace(CONTRACT, model=model))
    one, ten, fifty = batch(compact, 1), batch(compact, 10), batch(compact, 50)
    typed = msgspec.json.Decoder(list[types_of(EventLayout.of(CONTRACT)).event])  # type: ignore[misc]
    results = {
        "json.loads": rate(lambda: json.loads(array)),
        "msgspec to structs only": rate(lambda: typed.decode(array)),
        "to columns, JSON array": rate(lambda: decode_predictions(array, "json", contracts, NOW)),
        "to columns, NDJSON": rate(lambda: decode_predictions(lines, "ndjson", contracts, NOW)),
        "  latency and status sent": rate(lambda: decode_predictions(sent, "ndjson", contracts, NOW)),
        "  and with six signals": rate(lambda: decode_predictions(sent, "ndjson", signalled, NOW)),
        "  with a column unheard of": rate(lambda: decode_predictions(more, "ndjson", contracts, NOW)),
        "  NDJSON, one bare NaN": rate(lambda: decode_predictions(broken, "ndjson", contracts, NOW)),
        "  JSON array, one bare NaN": rate(lambda: decode_predictions(nan, "json", contracts, NOW)),
        "Kafka messages, one event each": rate(lambda: decode(one)),
        "  of 10 models in turn": rate(lambda: decode(ten)),
        "  of 50 models in turn": rate(lambda: decode(fifty)),
        "labels, JSON array": rate(lambda: decode_labels(labels, "json", contracts, NOW)),
    }
    print(f"{ROWS} events of {len(lines) // ROWS} bytes, one core (best of 7, CPU time)\n")
    print(f"{'':30}{'rows/s':>12}{'x json.loads':>15}")
    for name, per_second in results.items():
        print(f"{name:30}{per_second:12,.0f}{per_second / results['json.loads']:15.2f}")


if __name__ == "__main__":
    main()
