"""Changing the YAML of the configuration as a careful person would: one entry, everything else as it stood."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from strike_reporting.errors import StrikesError
from strike_reporting.intake.registry import load_registry
from strike_reporting.settings import config_folder, config_named
from strike_reporting.yaml_text import LOADER, load_yaml

SCHEMA = "# yaml-language-server: $schema=../schemas/{}.json\n"
_WIDTH = 110


def own_config() -> Path:
    """The configuration that may be written to.

    Raises:
        StrikesError: none is named: the embedded example is nobody's own.
    """
    folder = config_folder() if config_named() else None
    if folder is None:
        raise StrikesError(
            "no configuration of your own is in use: `strikes init FOLDER`, then set STRIKES_CONFIG to it"
        )
    return folder


def feed_line(entry: Mapping[str, Any]) -> str:
    """A feed as one line of a list."""
    text = yaml.safe_dump(dict(entry), sort_keys=False, default_flow_style=True, width=10_000, allow_unicode=True)
    return f"- {text.strip()}\n"


def dialect_document(dialect: Mapping[str, Any]) -> str:
    """A dialect as a document: a line for each field, small values within it."""
    lines = []
    for name, value in dialect.items():
        if isinstance(value, Mapping) and name in ("columns", "unpivot"):
            lines.append(f"{name}:\n")
            lines += [f"  {_flow({k: v})}\n" for k, v in value.items()]
        else:
            lines.append(f"{_flow({name: value})}\n")
    return "".join(lines)


def _flow(pair: dict[str, Any]) -> str:
    """One `name: value`, the value within the line."""
    [(name, value)] = pair.items()
    key, text = (
        yaml.safe_dump(v, sort_keys=False, default_flow_style=True, width=10_000, allow_unicode=True)
        .removesuffix("...\n")
        .strip()
        for v in (name, value)
    )
    return f"{key}: {text}"


def add_feeds(folder: Path, lines: Sequence[str], file: str = "feeds.yaml") -> Path:
    """Add feeds to the end of a file of the registry; what stands in it is not touched.

    Raises:
        StrikesError: the file is not a list that can be added to.
    """
    path = folder / "feeds" / file
    before = path.read_text(encoding="utf-8") if path.exists() else SCHEMA.format("feeds")
    text = before + ("" if before.endswith("\n") else "\n") + "".join(lines)
    _check(text, _entries(before) + len(lines), path)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _entries(text: str) -> int:
    try:
        found = load_yaml(text)
    except yaml.YAMLError:
        return -1
    return len(found) if isinstance(found, list) else 0 if found is None else -1


def _check(text: str, entries: int, path: Path) -> None:
    if _entries(text) != entries:
        raise StrikesError(
            f"{path} is not a list with a line `- ...` for each feed, so nothing is added: mend it first"
        )


def set_enabled(feed_id: str, enabled: bool) -> Path:
    """Write `enabled` into a feed's entry and change nothing else; returns the file.

    Raises:
        StrikesError: there is no such feed, or its entry cannot be changed safely.
    """
    folder = own_config()
    for path in sorted((folder / "feeds").glob("*.y*ml")):
        text = path.read_text(encoding="utf-8")
        for node in _mappings(text):
            given = {k.value: v for k, v in node.value}
            if ".".join(str(getattr(given.get(k), "value", "")) for k in _named(given)) != feed_id:
                continue
            changed = _with_enabled(text, node, given.get("enabled"), "true" if enabled else "false")
            if _entries(changed) != _entries(text):
                raise StrikesError(f"{path}: the entry of {feed_id} is written in a way that is not changed safely")
            path.write_text(changed, encoding="utf-8")
            return path
    known = ", ".join(f.id for f in load_registry().feeds[:20])
    raise StrikesError(f"the registry has no feed {feed_id!r}; it has {known or 'none'}")


def _named(given: Collection[str]) -> tuple[str, str]:
    return ("trust" if "trust" in given else "sender", "extract")


def _mappings(text: str) -> list[yaml.MappingNode]:
    try:
        roots = list(yaml.compose_all(text, LOADER))
    except yaml.YAMLError:
        return []
    nodes = [n for root in roots for n in (root.value if isinstance(root, yaml.SequenceNode) else [root])]
    return [n for n in nodes if isinstance(n, yaml.MappingNode)]


def _with_enabled(text: str, node: yaml.MappingNode, value: yaml.Node | None, word: str) -> str:
    if value is not None:
        return text[: value.start_mark.index] + word + text[value.end_mark.index :]
    last = node.value[-1][1].end_mark.index
    if node.flow_style:
        return f"{text[:last]}, enabled: {word}{text[last:]}"
    first = node.value[0][0].start_mark
    return f"{text[: first.index]}enabled: {word}\n{' ' * first.column}{text[first.index :]}"
