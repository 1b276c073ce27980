"""The audit keeps what a change replaced, beside what it left; entries from before do not know it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add it."""
    op.add_column("audit", sa.Column("before", sa.Text, nullable=False, server_default="null"))
