"""The key by which all processes sign addresses that are good without a token."""

from __future__ import annotations

import secrets

import msgspec
from sqlalchemy import select

from core.document_name import SIGNING
from storage.control.engine import Database, insert
from storage.control.schema import CURSOR

_BYTES = 32


class _Held(msgspec.Struct, frozen=True):
    """The document that holds the key, as hexadecimal digits."""

    key: str


class Signing(Database):
    """The signing key."""

    def signing_key(self) -> bytes:
        """The key, 32 bytes. The first process that asks makes it; all others find it."""
        query = select(CURSOR.c.payload).where(CURSOR.c.owner == SIGNING)
        with self.read() as connection:
            payload = connection.execute(query).scalar()
        if payload is None:
            made = msgspec.json.encode(_Held(secrets.token_hex(_BYTES))).decode()
            with self.write(alone=False) as connection:
                connection.execute(insert(connection, CURSOR).values(owner=SIGNING, payload=made).on_conflict_do_nothing())
                payload = connection.execute(query).scalar_one()
        return bytes.fromhex(msgspec.json.decode(payload, type=_Held).key)
