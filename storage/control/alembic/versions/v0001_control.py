"""The first control tables: definitions, cursors, alert state, episodes, outbox, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:  # long: a list of tables
    """Create all tables."""
    # By bytes, as SQLite does: an index then stays valid when the operating system changes its collations.
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    sequence = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "contracts",
        sa.Column("model", text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("content", text, nullable=False),
        sa.Column("reference", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "monitors",
        sa.Column("model", text, primary_key=True),
        sa.Column("name", text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_table(
        "monitor_history",
        sa.Column("model", text, primary_key=True),
        sa.Column("name", text, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table("destinations", sa.Column("name", text, primary_key=True), sa.Column("payload", sa.Text, nullable=False))
    op.create_table("cursors", sa.Column("owner", text, primary_key=True), sa.Column("payload", sa.Text, nullable=False))
    op.create_table(
        "rules",
        sa.Column("model", text, primary_key=True),
        sa.Column("monitor", text, primary_key=True),
        sa.Column("column", text, primary_key=True),
        sa.Column("segment", text, primary_key=True),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_table(
        "episodes",
        sa.Column("id", text, primary_key=True),
        sa.Column("model", text, nullable=False),
        sa.Column("monitor", text, nullable=False),
        sa.Column("fired_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("episodes_by_time", "episodes", ["fired_at", "id"])
    op.create_index("episodes_by_model", "episodes", ["model", "ended_at"])
    op.create_table(
        "transitions",
        sa.Column("sequence", sequence, primary_key=True, autoincrement=True),
        sa.Column("episode", text, nullable=False),
        sa.Column("recorded", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("transitions_by_episode", "transitions", ["episode"])
    op.create_table(
        "outbox",
        sa.Column("sequence", sequence, primary_key=True, autoincrement=True),
        sa.Column("id", text, nullable=False, unique=True),
        sa.Column("destination", text, nullable=False),
        sa.Column("episode", text, nullable=False),
        sa.Column("type", text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("last_status", sa.Integer),
        sa.Column("reason", text, nullable=False),
    )
    op.create_index("outbox_by_state", "outbox", ["state", "destination", "sequence"])
    op.create_index("outbox_by_episode", "outbox", ["episode"])
    op.create_table(
        "audit",
        sa.Column("sequence", sequence, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", text, nullable=False),
        sa.Column("action", text, nullable=False),
        sa.Column("subject", text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
    )
