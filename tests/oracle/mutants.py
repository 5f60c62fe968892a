"""Named faults, each a small change of the product's text, that a round must notice.

SQL, measures and contracts are read from the changed text; of Python, the code of the functions that are changed is put
in place of theirs, so that whoever imported them before has the fault too.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from inspect import unwrap
from pathlib import Path
from typing import Any

import pytest
import small_england
import strike_reporting

PACKAGE = Path(strike_reporting.__file__).parent


@dataclass(frozen=True)
class Mutant:
    """What is wrong, the round by hand that must notice it, and the change in a file of the package."""

    name: str
    noticed_by: str
    file: str
    old: str
    new: str

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The product with this fault."""
        path = PACKAGE / self.file
        text = path.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{self.name}: {self.file} holds {text.count(self.old)} times: {self.old}"
        changed = text.replace(self.old, self.new)
        with pytest.MonkeyPatch.context() as patch:
            if path.suffix == ".py":
                _swap(patch, self.file, changed)
            else:
                _read_as(patch, path, changed)
            small_england.forget()
            yield
        small_england.forget()


def _read_as(patch: pytest.MonkeyPatch, path: Path, text: str) -> None:
    """Whoever reads the file reads this."""
    read_text, read_bytes = Path.read_text, Path.read_bytes
    patch.setattr(Path, "read_text", lambda p, *a, **k: text if p == path else read_text(p, *a, **k))
    patch.setattr(Path, "read_bytes", lambda p: text.encode() if p == path else read_bytes(p))


def _swap(patch: pytest.MonkeyPatch, file: str, text: str) -> None:
    """Give the module's functions the code of this text."""
    module = import_module("strike_reporting." + file.removesuffix(".py").replace("/", "."))
    codes = dict(_codes(compile(text, str(PACKAGE / file), "exec")))
    swapped = 0
    for function in _functions(module):
        code = codes.get(function.__qualname__)
        if code is not None and code != function.__code__:
            patch.setattr(function, "__code__", code)
            swapped += 1
    assert swapped, f"{file}: no function is another one"


def _codes(code: types.CodeType) -> Iterator[tuple[str, types.CodeType]]:
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield const.co_qualname, const
            yield from _codes(const)


def _functions(module: types.ModuleType) -> Iterator[Any]:
    """All functions and methods of a module, also those behind a cache."""
    for value in vars(module).values():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        for member in vars(value).values() if isinstance(value, type) else [value]:
            found = unwrap(member.fget) if isinstance(member, property) and member.fget else unwrap(member)
            if isinstance(found, types.FunctionType):
                yield found
