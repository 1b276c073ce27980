"""A destination's address and secret become settings of its kind."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Move the address and the secret into the settings."""
    table = sa.table("destinations", sa.column("name"), sa.column("payload"))
    connection = op.get_bind()
    for name, payload in connection.execute(sa.select(table.c.name, table.c.payload)).all():
        document = json.loads(payload)
        settings = {key: value for key in ("url", "secret", "secret_file") if (value := document.pop(key, ""))}
        document = {**document, "settings": settings}
        connection.execute(sa.update(table).where(table.c.name == name).values(payload=json.dumps(document, ensure_ascii=False)))
