"""YAML of the configuration, entry by entry: what is wrong is one entry's fault, with its file and line.

Values are taken as written: `18:00` is a time and not 1080, `NO` a code and not false.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from strike_reporting.yaml_text import LOADER

_SECRETS = re.compile(r"pass|secret|token|key|credential|bearer", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """What is wrong with one entry (`what` is feed or dialect), and what mends it."""

    what: str
    name: str
    file: str
    line: int
    field: str
    value: str | None
    message: str
    fix: str

    def __str__(self) -> str:
        """In one sentence with its place, and the fix."""
        who = f"{self.what} {self.name}".strip()
        given = self.field if self.value is None else f"{self.field} = {self.value!r}"
        return f"{self.file}, line {self.line}: {who}: {f'{given}: ' if given else ''}{self.message}. {self.fix}"


class Wrong(ValueError):
    """A value that a model refuses, with the fix; `field` where the model as a whole refuses it."""

    def __init__(self, message: str, fix: str, field: str = "", value: str | None = None) -> None:
        """Keep what is wrong and what to do."""
        super().__init__(message)
        self.fix, self.field, self.value = fix, field, value


@dataclass(frozen=True)
class Entry:
    """One entry of a file: its values as written, and the line of each."""

    what: str
    name: str
    file: str
    line: int
    data: dict[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)

    def fault(self, name: str, value: object, message: str, fix: str) -> Fault:
        """A fault of one of its fields, which may be a path such as `columns.ods_code`."""
        line = self.lines.get(name.split(".", maxsplit=1)[0], self.line)
        shown = None if value is None or isinstance(value, dict | list) else str(value)
        return Fault(self.what, self.name, self.file, line, name, shown, message, fix)

    def faults(self, error: ValidationError, known: Iterable[str], fixes: Mapping[str, str]) -> list[Fault]:
        """What a model found wrong with it, one fault a field. The value of an unknown field is never shown."""
        found = []
        for e in error.errors():
            name = ".".join(str(part) for part in e["loc"])
            cause = e.get("ctx", {}).get("error")
            fix = fixes.get(str(e["loc"][0]) if e["loc"] else "", "Correct it.")
            if isinstance(cause, Wrong):
                value = cause.value if cause.field else e["input"]
                found.append(self.fault(cause.field or name, value, str(cause), cause.fix))
            elif e["type"] == "missing":
                found.append(self.fault(name, None, "it is missing", fix))
            elif e["type"] == "extra_forbidden":
                found.append(self.fault(name, None, f"a {self.what} has no such field", _instead(name, known)))
            else:
                found.append(self.fault(name, e["input"], e["msg"][:1].lower() + e["msg"][1:], fix))
        return found


def _instead(name: str, known: Iterable[str]) -> str:
    if _SECRETS.search(name):
        return "A secret never stands here: keep it in an Airflow connection and give the connection's id."
    return nearest(name, known, "Remove it.")


def nearest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A sentence that offers the known names nearest to a mistaken one, or else all of them (or `otherwise`)."""
    options = sorted(known)
    folded = {o.casefold(): o for o in options}
    exact = [name.casefold()] if name.casefold() in folded else []
    near = [folded[m] for m in exact or get_close_matches(name.casefold(), folded, 3, 0.6)]
    if near:
        return f"The nearest is {' or '.join(near)}."
    return otherwise or f"Choose one of: {', '.join(options)}."


def one_of(options: Collection[str]) -> Callable[[str], str]:
    """A validator that lets only these names through."""

    def check(value: str) -> str:
        if value not in options:
            raise Wrong("it is not known", nearest(value, options))
        return value

    return check


def entries(folder: Path, what: str, name: Callable[[dict[str, Any]], str]) -> Iterator[Entry | Fault]:
    """Every entry of a folder's YAML files: of lists (feeds), or a document each (dialects).

    One that cannot be parsed is a fault and the others stand. Several of one name are faults, all of them: which is
    meant is not guessed.
    """
    files = sorted(p for p in folder.glob("*") if p.suffix in (".yaml", ".yml") and p.name[0] != ".")
    found = [e for file in files for e in _of_file(file, what, name)]
    named = Counter(e.name for e in found if isinstance(e, Entry) and e.name)
    for entry in found:
        if isinstance(entry, Entry) and named[entry.name] > 1:
            places = [f"{e.file}, line {e.line}" for e in found if e.name == entry.name and e is not entry]
            fix = f"Remove one; the other is at {'; '.join(places)}."
            yield Fault(what, entry.name, entry.file, entry.line, "", None, "it is given twice, so none is used", fix)
        else:
            yield entry


