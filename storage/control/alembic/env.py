"""Runs the migrations on the connection that `storage.control.engine` hands over, within its transaction."""

from alembic import context

from storage.control.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
