"""Each thing once: nothing outside the extracts' folders names a particular extract, measure or area.

Names are looked for in what is run: text in Python (without what documents it), templates and SQL. The list below says
where a name stands all the same, and why; it may only become shorter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from conftest import ROOT
from strike_reporting.catalogue.measures import Measures
from strike_reporting.extracts import EXTRACTS
from strike_reporting.extracts.measures import BY_EXTRACT
from strike_reporting.reference.areas import named_areas

PACKAGE = ROOT / "include" / "strike_reporting"
# Where a name stands all the same, and why.
ARGUED = {
    "operations/starter.py": "the example of a dialect, which somebody is to change, is of a form that exists",
    "reference/doubts.py": "says of one extract that nobody listed its trusts, as asked.csv is about it",
    "site/templates/before.html.jinja": "a plain word of a sentence",
}


def _keys(of: Measures) -> Iterator[str]:
    yield from of.keys
    yield from (table.name for table in of.tables)


def names() -> set[str]:
    """What is said once: extracts, their tables, measures, totals and shares, and named areas.

    A measure of one plain word (`cancelled`) cannot be told from the value of a field, or from a word.
    """
    found = {*EXTRACTS, *(k for of in BY_EXTRACT.values() for k in _keys(of) if "_" in k)}
    for n in named_areas():
        found |= {n.area.area_type, n.area.area_code, n.area.area_name}
    return found


NAMED = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(sorted(map(re.escape, names())))})(?![A-Za-z0-9])")


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """What a file says when it runs, by line: comments and docstrings explain, and may give an example."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(re.sub(r"--.*|\{#.*?#\}", "", text).splitlines(), start=1)
        return
    tree = ast.parse(text)
    told = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value
        elif isinstance(node, (ast.Name, ast.Attribute, ast.arg, ast.AnnAssign, ast.FunctionDef, ast.keyword)):
            yield getattr(node, "lineno", 0), _identifier(node)


def _identifier(node: ast.AST) -> str:
    if isinstance(node, ast.AnnAssign):
        return node.target.id if isinstance(node.target, ast.Name) else ""
    for name in ("id", "attr", "arg", "name"):
        if isinstance(said := getattr(node, name, None), str):
            return said
    return ""


def found() -> dict[str, list[str]]:
    """Each file that names something, with where and what."""
    places: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*")):
        inside = path.relative_to(PACKAGE)
        is_its_own = inside.parts[0] == "extracts" and len(inside.parts) > 2
        if path.suffix not in (".py", ".sql", ".jinja", ".js") or is_its_own:
            continue
        said = sorted({(n, m[0]) for n, text in texts(path) for m in NAMED.finditer(text)})
        if said:
            places[inside.as_posix()] = [f"{n}: {what}" for n, what in said]
    return places


def test_no_module_names_a_particular_extract_measure_or_area() -> None:
    new = {path: said for path, said in found().items() if path not in ARGUED}
    assert new == {}


def test_the_list_holds_nothing_that_is_mended() -> None:
    there = found()
    assert [path for path in ARGUED if path not in there] == []


def test_a_name_is_found_where_it_is_said(tmp_path: Path) -> None:
    extract = next(iter(EXTRACTS))
    module = tmp_path / "m.py"
    module.write_text(f'"""Such as {extract}."""\n# {extract}\nX = 1\nif X == f"{extract}/{{X}}":\n    pass\n')
    assert [n for n, text in texts(module) if NAMED.search(text)] == [4]
    template = tmp_path / "t.jinja"
    template.write_text(f"{{# {extract} #}}\n<p>{extract}</p>\n")
    assert [n for n, text in texts(template) if NAMED.search(text)] == [2]
