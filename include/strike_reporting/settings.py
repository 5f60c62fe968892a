"""Every number that tunes the work, in one frozen model; what is law or contract is no setting.

Strongest first: the environment (`STRIKES_READ_SECONDS`), `settings.toml` of the configuration folder
(`read_seconds = 60`), the defaults here. `docs/settings.md` is generated from this file.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from strike_reporting.errors import OurFault, StrikesError
from strike_reporting.setting_groups import Access, Gate, Ledger, Watching
from strike_reporting.setting_groups import Group as _Group

PREFIX = "STRIKES_"
ENVIRONMENT = {
    "STRIKES_HOME": "the state: a folder, or an object store such as `s3://bucket/prefix`",
    "STRIKES_CONFIG": "the folder of feeds, dialects, settings and overlays; `strikes init FOLDER` writes one",
    "STRIKES_LEDGER": "the ledger's database: a URL or an Airflow connection id",
}
_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"  # of the day
_KUBERNETES = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$")


class Work(_Group):
    """How work is cut into mapped tasks: a group for each that may run at once, but none smaller than is worth it.

    A task costs 1 to 2 processor seconds before its work begins, one that judges 4 more: it loads Great Expectations.
    """

    tasks_at_once: int = Field(
        0, ge=0, description="tasks side by side, and the most processes by which one draws; 0: one for each processor"
    )
    feeds_in_group: int = Field(50, ge=1, description="feeds that one task pulls, at least")
    submissions_in_group: int = Field(100, ge=1, description="submissions that one task judges, at least")
    actions_in_group: int = Field(12, ge=1, description="actions that one task publishes, at least")


class Pulling(_Group):
    """Feeds: how many at once, and how long each may take. A connection's extra may say otherwise for itself."""

    pulls_at_once: int = Field(8, ge=1, description="feeds pulled side by side in one task")
    pulls_at_one_endpoint: int = Field(2, ge=1, description="of these, at one connection")
    round_seconds: float = Field(900, gt=0, description="after this nothing new of a group is begun")
    failed_feeds_percent: float = Field(50, ge=0, le=100, description="a collection fails when more of its feeds did")
    retry_after_seconds: Annotated[tuple[float, ...], NoDecode] = Field(
        (0.5, 2.0), description="the wait before each further try of a pull that may work next time"
    )
    failing_seconds: float = Field(
        60, gt=0, description="that a feed's failing files may take of one round; then the rest waits for the next"
    )
    file_retry_at_most_seconds: float = Field(
        3600, ge=0, description="the longest wait before a file that failed in round after round is tried again"
    )
    folder_settle_seconds: float = Field(5, ge=0, description="a younger file of a folder may still be being written")
    sftp_timeout_seconds: float = Field(20, gt=0, description="without an answer from an SFTP server")
    sftp_deadline_seconds: float = Field(300, gt=0, description="for one file over SFTP, however slowly it trickles")
    sftp_settle_seconds: float = Field(1, ge=0, description="a new file that changes within it is still being written")
    sftp_chunk_bytes: int = Field(256 * 1024, ge=1024, description="asked of an SFTP server at a time")
    https_timeout_seconds: float = Field(20, gt=0, description="without an answer from an HTTPS server")
    https_deadline_seconds: float = Field(300, gt=0, description="for one file over HTTPS, however slowly it trickles")
    https_index_bytes: int = Field(20_000_000, ge=1, description="size of a JSON index of files")
    mesh_timeout_seconds: float = Field(30, gt=0, description="without an answer from the message exchange")


