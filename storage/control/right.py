"""Rights that the control store's user has in the database, checked before they are needed."""

from __future__ import annotations

from sqlalchemy import Connection, text

from storage.control.engine import Database
from storage.control.migration import VERSION, current, newest
from storage.control.schema import AUDIT, CURSOR, DESTINATION, METADATA, MONITOR, MONITOR_HISTORY, TRANSITION

_CHANGED = "SELECT, INSERT, UPDATE"
_OTHERWISE = {  # rows that are added and never changed; rows that are removed
    **{table.name: "SELECT, INSERT" for table in (AUDIT, MONITOR_HISTORY, TRANSITION)},
    **{table.name: f"{_CHANGED}, DELETE" for table in (CURSOR, DESTINATION, MONITOR)},
}


class Rights(Database):
    """The rights that are missing for reading, writing and migrating."""

    def rights(self) -> list[str]:
        """What has to be done so that the user has all rights that it needs, as SQL where possible; nothing on SQLite.

        Rights to create are needed only if a migration has not been applied. Raises Retryable or Fatal if the database does not answer.
        """
        with self.read() as connection:
            return _missing(connection) if connection.dialect.name == "postgresql" else []


def _missing(connection: Connection) -> list[str]:
    user, schema = connection.execute(text("SELECT quote_ident(current_user), quote_ident(current_schema())")).one()
    if schema is None:  # a schema that we may not use is not on the path
        return [f"GRANT USAGE, CREATE ON SCHEMA public TO {user}"]
    tables = {VERSION: "SELECT"} | {table.name: _OTHERWISE.get(table.name, _CHANGED) for table in METADATA.sorted_tables}
    there = [name for name in tables if connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar()]
    found = [
        f"GRANT {lacking} ON {schema}.{name} TO {user}"
        for name in there
        if (lacking := _lacking(connection, name, tables[name].split(", ")))
    ]
    counting = [table.name for table in METADATA.sorted_tables if table.name in there and "sequence" in table.c]
    found += [f"GRANT USAGE ON SEQUENCE {schema}.{name}_sequence_seq TO {user}" for name in counting if not _counts(connection, name)]
    return found + _to_migrate(connection, there, user, schema)


def _lacking(connection: Connection, table: str, rights: list[str]) -> str:
    has = text("SELECT has_table_privilege(:table, :right)")
    return ", ".join(right for right in rights if not connection.execute(has, {"table": table, "right": right}).scalar())


def _counts(connection: Connection, table: str) -> bool:
    has = text("SELECT has_sequence_privilege(pg_get_serial_sequence(:table, 'sequence'), 'USAGE')")
    return bool(connection.execute(has, {"table": table}).scalar())


def _to_migrate(connection: Connection, there: list[str], user: str, schema: str) -> list[str]:
    """What is missing for the migrations that have not been applied."""
    if VERSION in there:
        if _lacking(connection, VERSION, ["SELECT"]):
            return []  # this has to be done first
        if current(connection) == newest():
            return []
    found = []
    if not connection.execute(text("SELECT has_schema_privilege(current_schema(), 'CREATE')")).scalar():
        found.append(f"GRANT CREATE ON SCHEMA {schema} TO {user}")
    owned = text("SELECT relowner::regrole::text FROM pg_class WHERE oid = to_regclass(:t) AND NOT pg_has_role(relowner, 'USAGE')")
    owners = {owner for name in there for owner in connection.execute(owned, {"t": name}).scalars()}
    return found + [f"run `watchkeeper migrate` as {owner}, who owns the tables" for owner in sorted(owners)]
