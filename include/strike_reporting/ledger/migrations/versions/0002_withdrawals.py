"""Submissions that were withdrawn."""

from alembic import op

from strike_reporting.ledger.schema import withdrawals

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table, unless the first step did: it makes every table of today."""
    withdrawals.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop it again: landing keeps what it holds."""
    withdrawals.drop(op.get_bind(), checkfirst=True)
