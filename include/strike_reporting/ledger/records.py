"""The records that rooms hand to one another: frozen, versioned, one loader and writer for all of them.

A record written by a newer version keeps its unknown fields (not those within `Said`), and one from an older version
gets the defaults. What cannot be read is `Damaged`, with the name of what holds it: it is set aside and stops nothing
else.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import field
from datetime import date
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.dataclasses import dataclass

from strike_reporting.errors import OurFault

Fact = str | int | float | bool | None
EVERY = "all"  # in `speaks_for`: a collective return may speak for every trust
REMINDER, OUTSTANDING = "reminder", "outstanding"  # kinds of letters about what has not come
NOTICES = ("rejected", "accepted_in_part", "accepted")  # outcomes that a sender may be told of, by a letter so named


class Damaged(OurFault):
    """A record that cannot be read; the message names where it is and what is wrong."""

    def __init__(self, where: str, why: str) -> None:
        """Keep both apart, for lists."""
        super().__init__(f"{where} cannot be read: {why}")
        self.where, self.why = where, why


class Record(BaseModel):
    """What every record is: frozen, with a schema version."""

    model_config = ConfigDict(frozen=True, extra="allow")
    schema_version: int = 1

    @classmethod
    def load(cls, data: str | bytes, where: str) -> Self:
        """The record in this JSON.

        Raises:
            Damaged: it is cut short, empty, of another kind or form.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise Damaged(where, f"{place}: {first['msg']}" if place else first["msg"]) from error

    def dump(self) -> bytes:
        """The one JSON form: sorted keys, UTF-8, a final newline."""
        return to_json(self.model_dump(mode="json"))


def to_json(value: Any) -> bytes:
    """The one JSON form of every file that is kept: sorted keys, UTF-8, a final newline."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def part_id(submission_id: str, trust: str, extract: str) -> str:
    """The id of what one trust says of one extract in a collective return."""
    return f"{submission_id}.{trust}.{extract}"


def receipt_of(submission_id: str) -> str:
    """The id of the receipt behind a submission: its own, or that of the collective return that it is part of."""
    return submission_id.partition(".")[0]


class Part(BaseModel):
    """Part of a record, which carries the version for it."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Receipt(Record):
    """What is known about one landed submission.

    sequence: the order of landing, given by the ledger; it decides which submission is newer, never a clock.
    sent_at: when the sender put it there, where the transport says so (UTC, ISO 8601). A return is late by this time.
    received_at: UTC, ISO 8601 with microseconds; only ever shown, and compared with what was due where `sent_at` is
        not known.
    restates_day: what it says of a day is all that there is to say of it.
    speaks_for: of a collective return, the trusts that it may speak for, or `EVERY`.
    """

    submission_id: str
    sequence: int = 0
    feed_id: str
    source_name: str
    received_at: str
    size: int
    sha256: str
    ods_code: str | None = None
    extract: str | None = None
    dialect: str | None = None
    collection: str = ""
    sent_at: str | None = None
    action_id: str | None = None
    due: str | None = None
    grace_minutes: int = 0
    restates_day: bool = False
    data_class: str = "real"
    speaks_for: tuple[str, ...] = ()
    transport: dict[str, Fact] = {}


class Duplicate(Record):
    """A file whose content its feed had delivered before under another name."""

    submission_id: str
    feed_id: str
    source_name: str
    sha256: str
    reason: str
    fix: str


class Pull(Record):
    """What a feed's pull did in one collection. status: `landed`, `nothing_new`, `no_file` or `failed`.

    files: what was landed; of a collection with several pulls, by any of them. speaks_for: as `Receipt`.
    left: in how many pulls in a row it was not begun, because the round's time was over.
    """

    feed_id: str
    collection: str
    status: str
    reason: str
    files: tuple[str, ...] = ()
    speaks_for: tuple[str, ...] = ()
    left: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """What one submission says about one strike day and part; rows that were left out have no part.

    No record of its own: where every site is told apart there are half a million of them, and a record takes four times
    the memory.

    part: the contract's `part_keys`. total: of the contract's count. sums: of each whole number that some row gives.
    is_nil: no row gives a count; all of them are the dialect's mark that there was nothing.
    """

    day: date
    part: str = ""
    rows: int = 0
    total: int = 0
    quarantined: int = 0
    sums: dict[str, int] = field(default_factory=dict)
    is_nil: bool = False


class Day(Part):
    """What one submission says about one strike day, over its parts."""

    rows: int = 0
    total: int = 0
    quarantined: int = 0


