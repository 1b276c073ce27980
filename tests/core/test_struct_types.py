"""Struct types are prepared before threads decode them."""

from __future__ import annotations

import subprocess
import sys

# Calls of Python functions while types are decoded tell that fields are read then.
_SCRIPT = """
import sys
import msgspec
from core.contract import Column, Contract, Kind, Task
from core.struct_types import prepare

body = msgspec.json.encode(Contract(model="m", version=1, task=Task.BINARY, features=(Column(name="x", kind=Kind.NUMERIC, edges=(1.0,)),)))
if sys.argv[1:]:
    prepare()
called = set()
sys.setprofile(lambda frame, event, _: called.add(frame.f_code.co_name) if event == "call" else None)
msgspec.json.decode(body, type=Contract)
sys.setprofile(None)
print("get_class_annotations" in called)
"""

# Threads of several partitions meet the events of a new model at once, and the garbage collector runs often.
_MET = """
import gc
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from core.contract import Column, Contract, Kind, Task
from ingest.decode.payload import shallow
from ingest.decode.prediction import read_predictions

sys.setswitchinterval(1e-6)
gc.set_threshold(50)
gate, threads = Barrier(6), ThreadPoolExecutor(6)

def met(number):
    names = [f"x{number}_{column}" for column in range(8)]
    contract = Contract(model="m", version=1, task=Task.BINARY, features=tuple(Column(name=name, kind=Kind.NUMERIC, edges=(1.0,)) for name in names))
    event = {"prediction_id": "a", "model": "m", "ts": "2026-01-01T00:00:00Z", "features": dict.fromkeys(names, 1.0), "prediction": 1}

    def rows():
        gate.wait()
        return len(read_predictions(shallow([json.dumps(event).encode()] * 20), lambda _: contract, 1_800_000_000_000_000).blocks["m"][1])

    return sum(each.result() for each in [threads.submit(rows) for _ in range(6)])

print({met(number) for number in range(100)})
"""


def test_no_fields_are_read_once_types_are_prepared() -> None:
    """Without that they are read at the first decoding, during which another thread would crash."""
    for arguments, read in (([], "True"), (["prepared"], "False")):
        done = subprocess.run([sys.executable, "-c", _SCRIPT, *arguments], capture_output=True, text=True, timeout=120, check=True)
        assert done.stdout.strip() == read


def test_threads_may_meet_a_new_model_at_once() -> None:
    """The struct of its events is made while they run; without the lock the process crashes within a dozen models."""
    done = subprocess.run([sys.executable, "-c", _MET], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "{120}"), done.stderr[-2_000:]
