"""Drafts: today's figures of an action, where they are other ones than its current release's."""

from alembic import op

from strike_reporting.ledger.schema import drafts

revision = "0006"
down_revision = "0004"


def upgrade() -> None:
    """Make the table, unless the first step did: it makes every table of today."""
    drafts.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop it again: the next round makes every draft anew."""
    drafts.drop(op.get_bind(), checkfirst=True)
