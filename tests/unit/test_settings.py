"""Settings: the strongest source stands, and what is wrong is named with its place and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError
from strike_reporting.errors import OurFault
from strike_reporting.operations.documentation import documents
from strike_reporting.setting_groups import people
from strike_reporting.settings import GROUPS, Settings, config_folder, settings

Given = Callable[[str], Path]


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Given:
    """A configuration folder with these settings, named by `STRIKES_CONFIG`."""

    def write(text: str) -> Path:
        (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
        monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path))
        settings.cache_clear()
        return tmp_path / "settings.toml"

    return write


def fault() -> str:
    with pytest.raises(OurFault) as caught:
        settings()
    return str(caught.value)


def test_the_environment_is_stronger_than_the_file_and_the_file_than_the_default(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    given("read_seconds = 90\nmax_rows = 7\n")
    monkeypatch.setenv("STRIKES_READ_SECONDS", "120")
    assert (settings().read_seconds, settings().max_rows, settings().max_columns) == (120, 7, 200)


def test_an_empty_variable_is_not_given(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    given("read_seconds = 90\n")
    monkeypatch.setenv("STRIKES_READ_SECONDS", "")
    assert settings().read_seconds == 90


def test_waits_are_a_list_in_the_file_and_numbers_with_commas_in_the_environment(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    given("retry_after_seconds = [1, 4]\n")
    assert settings().retry_after_seconds == (1, 4)
    monkeypatch.setenv("STRIKES_RETRY_AFTER_SECONDS", "0.05, 2")
    settings.cache_clear()
    assert settings().retry_after_seconds == (0.05, 2)


def test_a_misspelt_name_in_the_file_is_named_with_its_line_and_the_nearest(given: Given) -> None:
    file = given("# mine\nread_second = 90\n")
    assert fault() == f"{file}, line 2: read_second: no setting has this name (the nearest is read_seconds)"


def test_a_bad_value_in_the_file_is_named_with_its_line_and_the_default(given: Given) -> None:
    file = given("max_rows = 5\nread_seconds = -1\n")
    assert fault() == (
        f"{file}, line 2: read_seconds = -1: input should be greater than 0. "
        "Correct it, or remove it for the default, 60"
    )


def test_every_fault_is_said_at_once(given: Given) -> None:
    given('read_seconds = "long"\nmax_sheets = 0\nrows = 3\n')
    found = fault()
    assert all(word in found for word in ("read_seconds = 'long'", "max_sheets = 0", "rows: no setting"))


def test_a_bad_variable_is_named_as_the_environments(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    given("read_seconds = 90\n")
    monkeypatch.setenv("STRIKES_READ_SECONDS", "a minute")
    assert fault().startswith("the environment: STRIKES_READ_SECONDS = 'a minute': input should be a valid number")


def test_a_misspelt_variable_is_refused_and_what_kubernetes_adds_for_a_service_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STRIKES_POSTGRES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("STRIKES_POSTGRES_PORT_5432_TCP_ADDR", "10.0.0.1")
    assert settings().read_seconds == 60
    monkeypatch.setenv("STRIKES_READ_SECOND", "90")
    settings.cache_clear()
    assert fault() == "STRIKES_READ_SECOND: no setting has this name (the nearest is STRIKES_READ_SECONDS)"


@pytest.mark.parametrize("text", ["read_seconds = \n", "read_seconds: 60\n"])
def test_a_file_that_is_not_toml_says_where(given: Given, text: str) -> None:
    file = given(text)
    assert fault().startswith(f"{file} cannot be read")
    assert "line 1" in fault()


def test_a_configuration_folder_that_is_not_there_says_what_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path / "none"))
    with pytest.raises(OurFault, match=r"`strikes init .*none` makes it"):
        config_folder()


def test_a_configuration_may_be_named_before_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from strike_reporting.cli import app
    from typer.testing import CliRunner

    folder = tmp_path / "mine"
    monkeypatch.setenv("STRIKES_CONFIG", str(folder))
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0
    assert (folder / "feeds" / "feeds.yaml").exists()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        settings().max_rows = 3  # type: ignore[misc]


def test_what_may_decide_a_figure_can_be_pinned() -> None:
    pinned = settings().deciding()
    assert pinned["ahead_days"] == 28
    assert "feeds_in_group" not in pinned


def test_every_setting_is_in_a_group_with_a_description_and_on_the_page() -> None:
    page = documents()["docs/settings.md"].decode()
    grouped = [name for group in GROUPS for name in group.model_fields]
    assert sorted(grouped) == sorted(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        assert field.description
        assert f"| `{name}` | `STRIKES_{name.upper()}` |" in page


def test_people_are_ids_of_airflow_users_with_or_without_a_name(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    given('approvers = ["a.analyst", "7:B. Other"]\ncut_at_once = false\n')
    assert people(settings().approvers) == {"a.analyst": "a.analyst", "7": "B. Other"}
    monkeypatch.setenv("STRIKES_PRE_RELEASE_ACCESS", "a.analyst, 7: B. Other")
    settings.cache_clear()
    assert people(settings().pre_release_access) == {"a.analyst": "a.analyst", "7": "B. Other"}
    monkeypatch.setenv("STRIKES_PRE_RELEASE_ACCESS", "a.analyst, :B. Other")
    settings.cache_clear()
    assert "each is the id of an Airflow user, or `id:Name`" in fault()


def test_an_embargo_where_all_is_released_at_once_is_refused(given: Given) -> None:
    given('pre_release_access = ["a.analyst"]\n')
    assert "set cut_at_once = false" in fault()