class Rounds(_Group):
    """When feeds are pulled, by the strike calendar; times are London's."""

    pull_from: str = Field("07:00", pattern=_TIME, description="first pull of a day on which returns are due")
    cut_off: str = Field("11:00", pattern=_TIME, description="when they are due")
    remind_minutes: int = Field(
        60, ge=0, le=720, description="before it, when who has not returned is reminded; 0: nobody is"
    )
    cut_off_grace_minutes: int = Field(60, ge=0, le=720, description="after it, until the last of these pulls")
    pull_every_minutes: int = Field(10, ge=1, le=720, description="from one of these pulls to the next")
    arrears_days: int = Field(1, ge=0, le=7, description="from a strike day to the day on which its returns are due")
    days_after: int = Field(
        14, ge=0, description="after an action: its late returns, reinstatements and rebookings are looked for"
    )
    daily_at: str = Field(
        "17:10", pattern=_TIME, description="the one pull of every other day, and after those of a strike"
    )
    look_back_days: int = Field(7, ge=1, description="a round that an edit of the calendar adds so far back is made up")

    @field_validator("cut_off")
    @classmethod
    def _after_the_first(cls, value: str, info: ValidationInfo) -> str:
        if value < info.data.get("pull_from", ""):
            raise ValueError(f"it is before the first pull, at {info.data['pull_from']}")
        return value


class Limits(_Group):
    """What one file may hold. Beyond, it is refused with the limit named."""

    decides: ClassVar[bool] = True
    max_file_bytes: int = Field(
        50_000_000, ge=1, description="size of a file as it comes, and of what an archive holds"
    )
    max_expanded_bytes: int = Field(500_000_000, ge=1, description="size of a workbook unpacked")
    max_parquet_bytes: int = Field(200_000_000, ge=1, description="size of a Parquet file's values unpacked")
    max_expansion_ratio: int = Field(200, ge=1, description="size unpacked, in times the packed size")
    max_rows: int = Field(1_000_000, ge=1, description="rows of a table, and of all that a file becomes")
    max_columns: int = Field(200, ge=1, description="columns of a table that hold more than a heading")
    max_cells: int = Field(20_000_000, ge=1, description="cells of a table, rows times columns")
    max_workbook_cells: int = Field(
        5_000_000, ge=1, description="cells of a workbook's sheets together; each costs several times a text file's"
    )
    max_parts: int = Field(20_000, ge=1, description="days and parts (of its sites, say) that a file speaks of")
    max_cell_characters: int = Field(2_000, ge=1, description="characters of a cell")
    max_sheets: int = Field(30, ge=1, description="sheets of a workbook")
    max_archive_depth: int = Field(2, ge=0, description="archives inside one another")
    max_archive_files: int = Field(40, ge=1, description="files of an archive")
    header_within_rows: int = Field(40, ge=1, description="rows in which a table's header is looked for")
    read_memory_bytes: int = Field(
        1024**3, ge=256 * 1024**2, description="address space of the process that reads one file"
    )
    read_seconds: float = Field(
        60, gt=0, description="processor time for reading one file; by the clock it may take five times as long"
    )


class Doubts(_Group):
    """When a submission that can be used is flagged as doubtful."""

    decides: ClassVar[bool] = True
    jump_times: float = Field(5, gt=1, description="times more, or less, than the trust's previous total for the day")
    jump_at_least: int = Field(20, ge=0, description="totals below this jump by chance")
    pasted_at_least_rows: int = Field(
        3, ge=2, description="different rows that stand in a file again, in the same order: fewer may by chance"
    )
    pasted_at_least_count: int = Field(
        50, ge=2, description="a single row of such numbers that stands in a file again is a copy"
    )
    total_asked_from: int = Field(
        10, ge=1, description="smallest number that may be asked about as the unnamed total of other rows"
    )
    repeated_rows_listed: int = Field(20, ge=1, description="identical rows named in one report")


class Counting(_Group):
    """When figures may be compared, and when they are flagged as doubtful."""

    decides: ClassVar[bool] = True
    comparable_cover_percent: float = Field(
        95, ge=0, le=100, description="of the trusts expected, on every strike day: else peaks are of the same trusts"
    )
    impossible_percent: float = Field(
        2, ge=0, le=100, description="of the whole, in pairs whose part is more than it: the share is then unreliable"
    )
    outlier_times: float = Field(3, gt=1, description="times the median share of peers of the same size")
    peers_at_least: int = Field(8, ge=2, description="fewer peers are too few to be held against")
    unusual_share_points: float = Field(50, gt=0, description="percentage points from the peers' median of a part")


