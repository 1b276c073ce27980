"""Migrations of the control database. Which is the newest, and which a database has, is asked without Alembic, which takes half a second of CPU to import."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from core.error import Fatal

if TYPE_CHECKING:
    from alembic.config import Config

VERSION = "alembic_version"

_REVISION, _BEFORE = (re.compile(rf'^{name} = "(\w+)"$', re.MULTILINE) for name in ("revision", "down_revision"))


@cache
def newest() -> str:
    """The revision of the newest migration, after which no other one comes."""
    folder = files("storage.control").joinpath("alembic", "versions")
    texts = [file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".py")]
    (found,) = {_REVISION.findall(text)[0] for text in texts} - {one for text in texts for one in _BEFORE.findall(text)}
    return str(found)


def current(connection: Connection) -> str | None:
    """The revision of a database; None if it has no migration."""
    if not inspect(connection).has_table(VERSION):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION}")).scalar()
    return found


def upgrade(connection: Connection) -> list[str]:
    """Apply the missing migrations in the connection's transaction. Returns their names. Raises Fatal if the data is of a newer version."""
    before = current(connection)
    if before == newest():
        return []
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = migrations()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Fatal(f"the control database cannot be migrated: {error}; was it written by a newer version?") from error
    return [step.revision for step in ScriptDirectory.from_config(config).iterate_revisions(current(connection), before)][::-1]


def migrations() -> Config:
    """Where Alembic finds the migrations."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "storage.control:alembic")
    return config
