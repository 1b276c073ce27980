"""Targets from PyPI, each in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_TARGETS = Path(__file__).resolve().parents[4] / "var" / "targets"


def installed(name: str, wanted: str) -> Path:
    """The folder with the commands of a target, which is installed once a checkout; `wanted` is what pip is asked for."""
    commands = _TARGETS / name / "bin"
    if not (commands / name).exists():
        subprocess.run([sys.executable, "-m", "venv", commands.parent], check=True)
        subprocess.run([commands / "pip", "install", "--quiet", wanted], check=True)
    return commands
