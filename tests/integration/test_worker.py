"""The reading worker keeps nothing of a file that it has answered for."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

REFUSED = """
import gc, os
from dataclasses import fields
from strike_reporting.judging.reading import worker
from strike_reporting.judging.reading.limits import Limits
from strike_reporting.settings import settings
limits = Limits(**{f.name: getattr(settings(), f.name) for f in fields(Limits)})
def refused():
    heard, answers = os.pipe()
    worker._answer(answers, {"layouts": []}, bytearray(b"PK\\x03\\x04" + bytes(20_000)), limits)
    os.close(answers)
    said = os.read(heard, 100_000)
    os.close(heard)
    return said
assert b"rejected" in refused()
gc.collect()
gc.disable()
refused()
print(gc.collect())
"""


def test_a_refused_file_is_not_held_until_somebody_looks_for_garbage() -> None:
    said = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["0"]
