"""Tables of deleted monitors and models, with their last versions."""

import sqlalchemy as sa
from alembic import op

from storage.control.kind import Name

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the two tables, empty."""
    op.create_table(
        "retired_monitors",
        sa.Column("model", Name, primary_key=True),
        sa.Column("name", Name, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("contract", sa.Integer, nullable=False),
        sa.Column("retired_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "retired_models",
        sa.Column("model", Name, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("retired_at", sa.BigInteger, nullable=False),
        sa.Column("purge", sa.Integer, nullable=False),
    )
