"""What the three DAGs share: defaults, tags and the assets that link them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Asset

LANDING = Asset("strikes://landing")
ACCEPTED = Asset("strikes://accepted")
RELEASE = Asset("strikes://release")

DAG_DEFAULTS = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "tags": ["strike-reporting"],
    "default_args": {
        "owner": "strike-reporting",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": True,
        "execution_timeout": timedelta(minutes=30),
    },
}
