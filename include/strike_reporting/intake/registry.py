"""The registry: feeds, each how one sender delivers one extract. A bad line stops its own feed and no other."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from strike_reporting.clock import parse_due
from strike_reporting.extracts import EXTRACTS
from strike_reporting.intake.config_files import Entry, Fault, Wrong, entries, nearest, one_of
from strike_reporting.intake.dialects import (
    EXCEL_SERIAL,
    Column,
    Dialect,
    Dialects,
    Extract,
    Nil,
    Unpivot,
    dialect_named,
    dialects,
    load_dialects,
    template,
)
from strike_reporting.intake.transports.kinds import KINDS
from strike_reporting.ledger.records import EVERY
from strike_reporting.reference.facts import read_csv
from strike_reporting.reference.organisations import organisations
from strike_reporting.settings import config_folder

__all__ = [
    "EXCEL_SERIAL",
    "Column",
    "Dialect",
    "Extract",
    "Feed",
    "Nil",
    "Registry",
    "Unpivot",
    "dialect_for",
    "dialects",
    "load_feeds",
    "load_registry",
    "template",
]
log = logging.getLogger(__name__)


def _due(text: str) -> str:
    if parse_due(text) is None:
        raise Wrong("it is no time of day", "Write it as HH:MM, such as 18:00.")
    return text


def _contact(text: str) -> str:
    if not re.fullmatch(r"[^\s@,;:<>\"']+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", text):
        raise Wrong("it is no e-mail address", "Give one address, such as information@trust.nhs.uk.")
    return text


def _trust(code: str) -> str:
    if not organisations().is_known(code):
        names = {r["ods_code"]: r["name"] for r in read_csv("organisations")}
        near = nearest(code, names, "Look it up in the reference data's organisations.csv.")
        fix = re.sub(r"\b[A-Z0-9]{3}\b", lambda m: f"{m[0]} ({names[m[0]]})" if m[0] in names else m[0], near)
        raise Wrong("it is the ODS code of no trust", fix)
    return code


def _spoken_for(code: str) -> str:
    return code if code == EVERY or organisations().members(code) else _trust(code)


class Feed(BaseModel):
    """How one sender delivers one extract. Holds a connection *id*, never a secret.

    trust: the sender, where it speaks for itself. sender, trusts: the name of one that sends collective returns, and
    the trusts that it may speak for: their codes, those of areas, ICBs and regions, or `all` for every one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    trust: Annotated[str, AfterValidator(_trust)] | None = None
    sender: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{2,60}$")] | None = None
    trusts: tuple[Annotated[str, AfterValidator(_spoken_for)], ...] = ()
    extract: Extract
    transport: Annotated[str, AfterValidator(one_of(tuple(KINDS)))] = "folder"
    connection: str | None = None
    location: str
    dialect: str = "template"
    due: Annotated[str, AfterValidator(_due)] | None = None
    grace: int = Field(0, ge=0, le=7 * 24 * 60)  # minutes after `due` before a return is late
    restates_day: bool = False  # its file of a day is the whole of it: what an older one held beside it goes
    contact: Annotated[str, AfterValidator(_contact)]
    data_class: Literal["real", "synthetic"] = "real"
    enabled: bool = True

    @model_validator(mode="after")
    def _speaks_for_somebody(self) -> Feed:
        if self.trust is None and not (self.sender and self.trusts):
            raise Wrong("it is missing", _FIXES["trust"], "trust")
        if self.trust is not None and (self.sender or self.trusts):
            raise Wrong("the feed has a `trust` already", "Say `sender` and `trusts` without it.", "trusts")
        return self

    @property
    def whose(self) -> str:
        """The trust's code, or the name of who sends a collective return."""
        return self.trust or self.sender or ""

    @property
    def speaks_for(self) -> tuple[str, ...]:
        """The codes of the trusts that it may speak for, those of areas among them, or `EVERY`."""
        if EVERY in self.trusts:
            return (EVERY,)
        return tuple(dict.fromkeys(c for code in self.trusts for c in organisations().members(code) or (code,)))

    @property
    def id(self) -> str:
        """The sender and the extract, joined by a dot."""
        return f"{self.whose}.{self.extract}"


