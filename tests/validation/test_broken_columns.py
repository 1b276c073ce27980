"""A broken column costs its own readings and no others."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from core.block import Floats
from core.moment import DAY, text
from core.reading import Verdict
from ingest.decode.prediction import decode_predictions
from monitors.evaluation.frame import VERDICTS
from validation.public import Data
from validation.replay import replay
from validation.world import default_watch

ROWS, DAYS = 1_500, 14
START = 20_000 * DAY
FEATURES = ("healthy", "null", "typed", "many")


def table(rows: int, first: int, seed: int) -> pa.Table:
    """Some days of healthy rows."""
    rng, n = np.random.default_rng(seed), rows
    ts = START + first * DAY + np.arange(n) * (DAY // ROWS)
    return pa.table(
        {
            "ts": pa.array(ts, pa.timestamp("us", "UTC")),
            "set": ["reference"] * n,
            "healthy": rng.normal(size=n),
            "null": rng.normal(size=n),
            "typed": rng.normal(size=n),
            "many": rng.choice(["a", "b", "c"], n),
            "prediction": rng.normal(size=n),
        }
    )


def events(given: pa.Table, broken: set[str]) -> bytes:
    """The rows as a producer sends them: a column without values, one with texts in place of numbers, one in which every row has a text of its own."""
    lines = []
    for place, row in enumerate(given.drop_columns(["set"]).to_pylist()):
        features: dict[str, Any] = {name: row[name] for name in FEATURES}
        features |= {name: value for name, value in (("null", None), ("typed", "twelve"), ("many", f"{place:x}" * 8)) if name in broken}
        sent = {
            "prediction_id": str(place),
            "model": "m",
            "ts": text(int(row["ts"].timestamp()) * 1_000_000),
            "features": features,
            "prediction": row["prediction"],
        }
        lines.append(json.dumps(sent))
    return "\n".join(lines).encode()


def watched(broken: set[str]) -> tuple[dict[str, tuple[Floats, list[str]]], pa.Table]:
    """By measure and column the values and verdicts of the day that follows the reference; and the panes."""
    data = Data(
        "m", {"task": "regression", "features_num": ["healthy", "null", "typed"], "features_cat": ["many"]}, table(ROWS * DAYS, 0, 1)
    )
    model = replay(data, production=np.arange(ROWS))
    contract = model.model.contract
    sent = events(table(6_000, DAYS, 2), broken)
    _, block = decode_predictions(sent, "ndjson", {"m": contract}.get, START + 400 * DAY).blocks["m"]
    model.stores.put_predictions(contract, block)
    found = {}
    for monitor in default_watch(contract):
        for frame in model.windows(monitor):
            for place, column in enumerate(frame.columns):
                verdicts = [VERDICTS[code].value for code in frame.verdict[:, place, 0]]
                found[f"{monitor.measure} {column}"] = (frame.value[:, place, 0], verdicts)
    return found, model.stores.inputs(contract, FEATURES, ("bin", "count", "register"), ("",), DAY, (START, START + 400 * DAY))


def test_a_broken_column_costs_only_its_own_readings() -> None:
    """One that is all null, one of a new type, one with distinct texts by the thousand: the readings of the others are the same to the last digit, and the broken ones are found."""
    whole, _ = watched(set())
    torn, panes = watched({"null", "typed", "many"})
    for name, (value, verdicts) in whole.items():
        if name.split()[1] in {"healthy", "@prediction"}:
            np.testing.assert_array_equal(torn[name][0], value)
            assert torn[name][1] == verdicts
            assert set(verdicts) == {Verdict.OK.value}
    for column in ("null", "typed", "many"):
        assert Verdict.CRITICAL.value in torn[f"drift.psi {column}"][1]
    assert torn["quality.null_rate null"][0].tolist() == [1.0] * len(torn["quality.null_rate null"][0])
    assert max(map(len, panes["register"].to_pylist())) <= 4_096  # distinct texts are sketched: their number does not make panes larger
    assert max(map(len, panes["bin"].to_pylist())) <= 60
