"""Tables of the alert policy, of silences, and of what people do about episodes."""

import sqlalchemy as sa
from alembic import op

from storage.control.kind import Name

revision = "0010"
down_revision = "0009"

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the tables, empty."""
    op.create_table("policies", sa.Column("name", Name, primary_key=True), sa.Column("payload", sa.Text, nullable=False))
    op.create_table(
        "silences",
        sa.Column("id", Name, primary_key=True),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_table(
        "notices", sa.Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True), sa.Column("episode", Name, nullable=False)
    )
    op.create_table(
        "alert_groups",
        sa.Column("id", Name, primary_key=True),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("alert_groups_by_end", "alert_groups", ["closed_at"])
    op.create_table("episode_decisions", sa.Column("episode", Name, primary_key=True), sa.Column("payload", sa.Text, nullable=False))
    op.create_table(
        "episode_acts",
        sa.Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("episode", Name, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("episode_acts_by_episode", "episode_acts", ["episode"])
