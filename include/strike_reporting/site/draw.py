"""Drawing the site: `site/<action>/<number>/` for every release, one address for what is current, and the front pages.

`site/<action>/draft/` is the action's draft, while its figures are other ones than the current release's. Under embargo
it is in `embargoed/<action>/draft/`, with what stands in front of it for those with pre-release access.
`site/<action>/index.html` lists an action's releases, `site/<action>/current.html` leads to the current one. Only what
changed is written; a release is drawn again when the code that draws, or what stands in front of it, has changed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pyarrow as pa
from pydantic import Field

from strike_reporting.catalogue.areas import ENGLAND
from strike_reporting.catalogue.tables import COVERAGE
from strike_reporting.errors import Attempt, attempt, each
from strike_reporting.extracts.measures import TOTALS_TABLE
from strike_reporting.extracts.tables import TABLES
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.gated import Hold, failed
from strike_reporting.ledger.records import Cut, Damaged, Drafted, Record
from strike_reporting.publishing.drafts import read_draft, shown, tidy
from strike_reporting.publishing.embargo import EMBARGOED, Ends, drafts_root, with_access
from strike_reporting.publishing.manifest import AUTOMATIC, Decision, Draft, Release
from strike_reporting.publishing.news import COMPARED, news
from strike_reporting.publishing.releases import cut_at, decision_of, find, read_manifest, read_table
from strike_reporting.publishing.summary import Summary
from strike_reporting.reference.actions import ActionSet, UnknownAction, resolve
from strike_reporting.reference.facts import reference_sha256
from strike_reporting.settings import settings
from strike_reporting.site import words
from strike_reporting.site.changes import lines
from strike_reporting.site.overview import Kept, overview
from strike_reporting.site.pages import Compared, area_pages, pages, superseded
from strike_reporting.site.rendering import environment
from strike_reporting.storage import Store

log = logging.getLogger(__name__)
NAV = (("index.html", "Its releases"), ("../index.html", "All actions"), ("../before.html", "Before a strike"))
_AT_ONCE = 25  # pages that are written together
_SOURCE = (".py", ".jinja", ".css", ".js", ".yaml")
_DRAWN = "drawn.json"
Progress = Callable[[int, int], None]


class Drawn(Record):
    """Hashes of the pages as they were last written: what is the same is not written again. `version` drew them."""

    pages: dict[str, str] = Field(default_factory=dict)
    version: str = ""


@cache
def site_version() -> str:
    """What draws: the code of the site and of the words in it, and the reference data. Another one draws all again."""
    root, digest = (
        Path(__file__).parent.parent,
        hashlib.sha256(f"{reference_sha256()} {settings().model_dump()}".encode()),
    )
    for room in ("site", "catalogue", "extracts", "reference"):
        for path in sorted(p for p in (root / room).rglob("*") if p.suffix in _SOURCE):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def draw(
    store: Store, today: date | None = None, progress: Progress = lambda done, of: None, now: datetime | None = None
) -> list[Attempt[Cut | Drafted, None]]:
    """Draw every release and draft that is not drawn by the site of today, then the pages across releases.

    Args:
        store: the state root.
        today: to tell what is still to come.
        progress: called with pages done and pages in all, of the release at hand.
        now: by which an embargo is said to end.

    Returns:
        What became of each release and draft; one that is damaged stops no other.
    """
    now = now or datetime.now(UTC)
    today = today or now.date()
    ledger, version = ledger_of(store), site_version()
    ends = Ends(store, now)
    drafts = [d for d in ledger.drafts.everything() if d.drawn != _mark(d, version, _held(store, d), ends)]
    things: list[Cut | Drafted] = [*ledger.published.to_draw(version), *drafts]

    def one(thing: Cut | Drafted) -> None:
        if isinstance(thing, Cut):
            _release(store, thing, version, progress, ends)
        else:
            _draft(store, thing.action_id, version, progress, ends)

    done = list(each(things, one))
    # What stands on the front pages, as it was before they were drawn: a kill or a publication meanwhile is made good.
    drafted = (f"{d.release_id} {d.kept} {ends[d.action_id]}" for d in ledger.drafts.shown())
    on_it = [*ledger.published.shown(), *drafted]
    front = f"{version} {today.isoformat()} {hashlib.sha256(chr(10).join(on_it).encode()).hexdigest()[:16]}"
    if ledger.fact("front") != front:
        _front(store, today, ends)
        ledger.keep_fact("front", front)
    return done


def _release(store: Store, cut: Cut, version: str, progress: Progress, ends: Ends) -> None:
    """One release's pages, and the list of its action's releases."""
    published = ledger_of(store).published
    action = resolve(cut.action_id)
    release = read_manifest(store, action.slug, cut.number)
    cuts = [c for c in published.of(cut.action_id) if c.state == "published"]
    newest, folder = cuts[-1], f"site/{action.slug}/{cut.number:04d}"
    by = newest if newest.number != cut.number else None
    if not (by and _supersede(store, folder, by, version)):
        tables = {n: read_table(store, release, n) for n in TABLES}
        _write(store, folder, pages(release, action, tables, _pasts(store, release), by, progress), version)
    if by is None:
        _lists(store, action, ends)
    published.drawn(cut, version)


def _supersede(store: Store, folder: str, by: Cut, version: str) -> bool:
    """Say on the pages of a release what superseded it; False where they are not as this version drew them.

    Nothing else of them changes, so they need not be drawn again, as many as there are trusts.
    """
    known = _drawn(store, folder)
    found = store.read_many([f"{folder}/{n}" for n in known.pages], missing_ok=True) if known.version == version else {}
    before = {n: found.get(f"{folder}/{n}", b"") for n in known.pages}
    if not before or any(hashlib.sha256(data).hexdigest() != known.pages[n] for n, data in before.items()):
        return False
    _write(store, folder, ((n, superseded(n, data, by)) for n, data in before.items()), version)
    return True


def _draft(store: Store, action_id: str, version: str, progress: Progress, ends: Ends) -> None:
    """The pages of an action's draft, or none where it is none any more; and the list of its releases.

    Whoever has the draft in hand draws what he makes of it.
    """
    drafts = ledger_of(store).drafts
    mine = drafts.claim(action_id)
    if mine is None:
        return
    try:
        action, folder = resolve(action_id), f"{drafts_root()}/{mine.slug}/draft"
        hold, end = _held(store, mine), ends[action_id]
        gone = [f"site/{mine.slug}/draft", f"embargoed/{mine.slug}"]
        for key in [k for place in gone if not (mine.is_shown and folder.startswith(place)) for k in store.list(place)]:
            store.delete(key)
        if mine.is_shown:
            drafts.drawn(mine, "begun")  # pages that are cut short are found, and taken away, by this
            made = read_draft(store, mine.slug, mine.kept)
            tables = {n: read_table(store, made, n) for n in TABLES}
            said = _differs(store, made, tables)
            _write(store, folder, pages(made, action, tables, _pasts(store, made), None, progress, said, hold, end))
        else:
            tidy(store, mine)
        _lists(store, action, ends)
        drafts.drawn(mine, _mark(mine, version, hold, ends))
    except Damaged:
        ledger_of(store).judged.touch(action_id.split(";"))
        raise
    finally:
        drafts.let_go(mine)


def _held(store: Store, row: Drafted) -> Hold | None:
    """How a draft that is shown stands with the release gate."""
    return ledger_of(store).holds.about(row.action_id, row.identity) if row.is_shown else None


def _mark(row: Drafted, version: str, hold: Hold | None, ends: Ends) -> str:
    """What is noted of a draft whose pages are as they should be; empty where there should be none."""
    if not row.is_shown:
        return ""
    said = (f"{hold.state} {hold.since}" if hold else "", ends[row.action_id])
    return " ".join([version, row.kept, *filter(None, said)])


def _differs(store: Store, made: Draft, tables: dict[str, pa.Table]) -> list[str]:
    """What differs in a draft from the current release, in words; nothing where that is damaged, or none was cut."""

    def compared(previous: str) -> list[str]:
        before = find(store, previous)
        found = news(before, {t.name: read_table(store, before, t.name) for t in COMPARED}, made, tables)
        names = {(r["area_type"], r["area_code"]): r["area_name"] for r in tables[TOTALS_TABLE].to_pylist()}
        return lines(found, ENGLAND, names, {s.submission_id: s.source_name for s in made.inputs.submissions})

    return (attempt(made.previous, compared).made or []) if made.previous else []


def _pasts(store: Store, release: Release) -> list[Compared]:
    """The release before this one; left out when it is damaged.

    Another action's is none to compare with: it has other days and other trusts, so its totals say nothing of these.
    """

    def before(release_id: str) -> Compared:
        one = find(store, release_id)
        label, what = f"Since release {one.number}", "the release before this one"
        needed = {n: read_table(store, one, n) for n in (TOTALS_TABLE, COVERAGE.name)}
        return Compared(label, what, one.release_id, needed)

    tried = list(each([r for r in (release.previous,) if r], before))
    for one in tried:
        if one.error is not None:
            log.error("%s is drawn without a comparison: %s", release.release_id, one.reason)
    return [one.made for one in tried if one.made is not None]


def _drawn(store: Store, folder: str) -> Drawn:
    key = f"{folder}/{_DRAWN}"
    try:
        return Drawn.load(store.read(key), key)
    except (FileNotFoundError, Damaged):
        return Drawn()


def _write(store: Store, folder: str, made: Iterable[tuple[str, bytes]], version: str = "") -> None:
    """Write the pages of one folder that are not as they were, as they are drawn, and take away what is no more."""
    known = _drawn(store, folder)
    before = known.pages
    now: dict[str, str] = {}
    fresh: dict[str, bytes] = {}
    for name, data in made:
        now[name] = hashlib.sha256(data).hexdigest()
        if before.get(name) != now[name]:
            fresh[f"{folder}/{name}"] = data
        if len(fresh) >= _AT_ONCE:  # the widest areas can be read while the trusts are still drawn
            store.write_many(fresh)
            fresh.clear()
    store.write_many(fresh)
    for name in sorted(set(before) - set(now)):
        store.delete(f"{folder}/{name}")
    if (now, version) != (before, known.version):
        store.write(f"{folder}/{_DRAWN}", Drawn(pages=now, version=version).dump())


def _lists(store: Store, action: ActionSet, ends: Ends) -> None:
    """The list of an action's releases; where its draft is under embargo, once more with the draft."""
    draft = shown(store).get(action.action_id)
    end = ends[action.action_id] if draft else ""
    _write(store, f"site/{action.slug}", _of_action(store, action, draft, end))
    if end:
        listed = (one for one in _of_action(store, action, draft) if one[0] == "index.html")
        _write(store, f"{EMBARGOED}/{action.slug}", listed)


