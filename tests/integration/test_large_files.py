"""A file that is wrong in every row costs memory by its rows, whatever is wrong with them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import judge
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of
from strike_reporting.publishing.frame import frame
from strike_reporting.publishing.selection import select
from strike_reporting.publishing.summaries import summarise
from strike_reporting.reference.actions import resolve
from strike_reporting.reference.organisations import organisations
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration

HEAD = "ods_code,site_code,activity_date,point_of_delivery,treatment_function_code,priority,status,cancelled_count"
STAFF = "ods_code,site_code,shift_date,shift,staff_group,grade,due_to_work,absent_action,absent_other,redeployed_in"
WIDE = "Org Code,Date,Inpatient,Outpatient"
TRUSTS = [t.ods_code for t in organisations().trusts(date(2023, 12, 20))]
ROWS, MOST = 100_000, 900_000


@dataclass(frozen=True)
class Kind:
    """A large file: how a row is written, what share of the most rows it has, and how many rows each becomes."""

    row: Callable[[int], str]
    head: str = HEAD
    times: int = 1
    share: float = 1.0

    @property
    def name(self) -> str:
        """Of the file."""
        return "RHU_staffing.csv" if self.head == STAFF else "RHU_cancellations.csv"


KINDS = {
    "good": Kind(
        lambda n: (
            f"RHU,RHU{n // 9000:02X},2023-12-{20 + n % 3},day_case,{100 + n // 3 % 600},"
            f"P{n // 1800 % 5 + 2},cancelled,{n % 499 + 1}"
        )
    ),
    "words": Kind(lambda n: f"RHU,,2023-12-{20 + n % 3},day_case,{100 + n % 600},,cancelled,{word(n)}"),
    "copies": Kind(lambda n: f"RHU,,2023-12-20,day_case,100,,cancelled,{3 + n % 5}"),
    "long rows": Kind(
        lambda n: f"RHU,RHU{n // 9000:02X},2023-12-20,day_case,{100 + n % 600},P2,cancelled,1{',5' * (n % 3)}"
    ),
    "too large": Kind(
        lambda n: f"RHU,RHU{n // 9000:02X},2023-12-20,day_case,{100 + n % 600},P2,cancelled,{n + 30_000}"
    ),
    "specialties": Kind(
        lambda n: (
            f"RHU,RHU{n // 9000:02X},2023-12-{20 + n % 3},day_case,T{n},P{n // 1800 % 5 + 2},cancelled,{n % 499 + 1}"
        )
    ),
    "specialties in copies": Kind(
        lambda n: f"RHU,RHU{n // 9000:02X},2023-12-20,day_case,T{n},P2,cancelled,{n % 499 + 1}"
    ),
    "trusts": Kind(lambda n: f"{'RHU' if n < 10 else f'X{n}'},,2023-12-20,day_case,100,P2,cancelled,{n % 499 + 1}"),
    "sites": Kind(lambda n: f"RHU,S{n:07}X,2023-12-20,day_case,100,P2,cancelled,{n % 499 + 1}"),
    "wide": Kind(lambda n: f"RHU,{20 + n % 3}/12/2023,{n % 499 + 1},{n % 300 + 1}", WIDE, 2, 0.5),
    "wide words": Kind(lambda n: f"RHU,{20 + n % 3}/12/2023,{word(n)},{word(n + 9)}", WIDE, 2, 0.5),
    "collective": Kind(
        lambda n: (
            f"{TRUSTS[n % len(TRUSTS)]},,2023-12-{20 + n // 209 % 3},day_case,{100 + n // 627 % 600},"
            f"P{n // 376_200 % 5 + 2},cancelled,{n % 499 + 1}"
        )
    ),
    "collective words": Kind(
        lambda n: f"{TRUSTS[n % len(TRUSTS)]},,2023-12-20,day_case,{100 + n % 600},P2,cancelled,{word(n)}"
    ),
    "staffing words": Kind(  # four different words in each row
        lambda n: (
            f"RHU,,2023-12-{20 + n % 3},day,medical_and_dental,consultant,"
            f"{word(n)},{word(n + 1)},{word(n + 2)},{word(n + 3)}"
        ),
        STAFF,
        share=0.6,
    ),
}
SAID = """
import json, sys
from pathlib import Path
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.storage import Store
store = Store(Path(sys.argv[1]) / "home")
def judged(drop):
    collect_drop(store, Path(sys.argv[1]) / drop, "JD-2023-12-20")
    return validate(store, to_validate(store))
