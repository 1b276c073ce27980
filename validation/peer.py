"""What Evidently's default rule says of the same windows, in the environment that `make bench-peers` installs beside the project."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.block import Categories
from core.text import NULL
from validation.alarm import Tally
from validation.replicate import Replicate, Stationary
from validation.stream import Draw, Generator, Rows

_PEERS = Path(__file__).resolve().parents[1] / "benchmarks" / "peers"
_PYTHON = _PEERS / ".venv" / "bin" / "python"
ANY, HALF = "Evidently, any column", "Evidently, half of the columns"
LARGEST = 1_000  # rows a window as drawn: of 100,000 a reference has three million, which Evidently sorts again for each window


def installed() -> bool:
    """Whether Evidently is there to be asked."""
    return _PYTHON.exists() and any(_PEERS.glob(".venv/lib/python*/site-packages/evidently"))


def count(stream: Stationary, references: int, windows: int, rng: Generator) -> Tally:
    """In how many windows Evidently finds drift of any column, and of half of them, which is when it says that the data have drifted. With the generator of a part of the run, these are the windows of its first references."""
    tally = Tally(stream.name, stream.rows)
    with tempfile.TemporaryDirectory() as folder:
        for place in range(references):
            one = stream.replicate(rng, windows)
            for name, draw in (("reference", one.reference), ("windows", one.windows)):
                pq.write_table(rows(one, draw, window=name == "windows"), f"{folder}/{place:03d}-{name}.parquet")
        asked = subprocess.run([_PYTHON, _PEERS / "default_rule.py", folder], capture_output=True, text=True, check=False)
    if asked.returncode:
        raise RuntimeError(f"Evidently failed on {stream.name}: {asked.stderr.strip()[-500:]}")
    for line in asked.stdout.splitlines():
        drifted = np.array(json.loads(line))
        tally.add({ANY: drifted > 0, HALF: 2 * drifted >= len(one.columns)})
    return tally


def rows(one: Replicate, draw: Draw, *, window: bool) -> pa.Table:
    """Rows as a user has them: a missing text is null, and numbers are numbers."""
    if isinstance(draw, Rows):
        index, of_window = draw.index, draw.window
    else:
        index = np.concatenate([np.repeat(np.arange(len(times)), times) for times in draw.times])
        of_window = np.repeat(np.arange(draw.windows), draw.times.sum(1))
    held = {}
    for name, values in one.columns.items():
        if isinstance(values, Categories):
            texts = pa.array([None if text == NULL else text for text in values.texts])
            held[name] = texts.take(pa.array(values.codes[index]))
        else:
            held[name] = pa.array(values[index])
    return pa.table(held | ({"window": pa.array(of_window)} if window else {}))
