"""The first tables."""

from alembic import op

from strike_reporting.ledger.schema import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table of the first version."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drop them again: what they hold is rebuilt from landing and releases."""
    metadata.drop_all(op.get_bind())
