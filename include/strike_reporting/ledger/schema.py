"""The ledger's tables. Records are kept whole as JSON; the other columns are what is searched by.

Alembic migrates it: change a table here and add a step under `migrations/versions`.
"""

from __future__ import annotations

import sqlalchemy as sa

HEAD = "0007"  # the newest migration
metadata = sa.MetaData()
# 64 bits on PostgreSQL; SQLite's own key type, without which it does not number rows by itself.
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
    sa.Column("submission_id", sa.Text, nullable=False, unique=True),
    sa.Column("feed_id", sa.Text, nullable=False),
    sa.Column("is_landed", sa.Boolean, nullable=False),
    sa.Column("is_judged", sa.Boolean, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Index("receipts_of_feed", "feed_id", "sequence"),
    sqlite_autoincrement=True,  # a number is never used twice, also not that of a landing that was given up
)
# What is still to do is a small part of all there is: these indexes hold nothing else.
sa.Index(
    "receipts_to_judge",
    receipts.c.sequence,
    sqlite_where=sa.and_(receipts.c.is_landed, sa.not_(receipts.c.is_judged)),
    postgresql_where=sa.and_(receipts.c.is_landed, sa.not_(receipts.c.is_judged)),
)
sa.Index(
    "receipts_to_land",
    receipts.c.submission_id,
    sqlite_where=sa.not_(receipts.c.is_landed),
    postgresql_where=sa.not_(receipts.c.is_landed),
)

duplicates = sa.Table(
    "duplicates",
    metadata,
    sa.Column("submission_id", sa.Text, primary_key=True),
    sa.Column("source_name", sa.Text, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)

pulls = sa.Table(
    "pulls",
    metadata,
    sa.Column("feed_id", sa.Text, primary_key=True),
    sa.Column("collection", sa.Text, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)

feeds = sa.Table(
    "feeds",
    metadata,
    sa.Column("feed_id", sa.Text, primary_key=True),
    sa.Column("is_failing", sa.Boolean, nullable=False),
    sa.Column("last_pull", sa.Text),
    sa.Index("feeds_failing", "is_failing"),
)

remote_files = sa.Table(
    "remote_files",
    metadata,
    sa.Column("feed_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger),
    sa.Column("modified", sa.Double),
    sa.Column("sent_at", sa.Text),
    sa.Column("submission_id", sa.Text),
    sa.Column("sha256", sa.Text),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("sequence", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_try", sa.Text, nullable=False),
)
# What is not landed is a small part of all there is: this index holds nothing else.
sa.Index(
    "remote_files_troubled",
    remote_files.c.feed_id,
    sqlite_where=remote_files.c.state.in_(("failed", "waiting")),
    postgresql_where=remote_files.c.state.in_(("failed", "waiting")),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("submission_id", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False, index=True),
    sa.Column("feed_id", sa.Text, nullable=False),
    sa.Column("ods_code", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("action_id", sa.Text),
    sa.Column("received_at", sa.Text, nullable=False),
    sa.Column("has_days", sa.Boolean, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Index("outcomes_of_feed", "feed_id", "sequence"),
    sa.Index("outcomes_of_trust", "ods_code", "sequence"),
    sa.Index("outcomes_by_status", "status", "sequence"),
)
sa.Index(
    "outcomes_without_days",
    outcomes.c.received_at,
    sqlite_where=sa.not_(outcomes.c.has_days),
    postgresql_where=sa.not_(outcomes.c.has_days),
)

said = sa.Table(
    "said",
    metadata,
    sa.Column("submission_id", sa.Text, primary_key=True),
    sa.Column("strike_day", sa.Date, primary_key=True),
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("ods_code", sa.Text),
    sa.Column("extract", sa.Text),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    sa.Column("quarantined", sa.BigInteger, nullable=False),
    sa.Index("said_of_day", "strike_day", "extract", "ods_code"),
)

withdrawals = sa.Table(
    "withdrawals",
    metadata,
    sa.Column("submission_id", sa.Text, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)

rules = sa.Table(
    "rules",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
)

touched = sa.Table(
    "touched",
    metadata,
    sa.Column("action_id", sa.Text, primary_key=True),
    sa.Column("mark", sa.BigInteger, nullable=False),
)

releases = sa.Table(
    "releases",
    metadata,
    sa.Column("action_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("release_id", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("is_current", sa.Boolean, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("claimed_at", sa.Text, nullable=False),
    sa.Column("identity", sa.Text, nullable=False),
    sa.Column("drawn", sa.Text, nullable=False),
    sa.Column("is_early", sa.Boolean, nullable=False),  # made before its action's first day
    sa.Column("summary", sa.Text, nullable=False),
    sa.Index("releases_current", "is_current"),
    sa.Index("releases_drawn", "drawn"),
)
sa.Index(
    "releases_early", releases.c.release_id, sqlite_where=releases.c.is_early, postgresql_where=releases.c.is_early
)

drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("action_id", sa.Text, primary_key=True),
    sa.Column("identity", sa.Text, nullable=False),
    sa.Column("kept", sa.Text, nullable=False),  # its folder; empty where today's figures are the current release's
    sa.Column("compared", sa.Text, nullable=False),  # the release that it says what differs from
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("claimed_at", sa.Text, nullable=False),
    sa.Column("drawn", sa.Text, nullable=False),
)

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("action_id", sa.Text, primary_key=True),
    sa.Column("since", sa.Text, primary_key=True),
    sa.Column("is_unfinished", sa.Boolean, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)
sa.Index(
    "holds_unfinished", holds.c.action_id, sqlite_where=holds.c.is_unfinished, postgresql_where=holds.c.is_unfinished
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("record", sa.Text, nullable=False),
)

rounds = sa.Table(
    "rounds",
    metadata,
    sa.Column("round_id", sa.Text, primary_key=True),  # its minute in London
    sa.Column("due_at", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actions", sa.Text, nullable=False),
    sa.Column("claimed_by", sa.Text, index=True),
    sa.Column("claimed_at", sa.Text),
    sa.Column("done_at", sa.Text),
)

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
