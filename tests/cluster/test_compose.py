"""`docker-compose.yaml`, the image's entry point and their page say the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

from cluster.compose import NotSet, interpolated, services, variables

PAGE = (ROOT / "docs" / "cluster.md").read_text()
REQUIRED = {name: f"{name.lower()}-value" for name, needed in variables().items() if needed}


def test_every_variable_is_on_the_page_and_no_other() -> None:
    listed = {
        line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `") and line.split("`")[1].isupper()
    }
    assert listed == set(variables())


def test_every_service_is_on_the_page() -> None:
    assert {name for name in services(REQUIRED) if f"| `{name}` |" not in PAGE} == set()


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_it_refuses_to_start_without_a_secret(name: str) -> None:
    with pytest.raises(NotSet, match=name):
        services({k: v for k, v in REQUIRED.items() if k != name})


def test_a_default_may_hold_another_variable() -> None:
    assert interpolated("${A:-x ${B} y} $$z", {"B": "b"}) == "x b y $z"
    assert interpolated("${A:-x ${B} y}", {"A": "a", "B": "b"}) == "a"


def test_all_of_airflow_shares_one_environment_with_the_ledger_and_the_configuration() -> None:
    ours = [
        s
        for s in services({**REQUIRED, "AWS_ENDPOINT_URL": "http://minio"}).values()
        if "build" in s or "AIRFLOW__CORE__EXECUTOR" in s["environment"]
    ]
    assert len(ours) == 6
    for service in ours:
        given = service["environment"]
        assert given["STRIKES_LEDGER"] == "postgresql+psycopg://airflow:postgres_password-value@postgres/strikes"
        assert (given["STRIKES_CONFIG"], given["AWS_ENDPOINT_URL"]) == ("/etc/strikes", "http://minio")
        assert "AWS_ACCESS_KEY_ID" not in given
        [config] = [m for m in service["volumes"] if isinstance(m, dict)]
        assert (config["target"], config["read_only"], config["bind"]) == (
            "/etc/strikes",
            True,
            {"create_host_path": False},
        )


@pytest.mark.parametrize(
    ("given", "run"),
    [
        (["scheduler"], "airflow scheduler"),
        (["celery", "worker"], "airflow celery worker"),
        ([], "airflow"),
        (["bash", "-c", "exec airflow celery worker"], "airflow celery worker"),
        (["airflow", "db", "migrate"], "airflow db migrate"),
        (["strikes", "doctor"], "strikes doctor"),
        (["sh", "-c", "strikes doctor"], "strikes doctor"),
    ],
)
def test_the_entry_point_takes_a_service_or_a_whole_command(given: list[str], run: str, tmp_path: Path) -> None:
    for tool in ("airflow", "strikes", "celery"):
        (tmp_path / tool).write_text(f'#!/bin/sh\necho {tool} "$@"\n')
        (tmp_path / tool).chmod(0o755)
    done = subprocess.run(
        [ROOT / "scripts" / "entrypoint", *given],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == run
