"""Extracts: each a folder with its data contract (Open Data Contract Standard v3.1), where each field is defined once.

The folders here come with the program; those in `extracts/` of the configuration (`STRIKES_CONFIG`) are added to them.
`load("...")` gives a `Contract`; the schema, the validation suite, the blank template, the dictionary page and the
simulator's domain of values are all derived from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from strike_reporting.errors import OurFault
from strike_reporting.extracts.checking import faults
from strike_reporting.extracts.contract import Contract, Field, Inside, Rule, Severity, Value, slug
from strike_reporting.extracts.documents import order, parse
from strike_reporting.settings import config_folder
from strike_reporting.yaml_text import load_yaml

__all__ = [
    "EXTRACTS",
    "Contract",
    "Field",
    "Inside",
    "Rule",
    "Severity",
    "Value",
    "care_settings",
    "contracts_dir",
    "document",
    "load",
    "parse",
    "reload_extracts",
    "roll_ups",
    "slug",
]


@dataclass(frozen=True)
class _Extract:
    folder: Path
    document: dict[str, Any]
    contract: Contract


@cache
def _known(config: Path | None) -> dict[str, _Extract]:
    """Every extract by name, in the order that the contracts say.

    Raises:
        OurFault: a contract that the rest cannot carry, or two extracts of one name.
    """
    found: dict[str, _Extract] = {}
    for place in [Path(__file__).parent, *([config / "extracts"] if config else [])]:
        for path in sorted(place.glob("*/contract.yaml")):
            one = _read(path)
            if path.parent.name in found:
                other = found[path.parent.name].folder
                raise OurFault(f"{path}: {other} is an extract of this name already; give it another name")
            found[path.parent.name] = one
    return dict(sorted(found.items(), key=lambda f: (order(f[1].document), f[0])))


def _read(path: Path) -> _Extract:
    name, text = path.parent.name, path.read_text(encoding="utf-8")
    wrong = [f"{path}, line {line}: {what}" for line, what in faults(text)]
    if wrong:
        raise OurFault(f"the contract of {name} cannot be used: {'; '.join(wrong)}")
    said: dict[str, Any] = load_yaml(text)
    if said["name"] != name:
        raise OurFault(f"{path}: it is the contract of {said['name']}, and its folder is called {name}; make them one")
    return _Extract(path.parent, said, parse(said))


class _Extracts(Collection[str]):
    """The names of all extracts, in order: asked of the configuration in use, whenever they are looked at."""

    def __iter__(self) -> Iterator[str]:
        return iter(_known(config_folder()))

    def __len__(self) -> int:
        return len(_known(config_folder()))

    def __contains__(self, name: object) -> bool:
        return name in _known(config_folder())


EXTRACTS = _Extracts()


def _one(name: str) -> _Extract:
    if name not in EXTRACTS:
        raise KeyError(f"no contract for {name!r}; the extracts are {', '.join(EXTRACTS)}")
    return _known(config_folder())[name]


def contracts_dir(name: str) -> Path:
    """The folder of an extract, which holds its contract and whatever else it is made of; KeyError as `document`."""
    return _one(name).folder


def document(name: str) -> dict[str, Any]:
    """One extract's contract as it is written.

    Raises:
        KeyError: `name` is not one of `EXTRACTS`.
    """
    return _one(name).document


def load(name: str) -> Contract:
    """The contract of one extract; KeyError as `document`."""
    return _one(name).contract


def roll_ups(breakdown: str) -> dict[str, str]:
    """Each value that rolls up to a breakdown, to the value that it rolls up to, over all extracts."""
    fields = (f for e in EXTRACTS for f in load(e).fields if f.rolls_up_to == breakdown)
    return {code: coarser for f in fields for code, coarser in f.roll_ups.items()}


def care_settings() -> dict[str, str]:
    """Point of delivery to care setting."""
    return roll_ups("care_setting")


def reload_extracts() -> None:
    """Forget what was read, so that the next look reads the folders again."""
    _known.cache_clear()
