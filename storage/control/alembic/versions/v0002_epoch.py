"""A cursor has the epoch under which its owner took it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the epoch; no cursor has been taken yet."""
    op.add_column("cursors", sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"))
