"""Where the ledger is and how it is opened: SQLite beside the state by default, PostgreSQL by `STRIKES_LEDGER`.

SQLite serves one machine: it is refused where that can be told to be wrong (an object store as the root, a network
file system, a second host), with the advice to use PostgreSQL.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from strike_reporting.errors import Away, OurFault, StrikesError
from strike_reporting.ledger import schema
from strike_reporting.settings import settings
from strike_reporting.storage import Store

USE_POSTGRES = (
    "Set STRIKES_LEDGER to a PostgreSQL database, such as postgresql+psycopg://user@host/strikes or the id of an "
    "Airflow connection."
)
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "ceph", "glusterfs", "lustre", "beegfs", "9p", "afs"}
_OTHER_HOST = timedelta(minutes=10)
REBUILDING = "rebuilding"  # the fact that stands as long as the ledger is being made again


# SQLite's writers ask every so often whether it is their turn; the threads of one process wait for theirs instead.
_turns: WeakKeyDictionary[sa.Engine, AbstractContextManager[Any]] = WeakKeyDictionary()


class LedgerMissing(OurFault):
    """There are receipts and no ledger that knows them; the message says which command makes it again."""


def ledger_url(store: Store) -> str:
    """The SQLAlchemy URL of a root's ledger.

    Raises:
        StrikesError: the root needs a ledger that is not named.
    """
    given = os.environ.get("STRIKES_LEDGER", "")
    named = given if given and store.is_home else ""
    if not store.local and (not named or named.startswith("sqlite")):
        raise StrikesError(f"the state is in an object store, where SQLite cannot keep the ledger. {USE_POSTGRES}")
    if named:
        return named if "://" in named else _of_connection(named)
    return f"sqlite:///{store.path('ledger/ledger.sqlite')}"


def _of_connection(connection_id: str) -> str:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

    try:
        found = sa.make_url(Connection.get(connection_id).get_uri())
    except (AirflowNotFoundException, AirflowRuntimeError) as error:
        raise StrikesError(f"STRIKES_LEDGER: Airflow has no connection called {connection_id!r}") from error
    return found.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def open_engine(url: str) -> sa.Engine:
    """An engine whose writing transactions take SQLite's lock at their beginning, and whose reading ones never do."""
    made = sa.make_url(url)
    if made.get_backend_name() != "sqlite":
        engine = sa.create_engine(made, pool_pre_ping=True)
        _turns[engine] = nullcontext()
        return engine
    place = Path(str(made.database))
    place.parent.mkdir(parents=True, exist_ok=True)
    kind = _file_system(place.parent)
    if kind in _NETWORK:
        raise StrikesError(f"{place} is on a network file system ({kind}), where SQLite is not safe. {USE_POSTGRES}")
    engine = sa.create_engine(made, connect_args={"timeout": settings().ledger_busy_seconds})
    _turns[engine] = RLock()

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _file_system(folder: Path) -> str:
    """The type of the file system that holds a folder, as Linux names it; empty where that is not said."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    best, kind = "", ""
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        _, place, what, *_ = line.split(" ")
        inside = str(folder.resolve()) + "/"
        if inside.startswith(place.rstrip("/") + "/") and len(place) >= len(best):
            best, kind = place, what
    return kind


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes.

    Raises:
        Away: the database is busy, or cannot be reached.
        OurFault: it is damaged.
    """
    with known_faults(engine), _turns[engine], engine.begin() as connection:
        yield connection


def one_at_a_time(connection: sa.Connection, about: str) -> None:
    """Wait, within a transaction that writes, until no other one is about the same; then see what that one did.

    For what is looked up and written by what was found. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:about))"), {"about": about})


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One consistent view; it never waits for a writer, and no writer for it."""
    with known_faults(engine), engine.connect().execution_options(reading=True) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        yield connection


@contextmanager
def known_faults(engine: sa.Engine) -> Iterator[None]:
    """Database errors as errors of ours, without a statement's parameters."""
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
        if "malformed" in said or "not a database" in said:
            raise OurFault(
                f"the ledger {where} is damaged ({said}); move it away and run `strikes ledger rebuild`"
            ) from error
        if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
            raise Away(f"the ledger {where} cannot be used now: {said}") from error
        raise


