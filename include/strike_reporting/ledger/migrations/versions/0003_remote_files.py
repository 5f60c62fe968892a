"""What is remembered of the files on the other side, in place of what servers said of them."""

import sqlalchemy as sa
from alembic import op

from strike_reporting.ledger.schema import remote_files

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, unless the first step did; what `validators` held is asked of the servers again."""
    remote_files.create(op.get_bind(), checkfirst=True)
    if "validators" in {c["name"] for c in sa.inspect(op.get_bind()).get_columns("feeds")}:
        op.drop_column("feeds", "validators")


def downgrade() -> None:
    """Drop it again: the next pulls read everything once more."""
    remote_files.drop(op.get_bind(), checkfirst=True)
    op.add_column("feeds", sa.Column("validators", sa.Text))
