"""Forward-only migrations of the fact tables: numbered SQL files, each remembered with its checksum."""

from __future__ import annotations

import hashlib
from importlib import resources

from core.error import Fatal
from storage.facts.engine import Engine

FOLDER = resources.files("storage.facts") / "migrations"


def migrate(engine: Engine) -> list[str]:
    """Apply the missing migrations in order. Returns the names of those that were applied.

    Only one process at a time may call it. A file that was interrupted is applied again from its beginning, so its statements must allow that. Raises Fatal
    if an applied file was changed, or is unknown to this version.
    """
    if not engine.query("SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = 'migrations'").num_rows:
        engine.define(
            "CREATE TABLE IF NOT EXISTS migrations (name String, checksum String, applied DateTime64(6, 'UTC') DEFAULT now64(6))"
            " ENGINE = MergeTree ORDER BY name"
        )
    known = {row["name"]: row["checksum"] for row in engine.query("SELECT name, checksum FROM migrations").to_pylist()}
    files = sorted((file.name, file.read_text()) for file in FOLDER.iterdir() if file.name.endswith(".sql"))
    if unknown := known.keys() - {name for name, _ in files}:
        raise Fatal(
            f"the data was written by a newer version (migrations {', '.join(sorted(unknown))}); install that version, or a newer one"
        )
    applied = []
    for name, text in files:
        checksum = hashlib.sha256(text.encode()).hexdigest()
        if known.get(name, checksum) != checksum:
            raise Fatal(f"migration {name} is not the one that was applied; restore the file, and put the change into a new one")
        if name not in known:
            for statement in statements(text):
                engine.define(statement)
            engine.command(
                "INSERT INTO migrations (name, checksum) VALUES ({name:String}, {checksum:String})", {"name": name, "checksum": checksum}
            )
            applied.append(name)
    return applied


def statements(text: str) -> list[str]:
    """The statements of a file, comments removed. A statement ends with a semicolon at the end of a line."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in code.split(";\n") if statement.strip(" \n;")]
