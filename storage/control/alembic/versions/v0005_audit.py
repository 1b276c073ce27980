"""The audit keeps what was there before a change, too; older entries do not have it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column `before`."""
    op.add_column("audit", sa.Column("before", sa.Text, nullable=False, server_default="null"))
