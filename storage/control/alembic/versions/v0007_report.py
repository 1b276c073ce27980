"""Reports of owners are named `report:`; they were named `word:`."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Rename them, with the counts that they hold."""
    op.execute(sa.text("UPDATE cursors SET owner = 'report:' || substr(owner, 6) WHERE owner LIKE 'word:%'"))
