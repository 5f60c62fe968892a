"""The tests' own PostgreSQL: it leaves nothing behind, however a test ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from postgres import plain
from sqlalchemy import create_engine, make_url, text

pytestmark = pytest.mark.integration
HOLD = """
import time, psycopg, postgres
with postgres.postgres() as url:
    with psycopg.connect(postgres.plain(url)) as connection:
        print(url, connection.execute("SHOW data_directory").fetchone()[0], flush=True)
    time.sleep(600)
"""


def test_each_test_has_an_empty_database_of_its_own(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        assert connection.execute(text("select count(*) from pg_tables where schemaname = 'public'")).scalar() == 0
        connection.execute(text("create table t (x int)"))
        assert connection.execute(text("select current_setting('is_superuser')")).scalar() == "on"
    assert make_url(postgres_url).host == "127.0.0.1"


def test_a_wrong_password_is_refused(postgres_url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(plain(make_url(postgres_url).set(password="x").render_as_string(hide_password=False)))


def test_it_ends_with_a_test_that_is_killed() -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True
    )
    url, data = holder.stdout.readline().split()
    assert psycopg.connect(plain(url)).execute("select 1").fetchone() == (1,)
    holder.kill()
    holder.wait()
    deadline = time.monotonic() + 60
    while Path(data).parent.exists():
        assert time.monotonic() < deadline, "its folder is still there"
        time.sleep(0.05)
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(plain(url))