def prepare(engine: sa.Engine, store: Store, *, rebuilding: bool = False) -> None:
    """Bring the tables to the newest version, and see that this machine may use them.

    Raises:
        LedgerMissing: nothing is there, but the root holds receipts: it is not begun anew behind anyone's back.
            Nor is one used whose rebuilding was cut short.
        OurFault: the ledger is of a newer version than this program.
    """
    if _version(engine) != schema.HEAD:
        _migrate(engine, store, rebuilding)
    if not rebuilding and get_fact(engine, REBUILDING):
        raise LedgerMissing(
            "the ledger is being made again, or that was cut short; if nobody is at it, run `strikes ledger rebuild`"
        )
    if engine.dialect.name == "sqlite":
        _one_host(engine)


def _version(engine: sa.Engine) -> str | None:
    with reading(engine) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)


def _migrate(engine: sa.Engine, store: Store, rebuilding: bool) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    if _version(engine) is None and not rebuilding and (found := len(store.list("landing/receipts", ".json"))):
        raise LedgerMissing(
            f"{found} receipts are landed and the ledger does not know them; run `strikes ledger rebuild` "
            "(or `strikes ledger upgrade`, if they are of a version before 0.2)"
        )
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with writing(engine) as connection:
        one_at_a_time(connection, "migrating")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise OurFault(f"the ledger is of a version that this program does not know: {error}") from error
        if rebuilding:
            upsert(connection, schema.facts, {"key": REBUILDING, "value": "begun"}, ("key",))


def _one_host(engine: sa.Engine) -> None:
    """Refuse SQLite to a second machine. Containers of one machine share its boot, a reboot keeps the name."""
    boot, name, now = _boot(), socket.gethostname(), datetime.now(UTC)
    if known := get_fact(engine, "host"):
        seen_boot, seen_name, seen = known.split("\n")
        recent = now - datetime.fromisoformat(seen) < _OTHER_HOST
        if recent and seen_boot != boot and seen_name != name:
            raise StrikesError(
                f"the ledger is in use by another machine ({seen_name}), and SQLite serves one. {USE_POSTGRES}"
            )
        if recent and (seen_boot, seen_name) == (boot, name):
            return
    put_fact(engine, "host", f"{boot}\n{name}\n{now.isoformat()}")


def _boot() -> str:
    place = Path("/proc/sys/kernel/random/boot_id")
    return place.read_text().strip() if place.exists() else socket.gethostname()


def get_fact(engine: sa.Engine, key: str) -> str:
    """One word that was kept about the ledger itself; empty where there is none."""
    with reading(engine) as connection:
        return connection.execute(sa.select(schema.facts.c.value).filter_by(key=key)).scalar() or ""


def put_fact(engine: sa.Engine, key: str, value: str) -> None:
    """Keep one word about the ledger itself."""
    with writing(engine) as connection:
        upsert(connection, schema.facts, {"key": key, "value": value}, ("key",))


def facts_of(engine: sa.Engine, prefix: str) -> dict[str, str]:
    """The words that are kept under keys which begin so."""
    with reading(engine) as connection:
        wanted = sa.select(schema.facts).where(schema.facts.c.key.startswith(prefix, autoescape=True))
        return {row.key: row.value for row in connection.execute(wanted.order_by(schema.facts.c.key))}


def swap_fact(engine: sa.Engine, key: str, old: str, new: str) -> bool:
    """Keep one word instead of another (empty: of none), unless it is another by now; whether it was done."""
    with writing(engine) as connection:
        one_at_a_time(connection, key)
        held = connection.execute(sa.select(schema.facts.c.value).filter_by(key=key)).scalar() or ""
        if held != old:
            return False
        if new:
            upsert(connection, schema.facts, {"key": key, "value": new}, ("key",))
        else:
            connection.execute(sa.delete(schema.facts).where(schema.facts.c.key == key))
    return True


def upsert(connection: sa.Connection, table: sa.Table, values: dict[str, Any], keys: tuple[str, ...]) -> None:
    """Insert a row, or replace the one that has its key."""
    upserts(connection, table, [values], keys)


def upserts(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], keys: tuple[str, ...]) -> None:
    """Insert rows of the same columns, or replace those that have their keys."""
    if rows:
        connection.execute(_upsert(connection.dialect.name, table, tuple(rows[0]), keys), rows)


@cache
def _upsert(database: str, table: sa.Table, columns: tuple[str, ...], keys: tuple[str, ...]) -> Any:
    """The statement: made once, for to make it takes longer than to run it."""
    insert: Any
    if database == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    statement = insert(table)
    rest = {c: statement.excluded[c] for c in columns if c not in keys}
    done = statement.on_conflict_do_update(index_elements=list(keys), set_=rest) if rest else None
    return statement.on_conflict_do_nothing() if done is None else done