class Outcome(Record):
    """What became of one submission.

    status: `accepted`, `accepted_in_part` (some rows quarantined) or `rejected`.
    rules: how many problems each broken rule made; warnings are only counted in `warnings`.
    pins: what it was judged by: each question that was asked of contracts, dialects and reference data, and the
        hash of the answer. When an answer changes it is judged again; when another changes it is not.
    parts: of a collective return, the ids under which its trusts are told of; it counts through them alone.
    withdrawn: who withdrew it, when and why, as one sentence; the ledger adds it when it hands an outcome out.
    """

    submission_id: str
    sequence: int
    feed_id: str
    source_name: str
    received_at: str
    sent_at: str | None = None
    status: str
    reason: str
    fix: str
    sha256: str
    ods_code: str | None = None
    extract: str | None = None
    dialect: str | None = None
    contract_version: str | None = None
    action_id: str | None = None
    due: str | None = None
    grace_minutes: int = 0
    restates_day: bool = False
    data_class: str = "real"
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    warnings: int = 0
    rules: dict[str, int] = {}
    pins: dict[str, str] = {}
    said: tuple[Said, ...] = ()
    parts: tuple[str, ...] = ()
    withdrawn: str = ""

    @property
    def counts(self) -> bool:
        """Whether any of its rows could be used; they are published unless it is `withdrawn`."""
        return self.status in ("accepted", "accepted_in_part") and not self.parts

    @property
    def is_ours(self) -> bool:
        """Whether the fault is ours, so that the sender is not told and it is tried again."""
        return "processing_error" in self.rules

    @cached_property
    def days(self) -> dict[date, Day]:
        """What it says about each strike day, in order."""
        rows: Counter[date] = Counter()
        total: Counter[date] = Counter()
        left: Counter[date] = Counter()
        for said in self.said:
            rows[said.day] += said.rows
            total[said.day] += said.total
            left[said.day] += said.quarantined
        return {d: Day(rows=rows[d], total=total[d], quarantined=left[d]) for d in sorted(rows)}


class Withdrawal(Record):
    """A submission that was sent in error, taken out of the figures by a person. at: UTC, ISO 8601."""

    submission_id: str
    who: str
    why: str
    at: str

    @property
    def sentence(self) -> str:
        """Who, when and why."""
        return f"withdrawn by {self.who} on {self.at[:16].replace('T', ' ')} UTC: {self.why}"


class Cut(Record):
    """One release as the ledger knows it: its number, who is writing it, what identifies it, and how far it is.

    state: `claimed` (being written), `published` or `set_aside` (damaged; its number is not used again).
    owner: host, process and its start, of whoever claimed it.
    drawn: the version of the site that its pages were last drawn by; empty when they must be drawn.
    """

    action_id: str
    number: int
    release_id: str
    state: str
    identity: str
    owner: str = ""
    claimed_at: str = ""
    drawn: str = ""


class Drafted(Record):
    """One action's draft as the ledger knows it: which one is whole, and who has it in hand.

    kept: its folder; empty where today's figures are the current release's. compared: the release that it says what
    differs from; empty where there was none. drawn: the version of the site and the draft that its pages show.
    """

    action_id: str
    identity: str = ""
    kept: str = ""
    compared: str = ""
    owner: str = ""
    claimed_at: str = ""
    drawn: str = ""
    is_shown: bool = False

    @property
    def slug(self) -> str:
        """The action's id as a folder name."""
        return self.action_id.replace(";", "_")

    @property
    def release_id(self) -> str:
        """What it is called where releases are: it has no number."""
        return f"{self.slug}.draft"


class Letter(Record):
    """One e-mail to be sent. kind: what it is about.

    * `release`: a release (its id), to the list of an area.
    * `notice`: a file that was judged (its submission id), to the contact of its feed.
    * `not_taken`: a file that was not landed (the feed's id), to its contact.
    * `reminder`: returns that are expected (the day on which they are due), to the contact of their feeds.
    * `outstanding`: the same, to the list of an area.
    * `held`: a release of an action (its id) that is held, to those who decide.

    subject, text: what it says, where that is not made from what is kept; of a notice, what stands above the report.
    to: the address, where it follows from nothing else. created_at: when it was made (UTC, ISO 8601). news_of: when
        that came of which it tells, where that is long ago already; by it the letter grows too old.
    state: `queued`, `sending`, `sent`, `failed` (tried again), `expired` or `no_address`.
    """

    name: str
    kind: str
    about: str
    area: str = ""
    to: str = ""
    subject: str = ""
    text: str = ""
    created_at: str = ""
    news_of: str = ""
    state: str = "queued"
    tries: int = 0
    reason: str = ""
    owner: str = ""


class Round(Record):
    """One round of pulling that the strike calendar asked for. round_id: its minute in London.

    due_at, claimed_at, done_at: UTC, ISO 8601; claimed_by: the run that took it in hand.
    """

    round_id: str
    due_at: str
    kind: str
    actions: tuple[str, ...] = ()
    claimed_by: str = ""
    claimed_at: str = ""
    done_at: str = ""
