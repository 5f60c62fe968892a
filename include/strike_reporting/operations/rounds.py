"""What there is to do, read from the ledger: the same questions for the DAGs, whatever triggered them."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime
from typing import Any

from strike_reporting import ledger
from strike_reporting.intake.collecting import Pulled, collect, groups
from strike_reporting.intake.landing import receipts
from strike_reporting.intake.registry import load_feeds, load_registry
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.operations.watch import feed_warnings
from strike_reporting.publishing.releases import CheckFailed, build
from strike_reporting.publishing.selection import select
from strike_reporting.reference.actions import ActionSet, actions, resolve
from strike_reporting.reference.facts import published_figures
from strike_reporting.settings import settings
from strike_reporting.storage import Store

log = logging.getLogger(__name__)

Group = dict[str, Any]


def collect_plan() -> list[Group]:
    """The registry's feeds in groups: `name` and `feeds` (ids)."""
    return [
        {"name": name, "feeds": [f.id for f in part]} for name, part in groups(load_feeds(), settings().feeds_in_group)
    ]


def collect_group(collection: str, group: Group) -> dict[str, int]:
    """Pull one group's feeds; how many ended in each status."""
    wanted = set(group["feeds"])
    pulled: list[Pulled] = collect(Store(), collection, [f for f in load_feeds() if f.id in wanted])
    return dict(Counter(p.status for p in pulled))


def warnings() -> list[str]:
    """What should be seen to before it loses a return, as sentences."""
    registry = load_registry()
    expiring = [f"{w.feed_id}: {w.what}" for w in feed_warnings(Store(), registry.enabled)]
    return [str(fault) for fault in registry.faults] + expiring


def validate_plan() -> list[Group]:
    """Submissions to judge, in groups; a trust's own stay together and in order."""
    todo = sorted(to_validate(Store()), key=lambda r: (r.ods_code or "", r.received_at, r.submission_id))
    plan: list[Group] = []
    for receipt in todo:
        last = plan[-1] if plan else None
        same_trust = last is not None and last["last"] == (receipt.ods_code or "")
        if last is None or (len(last["submissions"]) >= settings().submissions_in_group and not same_trust):
            last = {"name": receipt.ods_code or "drops", "submissions": [], "last": ""}
            plan.append(last)
        last["submissions"].append(receipt.submission_id)
        last["last"] = receipt.ods_code or ""
    return [{"name": f"{g['name']} to {g['last']}", "submissions": g["submissions"]} for g in plan]


def validate_group(group: Group) -> dict[str, int]:
    """Judge one group's submissions; how many ended in each status."""
    store, wanted = Store(), set(group["submissions"])
    done = validate(store, [r for r in receipts(store) if r.submission_id in wanted])
    return dict(Counter(o.status for o in done))


def to_publish(store: Store) -> list[str]:
    """Ids of the actions with a judged submission for one of their days.

    Actions that share a strike day, and actions that official figures only give together, are reported
    jointly as well: their effect cannot be split.
    """
    days = {d for o in ledger.outcomes(store) for d in o.days}
    single = [i for i, a in actions().items() if days & {d.isoformat() for d in a.days}]
    joint = {f.action_id for f in published_figures() if ";" in f.action_id}
    for i in single:
        partners = {p for d in actions()[i].days for p in resolve(i).overlapping(d)}
        if partners and actions()[i].status == "went_ahead":
            joint.add(resolve(";".join([i, *sorted(partners)])).action_id)
    return [*single, *sorted(j for j in joint if all(part in single for part in j.split(";")))]


def publish_plan() -> list[Group]:
    """Actions to publish, in groups."""
    ids, size = to_publish(Store()), settings().actions_in_group
    parts = [ids[i : i + size] for i in range(0, len(ids), size)]
    return [{"name": p[0] if len(p) == 1 else f"{p[0]} and {len(p) - 1} more", "actions": p} for p in parts]


def publish_group(group: Group) -> list[dict[str, Any]]:
    """Publish each action of a group: `action`, `release`, `is_new`, and `problem` when its checks failed."""
    store, done = Store(), []
    for action_id in group["actions"]:
        try:
            action: ActionSet = resolve(action_id)
            manifest, is_new = build(store, action)
            done.append({"action": action_id, "release": manifest["release_id"], "is_new": is_new, "problem": None})
        except Exception as error:  # one action's fault stops no other
            log.exception("action %s could not be published", action_id)
            problem = str(error) if isinstance(error, CheckFailed) else f"{action_id}: {type(error).__name__}: {error}"
            done.append({"action": action_id, "release": None, "is_new": False, "problem": problem})
    return done


def returns_board(store: Store, action_id: str, now: datetime) -> str:
    """The returns board of an action (of the newest with a submission when none is named), as a page.

    Raises:
        UnknownAction: the strike calendar has no such action.
    """
    from strike_reporting.site.board import board

    known = [resolve(i) for i in to_publish(store) if ";" not in i]
    known.sort(key=lambda a: a.days[0], reverse=True)
    action = resolve(action_id) if action_id else (known or [resolve(list(actions())[-1])])[0]
    outcomes = ledger.outcomes(store)
    found = select(action, outcomes, ledger.pull_failures(store))
    used = {s for r in found for s in (r.submission_id, r.refused_submission_id) if s}
    reports = {s for s in used if store.exists(f"quarantine/{s}/error_report.txt")}
    synthetic = any(o.data_class == "synthetic" for o in outcomes if o.submission_id in used)
    choices = known if action in known else [action, *known]
    return board(action, choices, found, reports, synthetic, now.isoformat())
