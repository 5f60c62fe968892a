"""A new feed from a sample: proposed, tried, and written into the configuration with a fixture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from strike_reporting.errors import StrikesError, attempt
from strike_reporting.extracts import load
from strike_reporting.intake.config_edits import SCHEMA, add_feeds, dialect_document, feed_line, own_config
from strike_reporting.intake.config_files import Entry, Fault, Wrong
from strike_reporting.intake.dialects import Dialect, dialect_named, load_dialects, reload_dialects
from strike_reporting.intake.landing import Sender
from strike_reporting.intake.proposing import Proposal, Table, propose
from strike_reporting.intake.registry import Feed, faults_of, load_registry
from strike_reporting.judging.matching import layouts, match
from strike_reporting.judging.opening import Refused, open_submission
from strike_reporting.judging.problems import DROPPED, HELD, Problem, Rejected
from strike_reporting.judging.reading.document import Document, Layout
from strike_reporting.judging.reading.reader import shared_reader
from strike_reporting.judging.rulebook import Asked, PresentRules
from strike_reporting.ledger.records import Receipt
from strike_reporting.operations.fixtures import fixture
from strike_reporting.operations.schemas import write_schemas
from strike_reporting.operations.trying import Tried, WithDialect, try_files
from strike_reporting.reference.actions import all_days

_DELIMITERS = (",", ";", "\t", "|")
_IN_FIXTURE = 3  # trusts of a collective return
_ENCODINGS = ("utf-8", "cp1252")  # a byte-order mark is obeyed under either


@dataclass(frozen=True)
class Plan:
    """A feed as it would be.

    proposal: of its dialect; None: one that is there fits. dialect, tried: None as long as something is asked.
    """

    feed: dict[str, Any]
    proposal: Proposal | None
    dialect: Dialect | None
    tried: Tried | None

    @property
    def is_ready(self) -> bool:
        """Whether it may be written: nothing is unsure, and the sample could be used."""
        return self.tried is not None and self.tried.counts


class Sample:
    """One sample of a feed, read once."""

    def __init__(self, path: Path, feed: Mapping[str, Any]) -> None:
        """Read a file.

        Args:
            path: where it is.
            feed: the fields of the feed's entry, without its dialect.

        Raises:
            Rejected: no reader reads it.
            StrikesError: the feed exists, or its fields cannot be used.
        """
        self.feed = dict(feed)
        self.whose: str = feed.get("trust") or feed["sender"]
        self.id = f"{self.whose}.{feed['extract']}"
        self.name, self.data = path.name, path.read_bytes()
        registry = load_registry()
        known = {f.id for f in registry.feeds} | {f.name for f in registry.faults if f.what == "feed"}
        if self.id in known:
            raise StrikesError(f"the registry has a feed {self.id} already: change its entry, or disable it first")
        _check_feed(self.feed)
        self._speaks_for = Feed.model_validate(self.feed).speaks_for
        wanted = [Layout((e,), d) for e in _ENCODINGS for d in _DELIMITERS]
        candidates = [
            PresentRules().candidate(d.id) for d in load_dialects().known.values() if d.extract == feed["extract"]
        ]
        self._candidates = candidates
        _refuse_patients(self.name, self.data)
        self._document = shared_reader().read(self.data, [*wanted, *layouts(candidates)])

    def plan(self, said: Mapping[str, str], dialect: str = "") -> Plan:
        """What the feed would be, with these answers, or with a dialect that is named.

        Raises:
            StrikesError: nothing in the file looks like the extract; or an answer that no dialect can hold.
            BadAnswer: an answer that nothing takes, or that cannot be.
        """
        if dialect and said:
            raise StrikesError(f"--dialect {dialect} is used as it is, so --say {next(iter(said))} would not be")
        fitting = dialect or ("" if said else self._fitting())
        if fitting:
            found = dialect_named(fitting, self.feed["extract"])
            tried = self._try(found)
            if dialect or (tried.outcome.status == "accepted" and not any(o.warnings for o in tried.outcomes)):
                named = "template" if found.id == f"template.{found.extract}" else found.id
                return Plan(self.feed | {"dialect": named}, None, found, tried)
        name = self._dialect_name()
        description = f"As {self.whose} sends it, proposed from a sample."
        contract = load(self.feed["extract"])
        proposal = propose(tables(self._document), contract, name, description, all_days(), said)
        feed = self.feed | {"dialect": name}
        if proposal.asking:
            return Plan(feed, proposal, None, None)
        made = _validated(proposal.dialect)
        return Plan(feed, proposal, made, self._try(made))

    def _fitting(self) -> str:
        """The dialect that is there already and reads this file."""
        try:
            found = {t.dialect.id for t in match(self._document, self._candidates)}
        except Rejected:
            return ""
        return found.pop() if len(found) == 1 else ""

    def _dialect_name(self) -> str:
        name = f"{self.whose.lower()}_{self.feed['extract']}"
        known = load_dialects().known
        return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 1000))) if n not in known)

    def _try(self, dialect: Dialect) -> Tried:
        feed = self.feed
        sender = Sender(
            feed_id=self.id,
            ods_code=feed.get("trust"),
            speaks_for=self._speaks_for,
            extract=feed["extract"],
            dialect=dialect.id,
        )
        return try_files([(self.name, self.data, sender)], WithDialect(dialect))[0]

    def _trusts(self, tried: Tried) -> list[str]:
        """Whom a fixture speaks for: the feed's own trust, or the first few of a collective sample."""
        found = [o.ods_code for o in tried.outcomes if o.ods_code and o.counts]
        return [self.feed["trust"]] if self.feed.get("trust") else list(dict.fromkeys(found))[:_IN_FIXTURE]

    def write(self, plan: Plan) -> list[Path]:
        """Write the feed, its dialect and a fixture; returns the files.

        Raises:
            StrikesError: there is no configuration to write to, or a file is in the way; then nothing is written.
        """
        folder = own_config()
        assert plan.dialect is not None and plan.tried is not None  # noqa: S101 - a plan that is ready
        files: dict[Path, bytes] = {}
        if plan.proposal is not None:
            text = SCHEMA.format("dialects") + dialect_document(plan.proposal.dialect)
            files[folder / "dialects" / f"{plan.dialect.id}.yaml"] = text.encode()
        suffix, made = fixture(tables(self._document), plan.dialect, self._trusts(plan.tried))
        files[folder / "fixtures" / f"{self.id}{suffix}"] = made
        if there := [p for p in files if p.exists()]:
            raise StrikesError(
                f"{there[0]} is there already, and nothing is overwritten: remove it or give it another name"
            )
        for path, data in files.items():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        schemas = write_schemas(folder)
        feeds = add_feeds(folder, [feed_line(plan.feed)])
        reload_dialects()
        return [feeds, *files, *schemas]


