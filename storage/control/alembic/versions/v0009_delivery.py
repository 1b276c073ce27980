"""Tables of receivers and of attempts; urgency, and when a notification was queued and last begun."""

import sqlalchemy as sa
from alembic import op

from storage.control.kind import Name

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add them. What waits was queued when it was made; what was tried had been begun."""
    op.add_column("outbox", sa.Column("rank", sa.Integer, nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("queued", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("begun", sa.BigInteger))
    op.execute("UPDATE outbox SET queued = created")
    op.execute("UPDATE outbox SET begun = created WHERE attempts > 0 OR state = 'delivered'")
    op.create_index("outbox_by_rank", "outbox", ["state", "destination", sa.text("rank DESC"), "sequence"])
    op.create_index("outbox_by_thread", "outbox", ["episode", "destination", "sequence"])
    op.create_table(
        "endpoints",
        sa.Column("destination", Name, primary_key=True),
        sa.Column("claimed", sa.BigInteger),
        sa.Column("opens", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
    )
    op.create_table(
        "attempts",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("delivery", Name, nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("reason", Name, nullable=False),
    )
    op.create_index("attempts_by_delivery", "attempts", ["delivery", "sequence"])
