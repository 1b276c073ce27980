"""The dashboard on an application."""

from __future__ import annotations

import subprocess
import sys


def test_pandas_is_there_as_a_whole_before_the_first_answer() -> None:
    """In an environment that has it: were it brought in by another thread later, Dash would look into one that is there by half."""
    code = "import sys; from fastapi import FastAPI; from dashboard.mount import mount; mount(FastAPI(), None); print(hasattr(sys.modules.get('pandas'), 'NaT'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "True"
