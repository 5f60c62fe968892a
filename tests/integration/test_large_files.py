"""A file that is wrong in every row costs memory by its rows, whatever is wrong with them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

HEAD = "ods_code,site_code,activity_date,point_of_delivery,treatment_function_code,priority,status,cancelled_count"
ROWS, MOST = 100_000, 900_000
KINDS: dict[str, Callable[[int], str]] = {
    "good": lambda n: (
        f"RHU,RHU{n // 9000:02X},2023-12-{20 + n % 3},day_case,{100 + n // 3 % 600},"
        f"P{n // 1800 % 5 + 2},cancelled,{n % 499 + 1}"
    ),
    "words": lambda n: f"RHU,,2023-12-{20 + n % 3},day_case,{100 + n % 600},,cancelled,{word(n)}",
    "copies": lambda n: f"RHU,,2023-12-20,day_case,100,,cancelled,{3 + n % 5}",
    "long rows": lambda n: f"RHU,RHU{n // 9000:02X},2023-12-20,day_case,{100 + n % 600},P2,cancelled,1{',5' * (n % 3)}",
    "too large": lambda n: f"RHU,RHU{n // 9000:02X},2023-12-20,day_case,{100 + n % 600},P2,cancelled,{n + 30_000}",
}
SAID = """
import json, resource, sys
from pathlib import Path
from strike_reporting.extracts import load
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.judging import rules
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.storage import Store
rules._definition(load("cancellations"))
store = Store(Path(sys.argv[1]) / "home")
collect_drop(store, Path(sys.argv[1]) / "drop", "JD-2023-12-20")
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
[found] = validate(store, to_validate(store))
o = found.outcome
print(json.dumps([before, peak(), o.status, o.rows_read, o.rows_accepted, sum(o.rules.values())]))
"""


def word(number: int) -> str:
    """A word of six letters, another for each number."""
    letters = []
    for _ in range(6):
        number, letter = divmod(number, 26)
        letters.append(chr(97 + letter))
    return "".join(letters)


def judged(folder: Path, kind: str, rows: int) -> tuple[float, float, str, int, int, int]:
    """Peak memory before and after a file of a kind is judged, and what is said of it."""
    (folder / "drop").mkdir()
    text = "\n".join([HEAD, *map(KINDS[kind], range(rows))])
    (folder / "drop" / "RHU_cancellations.csv").write_text(text)
    run = subprocess.run([sys.executable, "-c", SAID, str(folder)], capture_output=True, text=True, check=True)
    found: tuple[float, float, str, int, int, int] = tuple(json.loads(run.stdout.splitlines()[-1]))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_memory_follows_the_rows(tmp_path: Path, kind: str) -> None:
    before, after, status, read, used, told = judged(tmp_path, kind, ROWS)
    assert (after - before) / ROWS < 1_000, "bytes a row"
    assert read == ROWS
    if kind == "good":
        assert (status, used, told) == ("accepted", ROWS, 0)
    else:
        assert status != "accepted" and told > 0 and used + told >= ROWS, "every row is used or told of"


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["good", "words", "copies"])
def test_the_largest_file_stays_below_600_megabytes(tmp_path: Path, kind: str) -> None:
    _, after, _, read, _, _ = judged(tmp_path, kind, MOST)
    assert read == MOST and after < 600e6