class Judging(_Group):
    """Judging in batches, and the error report."""

    batch_rows: int = Field(300_000, ge=1, description="rows judged together, for speed and no other reason")
    report_findings: int = Field(40, ge=1, description="findings listed in the error report's text")
    report_workbook_findings: int = Field(
        10_000, ge=1, description="findings listed in its workbook, which goes by mail"
    )


class Selection(_Group):
    """Which files count for an action."""

    decides: ClassVar[bool] = True
    ahead_days: int = Field(28, ge=0, description="before its first day: a file that came then may be about it")
    behind_days: int = Field(14, ge=0, description="after its last day: the same")


class Publishing(_Group):
    """Making releases and pages."""

    duckdb_memory: str = Field(
        "384MiB", pattern=r"^\d+(\.\d+)? ?[KMGT]i?B$", description="memory DuckDB may use; more lies on disk"
    )
    summed_rows: int = Field(500_000, ge=1, description="accepted rows that are summed together, trust after trust")
    duckdb_threads: int = Field(2, ge=1, description="threads DuckDB may use, where there is enough to do")
    workbook_rows: int = Field(30_000, ge=1, description="a longer table is left to the CSV and Parquet files")
    revisions_shown: int = Field(500, ge=1, description="revisions listed on a page")
    headline_percent: float = Field(
        50,
        ge=0,
        le=100,
        description="of returns covered: below it a figure is what was reported so far, not the area's",
    )
    cut_at_once: bool = Field(
        True, description="a release is cut as soon as figures differ; if not, they are a draft until a release time"
    )
    release_times: Annotated[tuple[Annotated[str, Field(pattern=_TIME)], ...], NoDecode] = Field(
        ("09:30",), description="when drafts are released, London time; of none, releases are only cut by hand"
    )
    provisional_days: int = Field(
        14, ge=0, description="after a strike's last day, in which its releases are provisional and cut at every time"
    )
    revision_day: int = Field(28, ge=0, description="after its last day, on which the one scheduled revision is cut")
    final_day: int = Field(42, ge=1, description="after its last day, from which figures are only corrected, by hand")
    before_days: int = Field(28, ge=1, description="days before a strike that “Before a strike” looks at")
    before_actions: int = Field(4, ge=0, description="earlier actions shown beside a coming one")
    files_shown: int = Field(40, ge=0, description="files that `strikes run` lists; beyond, only the refused ones")
    warnings_shown: int = Field(5, ge=0, description="warnings that `strikes run` prints; it counts them all")
    mail_lines: int = Field(20, ge=1, description="changes that an e-mail about a release lists; it counts them all")


GROUPS: tuple[type[_Group], ...] = (
    Work,
    Pulling,
    Rounds,
    Limits,
    Doubts,
    Counting,
    Judging,
    Selection,
    Publishing,
    Gate,
    Access,
    Ledger,
    Watching,
)


class Settings(
    BaseSettings,
    Access,  # checked last: it looks at what Publishing says
    Work,
    Pulling,
    Rounds,
    Limits,
    Doubts,
    Counting,
    Judging,
    Selection,
    Publishing,
    Gate,
    Ledger,
    Watching,
):
    """All settings, frozen."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, allow_inf_nan=False
    )

    @field_validator("retry_after_seconds", "release_times", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("retry_after_seconds")
    @classmethod
    def _not_negative(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(wait < 0 for wait in value):
            raise ValueError("a wait cannot be negative")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before `settings.toml`; no dotenv file and no folder of secrets."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _file())

    def deciding(self) -> dict[str, Any]:
        """The settings that an outcome or a figure may depend on, by name."""
        names = [n for group in GROUPS if group.decides for n in group.model_fields]
        return {n: getattr(self, n) for n in names}


@cache
def settings() -> Settings:
    """The settings, read once a process; `settings.cache_clear()` makes the next call read them again.

    Raises:
        OurFault: an unknown name or a bad value; the message says where it stands and what to do.
    """
    file = _file()
    _check_environment()
    try:
        return Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise OurFault(f"{file} cannot be read: {error}. Correct it: each line is `name = value`") from error
    except ValidationError as error:
        raise OurFault(
            ". ".join(_sentence(file, e["type"], e["loc"], e["msg"], e["input"]) for e in error.errors())
        ) from error


def shown(value: Any) -> str:
    """A setting's value as it is written in `settings.toml`."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    return json.dumps(value) if isinstance(value, (str, bool)) else f"{value}"


