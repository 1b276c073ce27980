"""The Makefile is the project's front door."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from tests.house.tree import ROOT, texts

PROMISED = {"install", "demo", "up", "embedded", "test", "check", "bench", "services", "clean"}


def test_every_target_has_help() -> None:
    """What can be called is listed with a line that says what it does."""
    rules = re.findall(r"^([a-z][\w-]*):(.*)$", texts()["Makefile"], re.MULTILINE)
    assert {name for name, _ in rules} >= PROMISED
    assert [name for name, rest in rules if not re.search(r"## \S", rest)] == []


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_alone_prints_one_line_for_each_target() -> None:
    """The default target is the help."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    answer = subprocess.run(["make"], cwd=ROOT, env=outer, capture_output=True, text=True, check=True)
    listed = [line.split()[1] for line in answer.stdout.splitlines()]
    assert set(listed) >= PROMISED
    assert len(listed) == len(set(listed))