def _of_action(store: Store, action: ActionSet, draft: Draft | None, end: str = "") -> Iterator[tuple[str, bytes]]:
    """The list of an action's releases with its draft, and the address that always leads to the current release.

    Of a draft under embargo only until when it is: `end`.
    """
    rows = []
    for cut in (c for c in reversed(ledger_of(store).published.of(action.action_id)) if c.state == "published"):
        try:
            one = read_manifest(store, action.slug, cut.number)
        except (OSError, Damaged) as error:
            log.error("release %s is left out of its action's list: %s", cut.release_id, error)
            continue
        decision = decision_of(store, one)
        against = failed(decision.gate) if decision else []
        rows.append((cut, one, cut_at(one, decision), _why(decision), against))
    found: list[Release] = [row[1] for row in rows[:1]] + ([draft] if draft else [])
    if not found:
        return
    draft = None if end else draft
    context = {
        "action": action,
        "embargo": end,
        "facts": {"data_class": found[0].data_class},
        "as_at": found[0].as_at,
        "draft": draft,
        "held": ledger_of(store).holds.about(action.action_id, draft.identity) if draft else None,
        "releases": rows,
        "nav": (
            ("index.html", "Its releases"),
            ("../index.html", "All actions"),
            ("../before.html", "Before a strike"),
        ),
        "root": "",
        "here": "index.html",
        "heading": "Releases",
        "number": found[0].number,
        "area_pages": area_pages(),
    }
    templates = {"index.html": "releases.html.jinja", "current.html": "current.html.jinja"}
    for name in templates if rows else ("index.html",):
        yield name, str(environment().get_template(templates[name]).render(**context)).encode()


