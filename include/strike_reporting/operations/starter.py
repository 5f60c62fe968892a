"""A configuration to start from: settings, an empty registry, and an example of each entry to uncomment."""

from __future__ import annotations

from pathlib import Path

from strike_reporting.errors import StrikesError
from strike_reporting.extracts import EXTRACTS
from strike_reporting.intake.config_edits import SCHEMA
from strike_reporting.intake.transports.kinds import KINDS
from strike_reporting.operations.schemas import write_schemas
from strike_reporting.settings import GROUPS, shown

_FEEDS = """\
{schema}# Feeds: how each trust delivers each extract. One entry a feed; a bad one stops itself and no other.
# `strikes feed new` writes an entry from a sample.
# `strikes feeds` says what is wrong with an entry; docs/feeds.md says what each transport needs.
# Values:
#   trust       ODS code; of a collective return instead: sender, a name, and trusts, a list of codes or [all]
#   extract     {extracts}
#   transport   folder (default) or another of: {transports}
#   connection  the id of an Airflow connection, which holds address and secret; never a secret here
#   location    where the files are; for a folder relative to STRIKES_HOME/inbox
#   dialect     template (default), or the id of a file in dialects/
#   due         HH:MM on the day after the strike day; grace: minutes after it
#   contact     who hears of a file that cannot be used
#   data_class  real (default) or synthetic
#   enabled     true (default) or false: then it is known and not pulled
#   restates_day  true: what a file says of a day is the whole of it (default false: parts that it lacks stand)
#
# Remove the # from these lines and make them yours:
#- trust: RHU
#  extract: {first}
#  location: RHU/returns/*.csv
#  due: 10:00
#  grace: 30
#  contact: information@trust.nhs.uk
"""

_DIALECTS = """\
{schema}# Dialects: how a supplier's file is written. One document a dialect, parted by lines of three dashes. The blank
# templates need none.
#
# Remove the # from these lines and make them yours:
#id: supplier_daily
#extract: cancellations
#description: The supplier's daily extract with semicolons and days first.
#delimiters: [";"]
#columns:
#  ods_code: Provider
#  activity_date: {header: Appointment date, format: "%d/%m/%Y"}
#  point_of_delivery: {header: POD, codes: {IP: elective_unsplit, OP: outpatient_unsplit}}
#  cancelled_count: Cancelled
#constants: {status: cancelled}
"""

_README = """\
# Configuration of the strike reporting

`STRIKES_CONFIG` names this folder. Keep it under version control; it holds no secret.

| what | holds |
|---|---|
| `settings.toml` | tuning numbers; a line that is commented out has its default |
| `feeds/*.yaml` | who delivers what, from where, until when |
| `dialects/*.yaml` | how suppliers' files are written, where they are not the template |
| `extracts/*/contract.yaml` | optional: further extracts, each a folder with its contract |
| `fixtures/*` | made-up files of the shape that a feed sends: `strikes feed check --fixtures` tries them |
| `schemas/*.json` | what an editor completes and checks feeds and dialects by; `strikes feed schema` writes them anew |
| `reference/*.csv` | optional: rows that replace or add to those of the packaged file of the same name and columns |

After a change `strikes feeds` names every entry that cannot be used, and `strikes check-reference` every row.
"""


# What an installation begins with, where the defaults are those of a run by hand: its figures are drafts until a time.
_STARTED = {"cut_at_once": False}


def settings_toml() -> str:
    """Every setting with its default, commented out, but for what an installation does otherwise."""
    lines = ["# Remove the # before a name to change its default. STRIKES_<NAME> in the environment is stronger."]
    for group in GROUPS:
        lines += ["", f"# {group.__name__}. {' '.join((group.__doc__ or '').split())}"]
        for name, field in group.model_fields.items():
            given = f"{name} = {shown(_STARTED[name])}" if name in _STARTED else f"#{name} = {shown(field.default)}"
            lines.append(f"{given}  # {field.description}")
    return "\n".join(lines) + "\n"


def write_starter(folder: Path) -> list[Path]:
    """Write a starting configuration; returns its files.

    Raises:
        StrikesError: the folder is a file, or holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StrikesError(f"{folder} is not an empty folder, and nothing is overwritten: name a new one")
    files = {
        "settings.toml": settings_toml(),
        "feeds/feeds.yaml": _FEEDS.format(
            schema=SCHEMA.format("feeds"),
            extracts=", ".join(EXTRACTS),
            transports=", ".join(KINDS),
            first=next(iter(EXTRACTS)),
        ),
        "dialects/dialects.yaml": _DIALECTS.replace("{schema}", SCHEMA.format("dialects"), 1),
        "README.md": _README,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "reference").mkdir()
    return [*(folder / name for name in files), *write_schemas(folder)]