def _of_file(file: Path, what: str, name: Callable[[dict[str, Any]], str]) -> Iterator[Entry | Fault]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        yield Fault(what, "", str(file), 1, "", None, f"the file cannot be read: {error}", "Save it as UTF-8 text.")
        return
    if not text.strip():
        yield Fault(what, "", str(file), 1, "", None, "the file is empty", "Restore what it held, or remove it.")
        return
    try:
        nodes = list(yaml.compose_all(text, LOADER))
    except yaml.YAMLError:
        yield from _piecewise(file, text, what, name)
        return
    yield from _of_nodes(file, nodes, what, name)


def _piecewise(file: Path, text: str, what: str, name: Callable[[dict[str, Any]], str]) -> Iterator[Entry | Fault]:
    """The parts of a file that is not YAML as a whole, each parsed alone."""
    starts = [m.start() for m in re.finditer(r"^(- |-$|---)", text, re.MULTILINE)]
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        before = text.count("\n", 0, start)
        try:
            nodes = list(yaml.compose_all("\n" * before + text[start:end], LOADER))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = min(mark.line + 1 if mark else before + 1, text.count("\n", 0, end) or 1)
            problem = getattr(error, "problem", None) or "it cannot be parsed"
            given = dict(re.findall(r"\b(id|trust|extract): *[\"']?([\w.-]+)", text[start:end]))
            fix = "Look for a missing quote, bracket, comma or space after a colon."
            yield Fault(what, name(given), str(file), line, "", None, f"this is not YAML: {problem}", fix)
        else:
            yield from _of_nodes(file, nodes, what, name)


def _of_nodes(
    file: Path, nodes: Iterable[yaml.Node | None], what: str, name: Callable[[dict[str, Any]], str]
) -> Iterator[Entry | Fault]:
    for root in nodes:
        for node in root.value if isinstance(root, yaml.SequenceNode) else [root]:
            if node is None or node.tag.endswith(":null"):
                continue
            line = node.start_mark.line + 1
            if not isinstance(node, yaml.MappingNode):
                fix = "Write `name: value` pairs."
                yield Fault(what, "", str(file), line, "", None, f"a {what} is not written like this", fix)
                continue
            try:
                data = _plain(node)
            except (yaml.YAMLError, RecursionError):
                fix = "Write each value where it is used."
                yield Fault(what, "", str(file), line, "", None, "its anchors lead nowhere or in a circle", fix)
                continue
            except _Unclear as error:
                given = {k.value: v.value for k, v in node.value if isinstance(k, yaml.ScalarNode)}
                yield Fault(what, name(given), str(file), error.line, error.key, None, str(error), error.fix)
                continue
            lines = {k.value: k.start_mark.line + 1 for k, _ in node.value}
            given = {k: v for k, v in data.items() if v is not None}
            yield Entry(what, name(given), str(file), line, given, lines)


class _Unclear(Exception):
    def __init__(self, message: str, fix: str, node: yaml.Node, key: str = "") -> None:
        super().__init__(message)
        self.fix, self.line, self.key = fix, node.start_mark.line + 1, key


def _plain(node: yaml.Node) -> Any:
    """A node's values as written; an empty value of a mapping is None."""
    if isinstance(node, yaml.SequenceNode):
        return [_plain(n) for n in node.value]
    if not isinstance(node, yaml.MappingNode):
        return node.value
    seen: set[str] = set()
    for key, _ in node.value:
        if str(key.value) in seen:
            raise _Unclear("the entry gives it twice", "Remove one of them.", key, str(key.value))
        seen.add(str(key.value))
    yaml.constructor.SafeConstructor().flatten_mapping(node)  # `<<: *shared`
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _Unclear("a name is not plain text", "Look for a bracket where a name should be.", key)
    return {k.value: None if v.tag.endswith(":null") else _plain(v) for k, v in node.value}
