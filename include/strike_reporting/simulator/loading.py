"""The simulators of the extracts: each in its folder, found by its path, so that a configuration may bring its own."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from strike_reporting.errors import OurFault
from strike_reporting.extracts import EXTRACTS, contracts_dir
from strike_reporting.extracts.simulating import Simulator


def simulators() -> dict[str, Simulator]:
    """Each extract's that has one.

    Raises:
        OurFault: a `simulate.py` that cannot be used.
    """
    paths = {e: contracts_dir(e) / "simulate.py" for e in EXTRACTS}
    return {e: _load(e, path) for e, path in paths.items() if path.is_file()}


@cache
def _load(extract: str, path: Path) -> Simulator:
    spec = importlib.util.spec_from_file_location(f"simulator_of_{extract}", path)
    assert spec and spec.loader  # noqa: S101 - it is a file whose name ends in .py
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, "SIMULATOR", None)
    if not isinstance(found, Simulator):
        raise OurFault(f"{path}: it holds no `SIMULATOR = Simulator(...)` of strike_reporting.extracts.simulating")
    return found
