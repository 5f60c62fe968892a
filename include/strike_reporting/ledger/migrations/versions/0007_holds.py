"""Holds: releases that the gate held for a person, and what he decided."""

from alembic import op

from strike_reporting.ledger.schema import holds

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table, unless the first step did: it makes every table of today."""
    holds.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop it again: what people decided is in landing as well."""
    holds.drop(op.get_bind(), checkfirst=True)
