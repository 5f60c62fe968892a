"""Rounds of pulling that the strike calendar asks for."""

from alembic import op

from strike_reporting.ledger.schema import rounds

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table, unless the first step did: it makes every table of today."""
    rounds.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop it again: the calendar says what is due."""
    rounds.drop(op.get_bind(), checkfirst=True)