def _why(decision: Decision | None) -> str:
    """Why a release was cut; by whom, where a person did, and since when it had been held."""
    if decision is None:
        return ""
    held = f", held since {words.moment(decision.held)}" if decision.held else ""
    return decision.reason + (f" ({decision.who}{held})" if decision.who not in ("", AUTOMATIC) else "")


def _front(store: Store, today: date, ends: Ends) -> None:
    """`site/index.html` and `site/before.html`, from the summaries of the current releases.

    Under embargo the first of them once more, with the drafts, for those with pre-release access.
    """
    ledger = ledger_of(store)
    kept = [*_kept(ledger.published.summaries())]
    before: dict[str, list[Kept]] = {k.summary.action_id: [] for k in kept if ";" not in k.summary.action_id}
    for early in _kept(ledger.published.early()):
        if early.summary.action_id in before:
            before[early.summary.action_id].append(early)
    drafts = shown(store)
    _write(store, "site", overview(kept, before, today, drafts, {i: ends[i] for i in drafts}).items())
    inner = [("index.html", overview(kept, before, today, drafts)["index.html"])] if with_access() else []
    if inner or store.exists(f"{EMBARGOED}/{_DRAWN}"):
        _write(store, EMBARGOED, inner)


def _kept(summaries: dict[str, str]) -> Iterator[Kept]:
    """Releases by their summaries, in order of action and number; one that cannot be read is left out by name."""
    found = []
    for release_id, text in summaries.items():
        try:
            one = Kept(Summary.load(text, f"summary of {release_id}"))
            resolve(one.summary.action_id)
            found.append(one)
        except (Damaged, UnknownAction) as error:
            log.error("release %s is left out of the pages across releases: %s", release_id, error)
    yield from sorted(found, key=lambda k: (k.summary.action_id, k.summary.number))
