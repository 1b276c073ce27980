"""Who owns a cursor: the epoch under which it was taken."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the epoch; nobody has taken anything yet."""
    op.add_column("cursors", sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"))
