"""What a real scheduler works on in tests: S3, a PostgreSQL ledger, a configuration, trusts that send files."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from inbox import Hook
from postgres import database, execute, plain, postgres
from s3 import S3, s3
from scheduler import Airflow, Run, airflow
from sqlalchemy import make_url
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.registry import load_feeds
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Letter, Outcome, Receipt
from strike_reporting.reference.actions import actions, resolve, touching
from strike_reporting.settings import settings
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet

HEADER = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
TRUSTS = ("RHM", "RHU", "RJ1")
# Actions none of which is reported with another: what one test takes no other test touches.
ACTIONS = iter(
    a
    for a in actions()
    if touching((*resolve(a).days, *resolve(a).closing_days)) == (a,) and not a.startswith("NUR-2022-12")
)


@dataclass
class World:
    """One test's share of it: an inbox and actions of its own, and no feed but those that it adds."""

    airflow: Airflow
    s3: S3
    ledger: str
    config: Path
    inbox: Path
    entries: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """The state root, as the tasks open it."""
        return Store()

    def action(self) -> str:
        """An action that nobody has sent anything about."""
        return next(ACTIONS)

    def configure(self, **more: object) -> None:
        """Write the feeds, and settings other than the default."""
        (self.config / "feeds" / "feeds.yaml").write_text("".join(self.entries) or "[]\n")
        quick = {"retry_after_seconds": [0.1], **more}
        (self.config / "settings.toml").write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in quick.items()))
        settings.cache_clear()

    def feed(self, trust: str, **fields: str) -> None:
        """Add a feed; by default a folder that its trust's files are put into."""
        given = {
            "trust": trust,
            "extract": "cancellations",
            "location": str(self.inbox / trust),
            "contact": f"information@{trust.lower()}.example",
            **fields,
        }
        self.entries.append(f"- {json.dumps(given)}\n")
        self.configure()

    def send(self, trust: str, action: str, text: str = "") -> bytes:
        """Put a trust's file about an action where its feed looks; by default a good one."""
        data = (text or f"{HEADER}{trust},{action.partition('-')[2]},day_case,cancelled,5\n").encode()
        (self.inbox / trust).mkdir(parents=True, exist_ok=True)
        (self.inbox / trust / f"{trust}_{action}.csv").write_bytes(data)
        return data

    def land(self, action: str, *trusts: str) -> list[Receipt]:
        """Land a good file about an action from each of these trusts without a scheduler."""
        for trust in trusts:
            if not any(f'"{trust}"' in e for e in self.entries):
                self.feed(trust)
            self.send(trust, action)
        pulled = collect(self.store, "test", load_feeds())
        assert [p.reason for p in pulled if p.status == "failed"] == []
        return [receipt for p in pulled for receipt in p.landed]

    def judge(self) -> list[Outcome]:
        """Judge what is landed without a scheduler."""
        return [j.outcome for j in validate(self.store, to_validate(self.store)) if j.outcome]

    def outcome(self, receipt: Receipt) -> Outcome:
        """What became of a submission."""
        found = ledger_of(self.store).judged.get(receipt.submission_id)
        assert found is not None, f"{receipt.source_name} was not judged"
        return found

    def is_published(self, action: str) -> bool:
        """Whether an action has a release that is current."""
        return self.store.exists(f"releases/{action}/latest.json")

    def letters(self, about: str) -> list[Letter]:
        """The letters about a release or a submission."""
        return [e for e in ledger_of(self.store).letters.listed() if e.about == about]

    def round(self) -> tuple[Run, Run | None, Run | None]:
        """A collection and the runs that it starts: of validation if something was landed, and of publication."""
        collected = self.airflow.run("collect_extracts")
        validated = self.airflow.nudged("validate_extracts", collected) if told(collected, "landed") else None
        if validated is None or not told(validated, "judged"):
            return collected, validated, None
        return collected, validated, self.airflow.nudged("publish_disruption", validated)

    @contextmanager
    def damaged(
        self, key: str, damage: Callable[[bytes], bytes] = lambda data: data[: len(data) // 2]
    ) -> Iterator[None]:
        """What is stored under a key is damaged in this block, by default cut short."""
        whole = self.store.read(key)
        self.store.write(key, damage(whole))
        try:
            yield
        finally:
            self.store.write(key, whole)

    @contextmanager
    def no_ledger(self) -> Iterator[None]:
        """PostgreSQL takes no connection to the ledger in this block, and breaks those that there are."""
        url = make_url(self.ledger)
        server = url.set(database="postgres").render_as_string(hide_password=False)
        execute(server, f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false')
        try:
            with psycopg.connect(plain(server)) as connection:
                ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                connection.execute(ended, [url.database])
            yield
        finally:
            execute(server, f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS true')

    @contextmanager
    def connection(self, connection_id: str, kind: str, port: int, schema: str = "", **extra: object) -> Iterator[None]:
        """An Airflow connection to a port of this machine."""
        about = {"connection_id": connection_id, "conn_type": kind, "host": "127.0.0.1", "port": port, "schema": schema}
        api: httpx.Client = self.airflow.api
        api.post("/connections", json={**about, "extra": json.dumps(extra)}).raise_for_status()
        try:
            yield
        finally:
            api.delete(f"/connections/{connection_id}").raise_for_status()

    def webhook(self, hook: Hook) -> AbstractContextManager[None]:
        """The owner's webhook leads to this one."""
        return self.connection("strikes_webhook", "http", hook.server.server_port, schema="http")


def told(run: Run, task: str) -> bool:
    """Whether a run's event was emitted: it is when something changed, and only then."""
    assert run.tasks[task] in (["success"], ["skipped"]), run
    return run.tasks[task] == ["success"]


def worlds(folder: Path) -> Iterator[Callable[[], World]]:
    """Start everything once; each call gives the next test its share."""
    config, bucket = folder / "config", "strikes-state"
    (config / "feeds").mkdir(parents=True)
    (config / "dialects").symlink_to(ROOT / "include" / "config" / "dialects")
    with postgres() as server, database(server) as ledger, s3(bucket) as stored, pytest.MonkeyPatch.context() as patch:
        environment = {
            **stored.environment,
            "STRIKES_HOME": f"s3://{bucket}/root",
            "STRIKES_LEDGER": ledger,
            "STRIKES_CONFIG": str(config),
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        with airflow(folder / "airflow", environment) as running:

            def share() -> World:
                inbox = Path(tempfile.mkdtemp(dir=folder))
                one = World(running, stored, ledger, config, inbox)
                one.configure()
                return one

            yield share


def judged(world: World, *actions: str) -> list[str]:
    """Submissions about each action, judged and ready to be published."""
    receipts = [world.land(action, TRUSTS[0])[0] for action in actions]
    world.judge()
    assert [world.outcome(r).status for r in receipts] == ["accepted"] * len(actions)
    return [r.submission_id for r in receipts]


def doubled(data: bytes) -> bytes:
    """A table whose counts are twice what they were."""
    table = read_parquet(data)
    place, out = table.schema.get_field_index("cancelled_count"), io.BytesIO()
    twice = pc.multiply(table["cancelled_count"], 2).cast(table.schema.field(place).type)
    pq.write_table(table.set_column(place, table.schema.field(place), pa.chunked_array(twice.chunks)), out)
    return out.getvalue()