def clone() -> Path | None:
    """The clone this package runs from; None when it was installed from a wheel."""
    include = Path(__file__).parents[1]
    return include.parent if include.name == "include" else None


def example_config() -> Path:
    """The embedded example configuration.

    Raises:
        StrikesError: the package was installed from a wheel, which has none.
    """
    root = clone()
    if root is None:
        raise StrikesError(
            "the embedded example and the generated documents belong to a clone of the repository, not to the "
            "installed package. `strikes simulate` writes files to try"
        )
    return root / "include" / "config"


def config_folder() -> Path | None:
    """The configuration: `STRIKES_CONFIG`; in a clone else the embedded example; None without either.

    Raises:
        OurFault: `STRIKES_CONFIG` names no folder.
    """
    named = os.environ.get("STRIKES_CONFIG")
    if named:
        if not Path(named).is_dir():
            raise OurFault(f"STRIKES_CONFIG names {named}, which is no folder. `strikes init {named}` makes it")
        return Path(named)
    return example_config() if clone() else None


def config_named() -> bool:
    """Whether `STRIKES_CONFIG` names the configuration, which is then somebody's own."""
    return bool(os.environ.get("STRIKES_CONFIG"))


def _file() -> Path | None:
    folder = config_folder()
    return folder / "settings.toml" if folder else None


def _check_environment() -> None:
    known = {*ENVIRONMENT, *(PREFIX + name.upper() for name in Settings.model_fields)}
    given = (name for name in os.environ if name.upper().startswith(PREFIX))
    unknown = sorted(n for n in given if n.upper() not in known and not _KUBERNETES.search(n))
    if unknown:
        raise OurFault(". ".join(f"{n}: {_no_such(n.upper(), known)}" for n in unknown))


def _no_such(name: str, known: set[str]) -> str:
    near = get_close_matches(name, sorted(known), 1, 0.7)
    hint = f"the nearest is {near[0]}" if near else "docs/settings.md lists them"
    return f"no setting has this name ({hint})"


def _sentence(file: Path | None, kind: str, loc: tuple[int | str, ...], message: str, value: object) -> str:
    key = str(loc[0])
    if kind == "extra_forbidden":
        return f"{_place(file, key)}: {key}: {_no_such(key, set(Settings.model_fields))}"
    variable = next((n for n in os.environ if n.upper() == PREFIX + key.upper() and os.environ[n]), None)
    where = "the environment" if variable else _place(file, key)
    default = Settings.model_fields[key].default
    if kind == "string_pattern_mismatch" and re.fullmatch(_TIME, str(default)):
        message = "this is no time of day, such as 09:30"
    fix = f"Correct it, or remove it for the default, {shown(default)}"
    return f"{where}: {variable or key} = {value!r}: {message[:1].lower()}{message[1:]}. {fix}"


def _place(file: Path | None, key: str) -> str:
    return f"{file}, line {next(_lines(file, key), '?')}"


def _lines(file: Path | None, key: str) -> Iterator[int]:
    text = file.read_text(encoding="utf-8") if file else ""
    wanted = re.compile(rf"\s*\[*[\"']?{re.escape(key)}\b")
    return (number for number, line in enumerate(text.splitlines(), start=1) if wanted.match(line))
