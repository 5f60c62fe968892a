"""Groups of settings: what each is, and those of the gate, people, ledger and watching. `settings` has the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

People = Annotated[tuple[str, ...], NoDecode]


class Group(BaseModel):
    """Settings that belong together. `decides`: an outcome or a figure may depend on them."""

    decides: ClassVar[bool] = False


class Gate(Group):
    """What holds a release at its announced time for a person to decide. Where all is cut at once it is only said."""

    gate_coverage_percent: float = Field(
        50, ge=0, le=100, description="of England's returns of an extract, on strike days that are over: fewer hold it"
    )
    gate_flagged_percent: float = Field(
        75, ge=0, le=100, description="of a headline total of England that comes from flagged returns: more hold it"
    )
    gate_jump_percent: float = Field(
        50, gt=0, description="from the release before, beyond what more or fewer returns explain: more hold it"
    )
    gate_jump_at_least: int = Field(100, ge=0, description="a headline total that moved by less has not jumped")
    gate_plausible_times: float = Field(
        2, gt=1, description="beyond the highest or below the lowest of earlier actions, per strike day: more hold it"
    )
    gate_plausible_points: float = Field(
        15, ge=0, description="percentage points by which the coverage of actions may differ that are compared"
    )
    gate_plausible_at_least: int = Field(3, ge=1, description="fewer earlier actions are too few to say")
    gate_plausible_at_most: int = Field(10, ge=1, description="earlier actions that are looked at, the newest first")
    checked_ahead_minutes: int = Field(
        60,
        ge=0,
        le=1439,
        description="before an announced time, when the gate first judges what it will release; 0: at that time only",
    )
    held_look_seconds: float = Field(
        300, gt=0, description="after which a run that waits for an answer looks whether it was given elsewhere"
    )


class Access(Group):
    """Who decides, and who sees what is not released: ids of Airflow users, `id` or `id:Name`, between commas.

    The simple auth manager's ids are its users' names; others have an id beside the name, which `id:Name` then shows.
    """

    approvers: People = Field(
        (), description="who may answer in Airflow about a held release; nobody: whoever may edit the DAG's runs"
    )
    pre_release_access: People = Field(
        (),
        description="who sees drafts before they are released, which are then under embargo (`cut_at_once` must be "
        "false); nobody: every reader",
    )

    @field_validator("approvers", "pre_release_access", mode="before")
    @classmethod
    def _people(cls, value: object) -> object:
        return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else value

    @field_validator("approvers", "pre_release_access")
    @classmethod
    def _ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not user_id for user_id in people(value)):
            raise ValueError("each is the id of an Airflow user, or `id:Name`")
        return value

    @field_validator("pre_release_access")
    @classmethod
    def _before_what(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value and info.data.get("cut_at_once"):
            raise ValueError("all is released at once, so there is nothing to see before: set cut_at_once = false")
        return value


def people(listed: Iterable[str]) -> dict[str, str]:
    """Names by id, of people as a setting lists them."""
    found = (one.partition(":") for one in listed)
    return {user_id.strip(): name.strip() or user_id.strip() for user_id, _, name in found}


class Ledger(Group):
    """The ledger's patience."""

    ledger_busy_seconds: float = Field(30, gt=0, description="for another process to let the database go")
    claim_lease_seconds: float = Field(900, gt=0, description="after which the claim of a silent process may be taken")


class Watching(Group):
    """What is said before it loses a return, and how old news may be."""

    expiry_warning_days: int = Field(14, ge=0, description="before a credential or certificate ends")
    silent_after_gaps: float = Field(3, gt=0, description="times a feed's usual gap between files")
    silent_after_days: float = Field(7, ge=0, description="and never sooner than this")
    look_timeout_seconds: float = Field(5, gt=0, description="for a server to show its certificate")
    mail_age_days: float = Field(2, gt=0, description="older releases and refusals are never mailed")