def _refuse_patients(name: str, data: bytes) -> None:
    """Stop before anything of a sample with patient data is shown.

    Raises:
        Rejected: the guard's word.
    """
    receipt = Receipt(submission_id="sample", feed_id="sample", source_name=name, received_at="", size=0, sha256="")
    found = attempt(receipt, lambda r: open_submission(r, data, Asked(PresentRules())))
    said: list[Problem] = []
    if isinstance(found.error, Refused):
        said = [found.error.why.problem, *found.error.why.beside]
    elif found.made is not None:
        said = [*found.made.problems, *(p for part in found.made.parts for p in part.rows.problems)]
    for problem in said:
        if problem.rule in (HELD, DROPPED):
            raise Rejected(HELD, problem.message, problem.fix, row=problem.row, column=problem.column)


def tables(document: Document) -> list[Table]:
    """The sheets that its sender sees; a text in each way that it may be read, as UTF-8 if it is."""
    if not document.is_text:
        return [Table(s.name, s.rows) for s in document.visible]
    for encoding in _ENCODINGS:
        found = []
        for delimiter in _DELIMITERS:
            sheet = document.under(Layout((encoding,), delimiter))
            if sheet is not None and hasattr(sheet, "rows"):
                found.append(Table("", sheet.rows, delimiter, encoding))
        if found:
            return found
    return []


def _check_feed(feed: Mapping[str, Any]) -> None:
    """Refuse fields that the registry would refuse, with its words."""
    given = {k: v if isinstance(v, list) else str(v) for k, v in feed.items() if v is not None}
    name = f"{feed.get('trust') or feed['sender']}.{feed['extract']}"
    if faults := faults_of(Entry("feed", name, "the command line", 1, given)):
        raise StrikesError("; ".join(_said(f) for f in faults))


def _said(fault: Fault) -> str:
    return f"{fault.field}{'' if fault.value is None else f' {fault.value!r}'}: {fault.message}. {fault.fix}"


def _validated(said: Mapping[str, Any]) -> Dialect:
    try:
        return Dialect.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        place = ".".join(map(str, first["loc"])) or (cause.field if isinstance(cause, Wrong) else "")
        fix = f". {cause.fix}" if isinstance(cause, Wrong) else ""
        raise StrikesError(f"the dialect cannot be used: {place}: {cause or first['msg']}{fix}") from error
