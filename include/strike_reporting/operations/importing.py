"""The registry from a spreadsheet: one row a feed, every fault with its row, all or nothing."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strike_reporting.errors import StrikesError
from strike_reporting.extracts import slug
from strike_reporting.intake.config_edits import add_feeds, feed_line, own_config
from strike_reporting.intake.registry import Feed, load_registry
from strike_reporting.judging.reading.document import Layout
from strike_reporting.judging.reading.reader import shared_reader
from strike_reporting.operations.new_feed import tables

_WORDS = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}
_YES_NO = ("enabled", "restates_day")


@dataclass(frozen=True)
class Imported:
    """The feeds of a spreadsheet, or what is wrong with its rows; `path`: where they were written."""

    feeds: tuple[str, ...]
    faults: tuple[str, ...]
    path: Path | None = None


def import_feeds(sheet: Path, *, write: bool = True) -> Imported:
    """Read a spreadsheet (CSV or workbook) whose headings are the fields of a feed, and add its rows to the registry.

    Raises:
        Rejected: no reader reads it.
        StrikesError: its headings are not a feed's fields; or there is no configuration to write to, or a file of
            that name is in the registry.
    """
    folder = own_config()
    rows = _rows(sheet)
    lines = [feed_line(data) for _, data in rows]
    name = f"{re.sub(r'[^A-Za-z0-9_-]+', '_', sheet.stem)}.yaml"
    if (folder / "feeds" / name).exists():
        raise StrikesError(f"{folder / 'feeds' / name} is there already: give the spreadsheet another name")
    faults = _faults(folder, name, lines, [n for n, _ in rows])
    ids = tuple(f"{data.get('trust', '?')}.{data.get('extract', '?')}" for _, data in rows)
    if faults or not write:
        return Imported(ids, tuple(faults))
    return Imported(ids, (), add_feeds(folder, lines, name))


def _rows(sheet: Path) -> list[tuple[int, dict[str, str | int | bool]]]:
    """Each feed with the number of its row."""
    layouts = [Layout((e,), d) for e in ("utf-8", "cp1252") for d in (",", ";", "\t")]
    fields = {slug(n): n for n in Feed.model_fields}
    for table in tables(shared_reader().read(sheet.read_bytes(), layouts)):
        for header, row in enumerate(table.rows[:10]):
            names = [fields.get(slug(c), c.strip()) for c in row]
            if {"trust", "extract", "location", "contact"} <= set(names):
                if unknown := [n for n in names if n and n not in Feed.model_fields]:
                    known = ", ".join(Feed.model_fields)
                    raise StrikesError(f"a feed has no field {', '.join(unknown)}; remove the column. It has {known}")
                below = enumerate(table.rows[header + 1 :], start=header + 2)
                return [(n, _feed(dict(zip(names, r, strict=False)))) for n, r in below if any(c.strip() for c in r)]
    raise StrikesError(f"{sheet.name} has no row of headings with trust, extract, location and contact")


def _feed(cells: Mapping[str, str]) -> dict[str, str | int | bool]:
    """An entry as the registry writes it: without empty fields and a spreadsheet's own forms of times and numbers."""
    found: dict[str, str | int | bool] = {n: c.strip() for n, c in cells.items() if n and c.strip()}
    if "due" in found:
        found["due"] = re.sub(r"^(?:\d{4}-\d{2}-\d{2}[ T])?(\d{1,2}:\d{2})(:00(\.0+)?)?$", r"\1", str(found["due"]))
    if "grace" in found:
        minutes = re.sub(r"\.0+$", "", str(found["grace"]))
        found["grace"] = int(minutes) if minutes.isdecimal() else minutes
    for name in _YES_NO:
        if name in found:
            found[name] = _WORDS.get(str(found[name]).casefold(), found[name])
    return found


def _faults(folder: Path, name: str, lines: list[str], numbers: list[int]) -> list[str]:
    """What the registry would say if the lines were in it, each with its row of the spreadsheet."""
    with tempfile.TemporaryDirectory(prefix="strikes-") as made:
        copy = Path(made)
        for part in ("feeds", "dialects"):
            if (folder / part).is_dir():
                shutil.copytree(folder / part, copy / part)
        add_feeds(copy, lines, name)
        found = [f for f in load_registry(copy).faults if Path(f.file).name == name]
        first = next(
            i for i, text in enumerate((copy / "feeds" / name).read_text("utf-8").splitlines()) if text[:2] == "- "
        )
        return [
            f"row {numbers[f.line - 1 - first]}: {str(f).partition(': ')[2].replace(f'{copy}/', '')}" for f in found
        ]
