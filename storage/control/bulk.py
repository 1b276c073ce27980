"""Many rows in one statement.

SQLAlchemy spends ten times as long on a row as the database does, so these rows go to the driver, and come from it, as tuples. To write, SQLite runs one prepared statement for each row, and PostgreSQL
gets a statement with an array for each column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table

from storage.control.kind import Name, Outcome

CHUNK = 500  # names in one query: an old SQLite takes 999 parameters
_CHUNK = 1_000  # rows of a statement on PostgreSQL
Row = tuple[Any, ...]


def read_rows(connection: Connection, table: Table, names: Sequence[str], key: str, values: Sequence[str], order: str) -> Iterator[Row]:
    """The columns `names` of the rows whose text `key` is one of the `values`. Those of the same value come in the `order` of another column."""
    sqlite, dialect = connection.dialect.name == "sqlite", connection.dialect
    processors = [(place, table.c[name].type.result_processor(dialect, None)) for place, name in enumerate(names)]
    changes = [(place, change) for place, change in processors if change is not None]
    given = values if (change := _change(connection, table.c[key])) is None else [change(value) for value in values]
    sql = f'SELECT {_listed(names)} FROM "{table.name}" WHERE "{key}" '
    for start in range(0, len(given), CHUNK):
        some = tuple(given[start : start + CHUNK])
        which = f"IN ({', '.join('?' * len(some))})" if sqlite else "= ANY(%s::text[])"
        found = connection.exec_driver_sql(f'{sql}{which} ORDER BY "{order}"', some if sqlite else (list(some),)).all()
        yield from (_changed(row, changes) for row in found) if changes else found


def insert_rows(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows, which hold a value for each of the columns `names`."""
    _run(connection, table, names, rows, "")


def replace_rows(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row], changing: Sequence[str] | None = None
) -> None:
    """Insert rows, or replace those of the same primary key, of which only the columns `changing` may differ (None: all). No two of the rows may have the same one."""
    keys = [column.name for column in table.primary_key]
    rest = ", ".join(f'"{name}" = excluded."{name}"' for name in (changing or names) if name not in keys)
    _run(connection, table, names, rows, f" ON CONFLICT ({_listed(keys)}) DO UPDATE SET {rest}")


def update_rows(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Change the columns `names` of rows that are there. Each row holds a value for each of them, and then its primary key."""
    (key,) = (column.name for column in table.primary_key)
    if connection.dialect.name == "sqlite":
        sets = ", ".join(f'"{name}" = ?' for name in names)
        _send(connection, table, (*names, key), rows, f'UPDATE "{table.name}" SET {sets} WHERE "{key}" = ?')
        return
    sets = ", ".join(f'"{name}" = given."{name}"' for name in names)
    given = f"unnest({{arrays}}) AS given ({_listed((*names, key))})"
    _send(
        connection,
        table,
        (*names, key),
        rows,
        f'UPDATE "{table.name}" SET {sets} FROM {given} WHERE "{table.name}"."{key}" = given."{key}"',
    )


def _run(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row], conflict: str) -> None:
    values = f"VALUES ({', '.join('?' * len(names))})" if connection.dialect.name == "sqlite" else "SELECT * FROM unnest({arrays})"
    _send(connection, table, names, rows, f'INSERT INTO "{table.name}" ({_listed(names)}) {values}{conflict}')


def _send(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row], sql: str) -> None:
    """Run a statement with rows, which hold a value for each of the columns `names`: on PostgreSQL as the arrays that stand for `{arrays}` in it."""
    if not rows:
        return
    columns = [table.c[name] for name in names]
    changes = [(place, change) for place, column in enumerate(columns) if (change := _change(connection, column)) is not None]
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(sql, [_changed(row, changes) for row in rows] if changes else list(rows))
        return
    # In binary form (%b): as text, psycopg would look at each letter of each JSON for what to escape, which takes fifty times as long.
    kinds = ", ".join(f"%b::{column.type.compile(connection.dialect).partition(' COLLATE')[0]}[]" for column in columns)
    for start in range(0, len(rows), _CHUNK):
        arrays = [list(values) for values in zip(*rows[start : start + _CHUNK], strict=True)]
        for place, change in changes:
            changed = {value: change(value) for value in set(arrays[place])}  # many rows have the same model, column or segment
            arrays[place] = [changed[value] for value in arrays[place]]
        connection.exec_driver_sql(sql.format(arrays=kinds), tuple(arrays))


def _change(connection: Connection, column: Column[Any]) -> Callable[[Any], Any] | None:
    """What makes of a value the one that the database stores; None if it is stored as it is."""
    kind, dialect = column.type, connection.dialect
    if not isinstance(kind, Name) or (dialect.name == "sqlite" and not isinstance(kind, Outcome)):
        return None
    return lambda value: kind.process_bind_param(value, dialect)


def _changed(row: Row, changes: Sequence[tuple[int, Callable[[Any], Any]]]) -> Row:
    values = list(row)
    for place, change in changes:
        values[place] = change(values[place])
    return tuple(values)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
