"""A table of the budgets of models as a whole."""

import sqlalchemy as sa
from alembic import op

from storage.control.kind import Name

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table, empty."""
    op.create_table(
        "model_budgets",
        sa.Column("model", Name, primary_key=True),
        sa.Column("name", Name, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
