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


def test_no_fields_are_read_once_types_are_prepared() -> None:
    """Without that they are read at the first decoding, during which another thread would crash."""
    for arguments, read in (([], "True"), (["prepared"], "False")):
        done = subprocess.run([sys.executable, "-c", _SCRIPT, *arguments], capture_output=True, text=True, timeout=120, check=True)
        assert done.stdout.strip() == read
