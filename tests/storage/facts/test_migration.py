"""Migrations run once, in order, on either engine, and may be broken off anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.error import Fatal
from storage.facts import migration
from storage.facts.engine import Engine
from storage.facts.migration import FOLDER, migrate, statements

NAMES = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".sql"))
LETTER = "INSERT INTO dead_letters (topic, position, reason, logged) VALUES ('labels', 7, 'no time', 5)"
LETTERS = "SELECT position, reason FROM dead_letters FINAL"


@pytest.fixture
def engine(bare: Engine) -> Engine:
    """An engine of the test's own, with all tables."""
    migrate(bare)
    return bare


def test_a_changed_migration_is_refused(engine: Engine) -> None:
    """What was applied is not applied again; a file that is not the one that was applied stops the start."""
    assert migrate(engine) == []
    engine.command("ALTER TABLE migrations UPDATE checksum = 'x' WHERE 1 SETTINGS mutations_sync = 1")
    with pytest.raises(Fatal, match="0001_facts"):
        migrate(engine)


def test_data_of_a_newer_version_is_refused(engine: Engine) -> None:
    """A migration that this version does not know stops the start."""
    engine.command("INSERT INTO migrations (name, checksum) VALUES ('9999_future.sql', 'x')")
    with pytest.raises(Fatal, match="newer version"):
        migrate(engine)


@pytest.mark.parametrize("done", range(6))
def test_dead_letters_outlive_a_migration_that_was_broken_off(bare: Engine, done: int) -> None:
    """After any number of its statements, and all of them again, the letters of before are there once, and so are new ones."""
    first, second = (statements((FOLDER / name).read_text()) for name in NAMES[:2])
    for statement in first:
        bare.define(statement)
    bare.command(LETTER)
    for statement in second[:done]:
        bare.define(statement)
    assert migrate(bare) == NAMES
    bare.command(LETTER)
    assert bare.query(LETTERS).to_pylist() == [{"position": 7, "reason": "no time"}]
    assert bare.query("SELECT engine FROM system.tables WHERE database = currentDatabase() AND name LIKE 'dead_letters%'").to_pylist() == [
        {"engine": "ReplacingMergeTree"}
    ]


def test_inserts_name_their_columns() -> None:
    """Else this version could not go on when a later one has added a column: the guide of upgrades says that it does. Whole rows of the same table always fit."""
    texts = [path.read_text() for path in Path(migration.__file__).parent.glob("*.py")]
    inserts = [found for text in texts for found in re.findall(r"INSERT INTO (\w+ .{12})", text)]
    assert len(inserts) > 5
    assert [one for one in inserts if not re.match(r"\w+ (\(|SELECT \* )", one)] == []


def test_every_migration_may_be_broken_off(bare: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file bears to be begun again after each of its statements, also after its last, until it is noted as applied."""
    monkeypatch.setattr(migration, "FOLDER", tmp_path)
    for name in NAMES:
        text = (FOLDER / name).read_text()
        steps = statements(text)
        for done in range(1, len(steps) + 1):
            for statement in steps[:done]:
                bare.define(statement)
        (tmp_path / name).write_text(text)
        assert migrate(bare) == [name]
