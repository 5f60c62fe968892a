"""`strikes feed …`: adding feeds and keeping them alive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from strike_reporting.cli.output import complain, print_table, progress_bar, reported_area, say
from strike_reporting.errors import StrikesError
from strike_reporting.intake.transports.kinds import KINDS

if TYPE_CHECKING:
    from strike_reporting.intake.proposing import Asking
    from strike_reporting.operations.checking_feeds import Checked
    from strike_reporting.operations.new_feed import Plan, Sample
    from strike_reporting.operations.trying import Tried

ROWS_SHOWN = 8
FINDINGS_SHOWN = 12
OPTIONS_SHOWN = 6
app = typer.Typer(no_args_is_help=True, help="Feeds: who delivers what, from where.")


@app.command("new")
def new(
    trust: Annotated[str, typer.Argument(help="ODS code; of a collective return, a name for who sends it")],
    extract: Annotated[str, typer.Argument(help="What it delivers")],
    sample: Annotated[Path, typer.Option(help="A file as it will be sent", exists=True, dir_okay=False)],
    contact: Annotated[str, typer.Option(help="E-mail address that hears of refused files")],
    location: Annotated[str, typer.Option(help="Where its files are; default TRUST/EXTRACT in the inbox")] = "",
    transport: Annotated[str, typer.Option(help=" or ".join(KINDS))] = "folder",
    connection: Annotated[str, typer.Option(help="Id of an Airflow connection")] = "",
    trusts: Annotated[
        str, typer.Option(help="A collective return: codes of the trusts, areas, ICBs or regions it speaks for, or all")
    ] = "",
    due: Annotated[str, typer.Option(help="HH:MM on the day after the strike day")] = "",
    dialect: Annotated[str, typer.Option(help="Use this dialect, propose none")] = "",
    answer: Annotated[list[str] | None, typer.Option("--say", help="An answer, as PATH=VALUE; may be repeated")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: write it, or refuse and list what is unsure")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it and write nothing")] = False,
) -> None:
    """Propose feed and dialect from a sample, show what would come of it, and write both with a fixture."""
    from strike_reporting.extracts import EXTRACTS
    from strike_reporting.intake.config_edits import own_config
    from strike_reporting.intake.config_files import nearest
    from strike_reporting.operations.new_feed import Sample

    if extract not in EXTRACTS:
        raise StrikesError(f"there is no extract {extract!r}. {nearest(extract, EXTRACTS)}")
    if not dry_run:
        own_config()
    spoken = [t.strip() for t in trusts.split(",") if t.strip()]
    whose: dict[str, object] = {"sender": trust, "trusts": spoken} if spoken else {"trust": trust}
    feed: dict[str, object] = {**whose, "extract": extract}
    given = {"transport": transport if transport != "folder" else "", "connection": connection}
    feed |= {k: v for k, v in given.items() if v}
    feed["location"] = location or f"{trust}/{extract}"
    feed |= {k: v for k, v in {"due": due, "contact": contact}.items() if v}
    said = dict(_answer(a) for a in answer or ())
    with progress_bar() as progress:
        progress.add_task("Reading the sample (the checks take some seconds to load)", total=None)
        read = Sample(sample, feed)
        plan = read.plan(said, dialect)
    _show(plan)
    if not spoken and plan.tried is not None and "trust" in plan.tried.outcome.rules:
        say("If the file speaks for several trusts, say for which: --trusts CODE,CODE (trusts, areas, ICBs), or all.")
    while plan.proposal is not None and plan.proposal.asking and not yes and not dry_run:
        plan = _asked(read, said, plan.proposal.asking[0])
        if plan.proposal is None or not plan.proposal.asking:
            _show(plan)
    if plan.proposal is not None and plan.proposal.asking:
        _say_unsure(plan.proposal.asking)
        if dry_run:
            return
        raise StrikesError(f"{len(plan.proposal.asking)} things are not sure, so nothing is written")
    if dry_run:
        return
    if not plan.is_ready and yes:
        raise StrikesError("the sample could not be used so, and nothing is written; without --yes it asks")
    if not yes:
        typer.confirm(
            "Write it" if plan.is_ready else "The sample could not be used so. Write it all the same", abort=True
        )
    for path in read.write(plan):
        say(f"Written: {path}")
    say(f"Next: strikes feed check {read.id}")


def _answer(text: str) -> tuple[str, str]:
    path, found, value = text.rpartition("=")
    if not found:
        raise StrikesError(f"--say {text!r}: write it as PATH=VALUE, such as constants.status=cancelled")
    return path.strip(), value.strip()


def _asked(read: Sample, said: dict[str, str], one: Asking) -> Plan:
    """Ask a question on the terminal until its answer can be taken, and plan with it; a number stands for an option.

    The answer is added to `said`. Nothing is taken for granted that would leave a column out: that has no default.
    """
    from strike_reporting.intake.proposing import NONE, BadAnswer

    say(f"\n{one.question}")
    for number, option in enumerate(one.options, start=1):
        say(f"  {number}  {option or '(nothing)'}")
    while True:
        text = typer.prompt(one.path, default="1" if one.options and one.options[0] != NONE else None).strip()
        if one.options and text.isdecimal() and text not in one.options:
            if not 0 < int(text) <= len(one.options):
                say(f"  There is no option {text}: say 1 to {len(one.options)}, or write the answer.")
                continue
            text = one.options[int(text) - 1]
        try:
            plan = read.plan(said | {one.path: text})
        except BadAnswer as error:
            say(f"  {error}")
            continue
        said[one.path] = text
        return plan


def _say_unsure(asking: list[Asking]) -> None:
    for one in asking:
        shown = [o or "(nothing)" for o in one.options[:OPTIONS_SHOWN]]
        options = " or ".join([*shown, *(["…"] if len(one.options) > OPTIONS_SHOWN else [])])
        complain(f"not sure: {one.question}")
        complain(f"  --say {one.path!r}=…{f'  ({options})' if options else ''}")


def _show(plan: Plan) -> None:
    """What is proposed, and what the sample would give."""
    from strike_reporting.showing import safe_text

    if plan.proposal is None:
        say(f"The dialect {plan.feed['dialect']} reads this file; no other is needed.")
    else:
        rows = [(name, c.heading, f"{c.confidence:.0%}", c.why) for name, c in plan.proposal.columns]
        print_table("Columns", ("Is", "Heading", "Sure", "By"), rows)
        for note in plan.proposal.notes:
            say(safe_text(f"  {note}"))
        if plan.proposal.left_out:
            say(safe_text(f"  not read: {', '.join(plan.proposal.left_out)}"))
    if plan.tried is not None:
        _show_tried(plan.tried)


def _show_tried(tried: Tried) -> None:
    from strike_reporting.operations.trying import total
    from strike_reporting.showing import place

    if tried.rows is not None:
        hidden = {"submission_id", "source_row", "source_column"}
        names = [
            n for n in tried.rows.column_names if n not in hidden and tried.rows[n].null_count < tried.rows.num_rows
        ]
        shown = tried.rows.select(names).slice(0, ROWS_SHOWN).to_pylist()
        rows = [tuple("" if r[n] is None else str(r[n]) for n in names) for r in shown]
        print_table(f"The first of {tried.rows.num_rows:,} rows", tuple(names), rows)
    if tried.findings:
        found = [(place(p.row, p.column), p.severity, p.message, p.fix) for p in tried.findings[:FINDINGS_SHOWN]]
        print_table(f"Found: {len(tried.findings):,}", ("Where", "Severity", "What is wrong", "What to do"), found)
    outcome = tried.outcome
    say(f"{outcome.status.replace('_', ' ')}: {outcome.reason}; total {total(tried.outcomes):,}")


@app.command("check")
def check(
    feed: Annotated[str, typer.Argument(help="Id: TRUST.EXTRACT; default every enabled feed")] = "",
    most: Annotated[int, typer.Option(min=1, help="Files to try of each, the newest")] = 3,
    fixtures: Annotated[
        bool, typer.Option("--fixtures", help="Try the configuration's fixtures; pull nothing")
    ] = False,
) -> None:
    """Pull for real without landing anything, and say what would become of each file."""
    from strike_reporting.intake.config_edits import own_config
    from strike_reporting.intake.registry import load_registry
    from strike_reporting.operations import checking_feeds

    registry = load_registry()
    feeds = [checking_feeds.feed_named(feed)] if feed else list(registry.enabled)
    found: list[Checked] = []
    with progress_bar() as progress:
        task = progress.add_task("Checking feeds", total=len(feeds))
        if fixtures:
            found = checking_feeds.check_fixtures(own_config(), feeds)
        else:
            for one in feeds:
                progress.update(task, description=f"Checking {one.id}")
                found.append(checking_feeds.check(one, most))
                progress.advance(task)
    rows = [row for one in found for row in _check_rows(one)]
    print_table("Nothing was landed", ("Feed", "File", "Would be", "Why", "What to do"), rows)
    for fault in () if feed else registry.faults:
        complain(str(fault))
    if not all(one.is_well for one in found) or (not feed and registry.faults):
        raise typer.Exit(4)


def _check_rows(one: Checked) -> list[tuple[str, str, str, str, str]]:
    from strike_reporting.operations.trying import total

    if one.problem:
        return [(one.feed.id, "", "not pulled", one.problem, "")]
    rows = [(one.feed.id, "", "not pulled", reason, "") for reason in one.refused]
    for tried in one.tried:
        o = tried.outcome
        why = f"{o.reason}; total {total(tried.outcomes):,}" if tried.counts else o.reason
        rows.append((one.feed.id, o.source_name, o.status.replace("_", " "), why, o.fix))
    return rows or [(one.feed.id, "", "no file", f"nothing is at {one.feed.location}", "")]


@app.command("list")
def list_feeds() -> None:
    """List the registry: every feed with its last pull."""
    from strike_reporting.intake.registry import load_registry
    from strike_reporting.ledger import ledger_of
    from strike_reporting.storage import Store

    registry = load_registry()
    pulls = ledger_of(Store()).receiving.last_pulls()
    rows = [
        (
            f.id,
            f.whose,
            f.extract,
            f.transport,
            f.dialect,
            f.due or "",
            "yes" if f.enabled else "no",
            f"{p.collection}: {p.status.replace('_', ' ')}, {p.reason}" if (p := pulls.get(f.id)) else "never",
        )
        for f in registry.feeds
    ]
    print_table("Feeds", ("Feed", "Trust", "Extract", "Transport", "Dialect", "Due", "Enabled", "Last pull"), rows)
    for fault in registry.faults:
        complain(str(fault))


@app.command("files")
def files(feed: Annotated[str, typer.Argument(help="Id: TRUST.EXTRACT; default every feed")] = "") -> None:
    """List the files that are at a feed and could not be landed, each with the reason."""
    from strike_reporting.intake.registry import load_registry
    from strike_reporting.ledger import ledger_of
    from strike_reporting.operations.checking_feeds import feed_named
    from strike_reporting.storage import Store

    wanted = [feed_named(feed).id] if feed else []
    receiving = ledger_of(Store()).receiving
    found, pulls = receiving.remotes.troubled(wanted), receiving.last_pulls()
    unseen = {f: pulls.get(f) for f in wanted or [f.id for f in load_registry().feeds]}
    unseen = {f: pull for f, pull in unseen.items() if pull is None or pull.status == "failed"}
    rows = [
        (
            feed_id,
            one.name,
            "" if one.size is None else f"{one.size:,}",
            (one.sent_at or "")[:16].replace("T", " "),
            one.state,
            one.reason or "not tried yet, or still being written",
            str(one.tries or ""),
            one.next_try[:16].replace("T", " "),
        )
        for feed_id, one in found
    ]
    heads = ("Feed", "File", "Bytes", "Sent (UTC)", "State", "Why", "Rounds", "Tried again from (UTC)")
    if rows:
        print_table("Not landed, as the last pull of each feed found it", heads, rows)
    for feed_id, pull in unseen.items():
        complain(f"{feed_id}: {f'its last pull failed: {pull.reason}' if pull else 'it was never pulled'}")
    if not rows and not unseen:
        say(f"Every file that {feed or 'the feeds'} listed at the last pull was landed.")


@app.command("outstanding")
def outstanding(
    due: Annotated[str, typer.Option(help="Day on which returns are due; default today, or the nearest")] = "",
    area: Annotated[str, typer.Option(help="Only trusts of this area, by its code")] = "england",
) -> None:
    """List who has not returned what is due, as the list at the cut-off says it; nobody is mailed."""
    from datetime import UTC, date, datetime

    from strike_reporting.extracts.measures import LABELS
    from strike_reporting.operations.chase_letters import what
    from strike_reporting.operations.due_days import due_on, shown_day
    from strike_reporting.operations.outstanding import outstanding as open_returns
    from strike_reporting.reference.due import calendar
    from strike_reporting.storage import Store

    here = reported_area(area)
    try:
        day = due_on(date.fromisoformat(due), calendar()) if due else shown_day(datetime.now(UTC), calendar())
    except ValueError as error:
        raise StrikesError(f"--due {due!r} is no day; write it as YYYY-MM-DD") from error
    if day is None:
        say(f"No returns are due {f'on {due}' if due else 'in these weeks'}; `strikes calendar` lists the actions.")
        return
    found = open_returns(Store(), day)
    missing = found.of(area)
    rows = [
        (
            m.ods_code,
            m.trust_name,
            LABELS[m.extract],
            what(m),
            ", ".join(f.id for f in m.feeds),
            m.last_used[:16].replace("T", " ") or "never",
            m.failure,
        )
        for m in missing
    ]
    heads = ("Trust", "Name", "Extract", "What", "Feed", "Last success (UTC)", "Last failure")
    if rows:
        print_table(f"Strike day {day.strike_day}, due on {day.day}", heads, rows)
    say(f"{here.area_name}: {len(missing)} of {found.expected_of(area)} returns of {day.strike_day} are outstanding.")


@app.command("pull")
def pull(
    feed: Annotated[str, typer.Argument(help="Id: TRUST.EXTRACT")],
    again: Annotated[bool, typer.Option("--again", help="Read every file once more, as if none had come")] = False,
) -> None:
    """Pull one feed now, land what is new and judge it; also a disabled one."""
    from datetime import UTC, datetime

    from strike_reporting.intake.collecting import collect
    from strike_reporting.judging.settle import validate
    from strike_reporting.ledger import ledger_of
    from strike_reporting.operations.checking_feeds import feed_named
    from strike_reporting.storage import Store

    store, wanted = Store(), feed_named(feed)
    if again:
        ledger_of(store).receiving.remotes.forget(wanted.id)
    with progress_bar() as progress:
        task = progress.add_task(f"Pulling {feed}", total=None)
        [pulled] = collect(store, f"by-hand-{datetime.now(UTC):%Y-%m-%dT%H%M%S}", [wanted], at_once=True)
        progress.update(task, description="Checking files", total=len(pulled.landed))
        judged = validate(store, pulled.landed, lambda _: progress.advance(task))
    say(f"{feed}: {pulled.status.replace('_', ' ')}, {pulled.reason}")
    outcomes = [j.outcome for j in judged if j.outcome is not None]
    if outcomes:
        rows = [(o.source_name, o.status.replace("_", " "), o.reason, o.fix) for o in outcomes]
        print_table("Files", ("File", "Outcome", "Why", "What to do"), rows)
    wrong = [j.reason for j in judged if j.outcome is None] + [o.reason for o in outcomes if o.is_ours]
    for reason in wrong:
        complain(f"strikes: {reason}")
    if pulled.status == "failed" or wrong:
        raise typer.Exit(4)


@app.command("disable")
def disable(feed: Annotated[str, typer.Argument(help="Id: TRUST.EXTRACT")]) -> None:
    """Stop pulling a feed: its entry says `enabled: false` and stays."""
    from strike_reporting.intake.config_edits import set_enabled

    say(f"{feed} is not pulled any more ({set_enabled(feed, False)}).")


@app.command("enable")
def enable(feed: Annotated[str, typer.Argument(help="Id: TRUST.EXTRACT")]) -> None:
    """Pull a feed again."""
    from strike_reporting.intake.config_edits import set_enabled

    say(f"{feed} is pulled from the next round on ({set_enabled(feed, True)}).")


@app.command("import")
def import_(
    spreadsheet: Annotated[Path, typer.Argument(help="CSV or workbook", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it and write nothing")] = False,
) -> None:
    """Add feeds from a spreadsheet with a column for each field; one faulty row and nothing is added."""
    from strike_reporting.operations.importing import import_feeds

    found = import_feeds(spreadsheet, write=not dry_run)
    for fault in found.faults:
        complain(fault)
    if found.faults:
        raise StrikesError(f"{len(found.faults)} faults in {len(found.feeds)} rows, so nothing is added")
    say(f"{len(found.feeds)} feeds, none with a fault" + (f"; written: {found.path}" if found.path else "."))


@app.command("schema")
def schema(
    folder: Annotated[Path | None, typer.Argument(help="A configuration; default the one in use")] = None,
) -> None:
    """Write JSON Schemas of feeds and dialects, by which an editor completes and checks them."""
    from strike_reporting.intake.config_edits import own_config
    from strike_reporting.operations.schemas import write_schemas

    written = write_schemas(folder or own_config())
    for path in written:
        say(f"Written: {path}")
    if not written:
        say("The schemas are current.")