_FIXES = {
    "trust": "Give the trust's ODS code, such as `trust: RHU`; or, of a collective return, `sender` and `trusts`.",
    "sender": "Give a name of small letters, digits, `-` and `_`, such as `sender: hospital-group`.",
    "trusts": "List the codes of trusts, ICBs, regions or areas that it may speak for, or write `trusts: [all]`.",
    "location": "Say where its files are, such as `location: RHU/returns`.",
    "contact": "Give an e-mail address, such as `contact: information@trust.nhs.uk`.",
    "data_class": "Write real or synthetic.",
    "restates_day": "Write true or false.",
    "enabled": "Write true or false.",
    "grace": "Give whole minutes after the due time, from 0 to 10080.",
}


@dataclass(frozen=True)
class Registry:
    """Feeds in order of their ids (the disabled ones too), and what is wrong with the others."""

    feeds: tuple[Feed, ...]
    faults: tuple[Fault, ...]

    @property
    def enabled(self) -> tuple[Feed, ...]:
        """The feeds that are pulled."""
        return tuple(f for f in self.feeds if f.enabled)


def load_registry(config: Path | None = None) -> Registry:
    """Every feed of a configuration folder (default: the one in use; without any there are none)."""
    config = config or config_folder()
    known = load_dialects(config)
    found: list[Feed] = []
    faults: list[Fault] = []
    for entry in entries(config / "feeds", "feed", _id) if config else ():
        if isinstance(entry, Fault):
            faults.append(entry)
            continue
        feed, wrong = _read(entry, known)
        faults += wrong
        found += [] if feed is None else [feed]
    return Registry(tuple(sorted(found, key=lambda f: f.id)), tuple(faults))


def _read(entry: Entry, known: Dialects) -> tuple[Feed | None, list[Fault]]:
    """The feed that an entry is, or what is wrong with it."""
    try:
        feed = Feed.model_validate(entry.data)
    except ValidationError as error:
        extracts = f"Say which extract it delivers: {', '.join(EXTRACTS)}."
        return None, entry.faults(error, Feed.model_fields, {**_FIXES, "extract": extracts})
    wrong = list(_unfit(entry, feed, known))
    return (None if wrong else feed), wrong


def faults_of(entry: Entry) -> list[Fault]:
    """What the registry would have against an entry that is not in it yet."""
    return _read(entry, load_dialects())[1]


def load_feeds() -> tuple[Feed, ...]:
    """The feeds to pull, in order of their ids. The others are named in the log and stop nothing."""
    registry = load_registry()
    for fault in registry.faults:
        log.error("%s", fault)
    return registry.enabled


def dialect_for(feed: Feed, known: Dialects | None = None) -> Dialect:
    """A feed's dialect, among those of the configuration in use or of another.

    Raises:
        Wrong: there is none of its name, or it cannot be used.
    """
    return dialect_named(feed.dialect, feed.extract, known)


def _id(data: dict[str, Any]) -> str:
    return ".".join(str(data[k]) for k in ("trust", "sender", "extract") if isinstance(data.get(k), str))


def _unfit(entry: Entry, feed: Feed, known: Dialects) -> Iterator[Fault]:
    """What the transport and the dialects say against a feed."""
    kind = KINDS[feed.transport]
    if problem := kind.problem(feed.location):
        shown = None if "@" in feed.location else feed.location
        yield entry.fault("location", shown, f"{problem} ({feed.transport})", f"Write it as {kind.example}.")
    if kind.connection == "must" and not feed.connection:
        yield entry.fault("connection", None, f"{feed.transport} needs one", "Give the id of an Airflow connection.")
    elif feed.connection and kind.connection == "none":
        fix = "Remove it, or say which transport is meant, such as `transport: sftp`."
        yield entry.fault("connection", None, f"the transport {feed.transport} uses none", fix)
    elif feed.connection and not re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", feed.connection):
        fix = "Keep address and secret in an Airflow connection and give its id."
        yield entry.fault("connection", None, "it is not the id of a connection", fix)
    try:
        dialect_for(feed, known)
    except Wrong as wrong:
        yield entry.fault("dialect", feed.dialect, str(wrong), wrong.fix)
