r"""Types of text columns, for texts from outside that PostgreSQL would refuse.

PostgreSQL refuses NUL, and an index entry beyond 2,704 bytes; SQLite takes both. On PostgreSQL NUL is therefore written as `\0` and a
backslash as two, and texts are compared by bytes, as in SQLite. Columns of JSON need nothing of this, because JSON escapes NUL.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from sqlalchemy import Dialect, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

_ESCAPE = str.maketrans({"\0": "\\0", "\\": "\\\\"})
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LONGEST = 256  # bytes of a key: two keys and two names of 200 characters fit into one index entry


class Name(TypeDecorator[str]):
    """A text as it is, NUL and all."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """By bytes on PostgreSQL."""
        return Text(collation="C") if dialect.name == "postgresql" else Text()

    def bind_processor(self, dialect: Dialect) -> Any:
        """Nothing to call for each value where the database takes it as it is."""
        return super().bind_processor(dialect) if dialect.name == "postgresql" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """The same on the way back."""
        return super().result_processor(dialect, coltype) if dialect.name == "postgresql" else None

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The value in the form of the database."""
        if value is None or dialect.name != "postgresql" or not ("\0" in value or "\\" in value):
            return value
        return value.translate(_ESCAPE)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The value as it was given."""
        if value is None or "\\" not in value or dialect.name != "postgresql":
            return value
        return _ESCAPED.sub(lambda found: "\0" if found[1] == "0" else found[1], value)


class Outcome(Name):
    """The state of a notification. What was given up is `dead`, and is stored as `failed`, as version 0.1.0 wrote it: its processes read the outbox during an upgrade, too."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """On every database."""
        return TypeDecorator.bind_processor(self, dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """On every database."""
        return TypeDecorator.result_processor(self, dialect, coltype)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The value in the form of the database."""
        return "failed" if value == "dead" else super().process_bind_param(value, dialect)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The value as it was given."""
        return "dead" if value == "failed" else super().process_result_value(value, dialect)


class Key(Name):
    """A text of any length by which rows are found, and which is never read back. On PostgreSQL a long one is stored as its beginning and its hash."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The value in the form of the database."""
        text = super().process_bind_param(value, dialect)
        if text is None or dialect.name != "postgresql" or len(content := text.encode()) <= _LONGEST:
            return text
        return content[: _LONGEST - 64].decode(errors="ignore") + hashlib.sha256(content).hexdigest()
