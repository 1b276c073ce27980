"""Tables of hooks and of the requests for retraining that they make."""

import sqlalchemy as sa
from alembic import op

from storage.control.kind import Name

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the tables, empty."""
    op.create_table(
        "hooks",
        sa.Column("name", Name, primary_key=True),
        sa.Column("model", Name, nullable=False),
        sa.Column("scheduled", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_table(
        "retrains",
        sa.Column("id", Name, primary_key=True),
        sa.Column("model", Name, nullable=False),
        sa.Column("hook", Name, nullable=False),
        sa.Column("state", Name, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("dispatched_at", sa.BigInteger),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("retrains_by_time", "retrains", ["created", "id"])
    op.create_index("retrains_by_end", "retrains", ["ended_at", "due"])
    op.create_index("retrains_by_model", "retrains", ["model", "created"])
    op.create_index("retrains_by_dispatch", "retrains", ["dispatched_at"])
    op.create_table("retrain_episodes", sa.Column("episode", Name, primary_key=True), sa.Column("retrain", Name, primary_key=True))
