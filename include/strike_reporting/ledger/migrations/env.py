"""Alembic's entry: runs the steps on the connection that `ledger.engine` hands over."""

from alembic import context

from strike_reporting.ledger.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
