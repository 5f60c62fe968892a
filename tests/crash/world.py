"""A small world to kill processes in: two trusts, two actions, one release already out, and the round that follows it.

The round brings a correction, a file with an unusable row that concerns both actions, the same content under another
name, and a file with (synthetic) patient data. It ends with release 2 of one action, release 1 of the other, their
pages, and four e-mails.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import pickle
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

ACTIONS = ("JD-2023-04-11", "JD-2023-06-14")
NOW = datetime(2023, 4, 12, 10, tzinfo=UTC)
TRUSTS = {"RHU", "RHM"}
LISTS = {"england": "england@nhs.example"}
FEEDS = """
- {{trust: RHM, extract: cancellations, location: {inbox}/RHM/cancellations, contact: a@rhm.example}}
- {{trust: RHM, extract: staffing, location: {inbox}/RHM/staffing, contact: a@rhm.example}}
- {{trust: RHU, extract: cancellations, location: {inbox}/RHU/cancellations, contact: a@rhu.example}}
"""
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
BOTH = HEAD + "RHU,2023-04-11,day_case,cancelled,4\nRHU,2023-06-14,day_case,cancelled,9\nRHU,2023-06-15,day_case,x,1\n"
BEFORE = {"RHM/cancellations/first.csv": HEAD + "RHM,2023-04-11,day_case,cancelled,7\n"}
NEW = {
    "RHM/cancellations/second.csv": HEAD + "RHM,2023-04-11,day_case,cancelled,8\n",
    "RHM/staffing/a.csv": "ods_code,nhs_number,activity_date\nRHM,943 476 5919,2023-04-11\n",
    "RHU/cancellations/a.csv": BOTH,
    "RHU/cancellations/b.csv": BOTH,
}


def make(folder: Path) -> dict[str, str]:
    """Configuration and reference data of the world, in a folder; the environment that names them."""
    (folder / "config/feeds").mkdir(parents=True)
    (folder / "config/dialects").mkdir()
    (folder / "config/feeds/feeds.yaml").write_text(FEEDS.format(inbox=folder / "inbox"))
    # One lane, so that files land in the same order whenever the round is run again from its beginning.
    (folder / "config/settings.toml").write_text("pulls_at_once = 1\npulls_at_one_endpoint = 1\n")
    for extract in ("RHM/cancellations", "RHM/staffing", "RHU/cancellations"):
        (folder / "inbox" / extract).mkdir(parents=True)
    _trimmed(folder / "reference")
    named = {"STRIKES_CONFIG": "config", "CRASH_REFERENCE": "reference", "CRASH_MADE": "made"}
    return {variable: str(folder / name) for variable, name in named.items()}


def forget(folder: Path) -> None:
    """Take all files out of the inbox."""
    for name in (*BEFORE, *NEW):
        (folder / "inbox" / name).unlink(missing_ok=True)


def send(folder: Path, files: dict[str, str]) -> None:
    """Put files into the inbox, each a second older than the next."""
    for age, (name, text) in enumerate(files.items()):
        path = folder / "inbox" / name
        path.write_text(text)
        os.utime(path, (1e9 + age, 1e9 + age))


def _trimmed(folder: Path) -> None:
    """The reference data without all other trusts: pages and tables are then few, and a round is quick."""
    from strike_reporting.reference.facts import reference_folder

    shutil.copytree(reference_folder(), folder)
    keep = {
        "organisations": ("ods_code", TRUSTS),
        "trust_icb_history": ("ods_code", TRUSTS),
        "trust_mergers": ("successor_code", TRUSTS),
        "published_figures": ("geography_type", {"england"}),
        "organisation_names": ("ods_code", TRUSTS),
        "services": ("scope", {"trust_type"}),
        "asked": ("ods_codes", {""}),
    }
    for name, (column, wanted) in keep.items():
        path = folder / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(r for r in rows if r[column] in wanted)
    areas = folder / "areas.csv"
    head = areas.read_text(encoding="utf-8").partition("\n")[0]
    areas.write_text(f"{head}\nHAMPSHIRE,Hampshire,{';'.join(sorted(TRUSTS))},yes,hampshire,yes,\n", encoding="utf-8")


def _collect() -> list[str]:
    from strike_reporting.operations import rounds

    round_id = os.environ["CRASH_COLLECTION"]
    return [p for group in rounds.collect_plan() for p in rounds.collect_group(round_id, group)["problems"]]


def _judge() -> list[str]:
    from strike_reporting.operations import rounds

    return [p for group in rounds.validate_plan() for p in rounds.validate_group(group)["problems"]]


def _publish() -> list[str]:
    from strike_reporting.operations import rounds

    return [p for group in rounds.publish_plan() for p in rounds.publish_group(group)["problems"]]


def _draw() -> list[str]:
    from strike_reporting.site.draw import draw
    from strike_reporting.storage import Store

    return [t.reason for t in draw(Store()) if t.error is not None]


def _mail() -> list[str]:
    from strike_reporting.operations.mail import Post, deliver
    from strike_reporting.storage import Store

    counts = deliver(Store(), Post("strikes@nhs.example", _post, LISTS), NOW)
    return [f"{counts['failed']} e-mails failed"] if counts["failed"] else []


def _post(message: EmailMessage) -> None:
    import smtplib

    with smtplib.SMTP("127.0.0.1", int(os.environ["CRASH_SMTP_PORT"])) as server:
        server.send_message(message)


STAGES: dict[str, Callable[[], list[str]]] = {
    "collect": _collect,
    "judge": _judge,
    "publish": _publish,
    "draw": _draw,
    "mail": _mail,
}


def work(stages: list[str], waits: bool = False) -> None:
    """Some stages of a round, as the DAGs do them. What goes wrong ends the process with a reason.

    Args:
        stages: which.
        waits: there is another process, so that something may be had later only.
    """
    from strike_reporting.errors import Transient

    heard = _heard(Transient)
    for stage in stages:
        try:
            problems = STAGES[stage]()
        except Transient as error:
            problems = [str(error)]
        if waits:
            problems = [p for p in problems if not any(h in p for h in heard)]
        if problems:
            raise SystemExit(f"{stage}: {'; '.join(problems)}")


def _heard(kind: type[Exception]) -> list[str]:
    """What errors of a kind will say in this process."""
    said: list[str] = []

    def made(error: Exception, *args: Any) -> None:
        Exception.__init__(error, *args)
        said.append(str(error))

    kind.__init__ = made  # type: ignore[assignment, misc]
    return said


def freeze() -> None:
    """Stop the clocks by which files are received and pages drawn, and use the world's reference data.

    Files are written one after the other: so many lanes make as many folders at once as they please, and a kill at
    the n-th operation would then be another one each time, or none.
    """
    from strike_reporting.intake import landing
    from strike_reporting.judging import filing
    from strike_reporting.publishing import workbook
    from strike_reporting.reference import facts
    from strike_reporting.site import charts, draw
    from strike_reporting.storage import _folder, _objects

    class Frozen(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return NOW

    _folder.AT_ONCE = _objects.AT_ONCE = 1
    landing.datetime = filing.datetime = draw.datetime = Frozen  # type: ignore[misc, attr-defined]
    facts.reference_folder = lambda: Path(os.environ["CRASH_REFERENCE"])  # type: ignore[assignment]
    for module, name in ((charts, "icb_tiles"), (workbook, "workbook")):
        setattr(module, name, _remembered(getattr(module, name), Path(os.environ["CRASH_MADE"])))


def _remembered(make: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """Charts and workbooks are made once for all children: half of a round's time would go into the same few."""
    folder.mkdir(exist_ok=True)

    def made(*args: Any, **kwargs: Any) -> Any:
        asked = io.BytesIO()
        by_value = pickle.Pickler(asked)
        by_value.fast = True  # what is equal is written alike, whether or not it is one object
        by_value.dump((make.__name__, args, kwargs))
        known = folder / hashlib.sha256(asked.getvalue()).hexdigest()
        if not known.exists():
            fresh = folder / f"{known.name}.{os.getpid()}"
            fresh.write_bytes(pickle.dumps(make(*args, **kwargs)))
            fresh.rename(known)
        return pickle.loads(known.read_bytes())  # noqa: S301 - our own

    return made
