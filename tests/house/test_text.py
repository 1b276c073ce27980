"""What no file of the project may say."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import texts

UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
# The home of a user, or a checkout's own folder. A word before the slash makes it a part of another path or of an address.
MACHINE = re.compile(r"(?<![\w.*}~-])/(?:home|Users|root|work|mnt)/[A-Za-z_]")


def found(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern occurs: `path:line: text`."""
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_nothing_is_left_unfinished() -> None:
    """Unfinished work is noted in the tracker, not in the code."""
    assert found(UNFINISHED) == []


def test_no_file_names_a_place_of_one_machine() -> None:
    """A path of the author's machine works nowhere else."""
    assert found(MACHINE) == []


@pytest.mark.parametrize(
    ("pattern", "bad", "good"),
    [
        (UNFINISHED, "# TO" + "DO: later", "todo lists are a fine thing"),
        (MACHINE, 'open("/wo' + 'rk/main/x")', "https://example.org/home/page and /run/secrets/oncall"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], bad: str, good: str) -> None:
    """A pattern that finds nothing must be able to find something."""
    assert pattern.search(bad)
    assert not pattern.search(good)


def test_the_lock_is_by_hash_and_names_no_registry() -> None:
    """The installed packages are those that were tested, whichever registry they come from."""
    lock = texts()["requirements.lock"]
    pins = re.findall(r"^[a-z0-9][\w.-]*==", lock, re.MULTILINE)
    assert len(pins) > 100
    assert lock.count("--hash=sha256:") >= len(pins)
    assert "://" not in lock
    assert "index-url" not in lock