judged("small")  # so that what every file costs is in what was there before
def peak():  # of this program alone: what getrusage says begins with the peak of the one that started it
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
before = peak()
[found] = judged("drop")
o = found.outcome
print(json.dumps([before, peak(), o.status, o.rows_read, o.rows_accepted, sum(o.rules.values()) + o.warnings]))
"""


def word(number: int) -> str:
    """A word of six letters, another for each number."""
    letters = []
    for _ in range(6):
        number, letter = divmod(number, 26)
        letters.append(chr(97 + letter))
    return "".join(letters)


def judged(folder: Path, kind: Kind, rows: int) -> tuple[float, float, str, int, int, int]:
    """Peak memory before and after a file of a kind is judged, and what is said of it."""
    for drop, many in (("small", 100), ("drop", int(rows * kind.share))):
        (folder / drop).mkdir()
        (folder / drop / kind.name).write_text("\n".join([kind.head, *map(kind.row, range(many))]))
    run = subprocess.run([sys.executable, "-c", SAID, str(folder)], capture_output=True, text=True, check=True)
    found: tuple[float, float, str, int, int, int] = tuple(json.loads(run.stdout.splitlines()[-1]))
    return found


@pytest.mark.parametrize("name", KINDS)
def test_memory_follows_the_rows(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    before, after, status, read, used, told = judged(tmp_path, kind, ROWS)
    many = int(ROWS * kind.share) * kind.times
    most = {"staffing words": 2_000, "specialties": 1_200, "specialties in copies": 1_200}
    assert (after - before) / many < most.get(name, 1_000), "bytes a row, of which some say two and more"
    assert read == many
    if name in ("good", "collective"):
        assert (status, used, told) == ("accepted", many, 0)
    elif name == "wide":  # its lines are alike in all but their numbers: the first few are asked about
        assert (status, used) == ("accepted", many) and 0 < told < 100
    elif name == "sites":
        assert (status, used, told) == ("rejected", 0, 1), "refused as a whole: no trust has so many"
    else:
        assert status != "accepted" and told > 0 and used + told >= many, "every row is used or told of"


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", KINDS)
def test_the_largest_file_stays_below_600_megabytes(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    _, after, _, read, _, _ = judged(tmp_path, kind, MOST)
    assert read == int(MOST * kind.share) * kind.times and after < 600e6


@pytest.mark.exhaustive
def test_figures_of_large_files_fit_the_memory_that_is_given(store: Store, drop: Callable[..., Path]) -> None:
    """Two that are summed together: what DuckDB sorted of them did not fit, and nothing was published."""
    made = {}
    for trust in ("RHU", "RHM"):
        rows = (f"{KINDS['good'].row(n).replace('RHU', trust)},Yes" for n in range(430_000))
        made[f"{trust}_cancellations__csv"] = "\n".join([f"{HEAD},patient_notified", *rows])
    collect_drop(store, drop(**made), "JD-2023-12-20")
    assert [o.rows_accepted for o in judge(store)] == [430_000, 430_000]
    asked = frame(resolve("JD-2023-12-20"))
    tables, facts, lost = summarise(store, asked, select(asked, ledger_of(store).judged.listed()))
    said = 2 * sum(n % 499 + 1 for n in range(430_000))
    [england] = tables["action_totals"].filter(pc.field("area_code") == "ENG").to_pylist()
    assert lost == [] and england["inpatient_cancelled"] == said
    assert pq.read_metadata(pa.BufferReader(facts)).num_rows == 6 * 430_000
