"""An index of the open episodes: they are few among all, and are read whenever the policy decides and the inbox is drawn."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Make the index."""
    op.create_index("episodes_open", "episodes", ["fired_at", "id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
