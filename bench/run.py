"""`make bench`: the compute path against the plain DuckDB script, alternating in one run, at several sizes.

Sizes are times a national round (`SIZES="1 10"` for less: at 100 the reference needs 12 GB); all of it is written to
docs/performance.md. `--quick` (in CI: `make bench-quick`) measures some trusts and fails where the ratio has grown by a
third over the one that is stored.
"""

from __future__ import annotations

import atexit
import csv
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from agree import differing
from ours import IMPORTS
from strike_reporting.extracts import load
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of
from strike_reporting.reference.actions import resolve
from strike_reporting.reference.organisations import organisations
from strike_reporting.simulator import simulate
from strike_reporting.storage import Store
from written import performance, plot

ACTION = "JD-2023-04-11"
HERE = Path(__file__).parent
STORED = HERE / "ratios.json"
DETAIL, QUICK_DETAIL, RUNS = 30, 6, 3
MOST_FLOOR = 30  # times the nation: what the floor holds beside DuckDB's tables does not fit at 100
QUICK_TRUSTS = 40
LOSS = 4 / 3
Laps = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Used:
    """What one process took: wall and processor seconds (of its children, too), and peak memory in MB."""

    wall: float
    processor: float
    peak: float


@dataclass(frozen=True)
class Size:
    """What was measured at one size; medians. phases: wall and processor seconds by stage of our side.

    reports: seconds, pages and the bytes of England's page, of all reports of the round. floor: the least processor
    seconds of anything that keeps each submission (`floor.py`), without imports; None where it was not measured.
    """

    times: int
    files: int
    rows: int
    ours: Used
    reference: Used
    reference_imports: Used
    phases: Laps
    reports: dict[str, float]
    floor: float | None

    @property
    def seconds(self) -> tuple[float, float]:
        """Ours without imports, wall and processor."""
        wall, processor = zip(*(took for name, took in self.phases.items() if name != IMPORTS), strict=True)
        return sum(wall), sum(processor)

    @property
    def reference_seconds(self) -> tuple[float, float]:
        """The reference's without imports, wall and processor."""
        whole, imports = self.reference, self.reference_imports
        return whole.wall - imports.wall, whole.processor - imports.processor

    def ratio(self, kind: int) -> float:
        """Ours to the reference without the imports of either, in wall (0) or processor (1) seconds."""
        return self.seconds[kind] / self.reference_seconds[kind]

    @property
    def floor_ratio(self) -> float | None:
        """The floor to the reference, in processor seconds without the imports of either."""
        return None if self.floor is None else self.floor / self.reference_seconds[1]


@dataclass(frozen=True)
class Sent:
    """Our side on a round as trusts send it. kinds: how many files of each dialect and file type; the rest medians."""

    kinds: dict[str, int]
    rows: int
    ours: Used
    phases: Laps


def folder() -> Path:
    """A new folder that stays until the end: a file system looks long for places of new files beside deleted ones."""
    found = Path(tempfile.mkdtemp(prefix="strikes-bench-"))
    atexit.register(shutil.rmtree, found)
    return found


def child(*command: str) -> tuple[Used, str]:
    """What a Python process took and printed."""
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101
    with ThreadPoolExecutor(1) as beside:
        peak = beside.submit(_peak, process.pid)
        said = process.stdout.read()
        peak.result()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed")
    return Used(time.monotonic() - start, usage.ru_utime + usage.ru_stime, peak.result()), said


def _peak(pid: int) -> float:
    """Peak memory of a program until it ends, in MB: what `wait4` says of it begins with the peak of ours."""
    found, status = 0.0, Path(f"/proc/{pid}/status")
    while said := re.search(r"VmHWM:\s+(\d+)", status.read_text()):  # none once it has ended
        found = int(said[1]) / 1024
        time.sleep(0.02)
    return found


def median(used: list[Used]) -> Used:
    return Used(
        *(statistics.median(values) for values in zip(*((u.wall, u.processor, u.peak) for u in used), strict=True))
    )


def areas(path: Path) -> None:
    orgs, day = organisations(), resolve(ACTION).days[0]
    rows = [
        {"ods_code": t.ods_code, "area_type": a.area_type, "area_code": a.area_code}
        for t in orgs.trusts(day)
        for a in orgs.areas(t.ods_code, day)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)


def drop(folder: Path, times: int, detail: int, dirt: float, trusts: list[str] | None = None) -> tuple[int, int]:
    """A synthetic national round as both sides can read it, so many times over; how many files and rows it has.

    Files that the sender damaged have no place in a plain script's scan. Rows are repeated under other sites.
    """
    simulate(resolve(ACTION), folder, trusts=trusts, detail=detail, dirt=dirt, only_template=True)
    files = rows = 0
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            head, *body = csv.reader(file)
        if load(path.stem.split("_", 1)[1]).count_field not in head:
            path.unlink()
            continue
        at = head.index("site_code")
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(head)
            for n in range(times):
                site = f"{path.name[:3]}Z{n:02X}" if times > 1 else None
                writer.writerows([*r[:at], site or r[at], *r[at + 1 :]] if len(r) > at else r for r in body)
        files, rows = files + 1, rows + len(body) * times
    return files, rows


def round_of(work: Path, times: int, detail: int, dirt: float, trusts: list[str] | None = None) -> tuple[int, int]:
    """A round on disk, landed for our side; how many files and rows."""
    made = drop(work / "drop", times, detail, dirt, trusts)
    areas(work / "areas.parquet")
    collect_drop(Store(work / "landed"), work / "drop", ACTION)
    return made


def ours_alone(work: Path, n: int) -> tuple[Used, Laps]:
    """Our side once, on a copy of what was landed, and its phases."""
    home = work / f"home{n}"
    shutil.copytree(work / "landed", home)
    used, said = child(str(HERE / "ours.py"), str(home), ACTION)
    return used, json.loads(said)


def both(work: Path, n: int) -> tuple[Used, Laps, Used, Used]:
    """Each side once, one after the other: ours and its phases, the reference, and its imports alone."""
    out = work / f"out{n}"
    out.mkdir()
    ours, laps = ours_alone(work, n)
    reference, _ = child(str(HERE / "reference.py"), str(work / "drop"), str(out), str(work / "areas.parquet"))
    imports, _ = child("-c", "import duckdb")
    return ours, laps, reference, imports


def floor(work: Path, n: int) -> float:
    """Processor seconds of the floor, without its imports."""
    out = work / f"floor{n}"
    out.mkdir()
    used, _ = child(str(HERE / "floor.py"), str(work / "drop"), str(out), str(work / "areas.parquet"))
    imports, _ = child("-c", "import duckdb, numpy, pyarrow.parquet")
    return used.processor - imports.processor


def middle(found: Sequence[Laps]) -> Laps:
    """The median of each phase's seconds."""
    return {n: (statistics.median(p[n][0] for p in found), statistics.median(p[n][1] for p in found)) for n in found[0]}


def measured(times: int, detail: int, runs: int) -> Size:
    work = folder()
    print(f"{times}x: simulating ...", flush=True)
    files, rows = round_of(work, times, detail, 0.01)
    print(f"{times}x: {files} files, {rows:,} rows; {runs} runs of each side, alternating", flush=True)
    found = [both(work, n) for n in range(runs)]
    _, said = child(str(HERE / "reports.py"), str(work / "home0"), ACTION)
    least = statistics.median(floor(work, n) for n in range(runs)) if times <= MOST_FLOOR else None
    ours, phases, reference, imports = (list(each) for each in zip(*found, strict=True))
    used = median(ours), median(reference), median(imports)  # type: ignore[arg-type]
    return Size(times, files, rows, *used, middle(phases), json.loads(said), least)  # type: ignore[arg-type]


def measured_as_sent(detail: int, runs: int) -> Sent:
    """The same trusts' rows in the dialects and file types that they send: workbooks, their suppliers' own forms."""
    work = folder()
    print("as trusts send it: simulating ...", flush=True)
    simulate(resolve(ACTION), work / "drop", detail=detail, dirt=0.01)
    collect_drop(Store(work / "landed"), work / "drop", ACTION)
    found = [ours_alone(work, n) for n in range(runs)]
    outcomes = ledger_of(Store(work / "home0")).judged.listed()
    kinds = Counter(f"{o.dialect or 'refused'} ({Path(o.source_name).suffix[1:]})" for o in outcomes)
    rows = sum(o.rows_read for o in outcomes)
    return Sent(dict(kinds.most_common()), rows, median([u for u, _ in found]), middle([laps for _, laps in found]))


def requests() -> dict[str, dict[str, int]]:
    """Requests to S3 by stage: of some trusts' files, and of as many trusts' again."""
    trusts = some_trusts(QUICK_TRUSTS)
    made = {}
    for some in (trusts[: QUICK_TRUSTS // 2], trusts):
        work = folder()
        files, _ = drop(work, 1, QUICK_DETAIL, 0.01, some)
        made[f"{files} files"] = json.loads(child(str(HERE / "objects.py"), str(work), ACTION)[1])
    return made


def some_trusts(many: int) -> list[str]:
    """The first trusts by their codes."""
    return sorted(t.ods_code for t in organisations().trusts(resolve(ACTION).days[0]))[:many]


def agreed() -> dict[str, tuple[int, int]]:
    """Whether a clean round gives the same figures on both sides. A dirty one need not: ours knows more rules."""
    work = folder()
    round_of(work, 1, QUICK_DETAIL, 0.0)
    both(work, 0)
    found = differing(work / "home0", work / "out0")
    for table, (figures, wrong) in found.items():
        print(f"{table}: {figures:,} figures, {wrong:,} differ")
        if wrong or not figures:
            raise SystemExit("the two sides disagree on a clean round")
    return found


def quick_ratio() -> float:
    """Ours to the reference, in processor seconds without imports, on some trusts: the best run of each side.

    Whatever else the machine does makes a run longer, never shorter.
    """
    work = folder()
    files, rows = round_of(work, 1, QUICK_DETAIL, 0.01, some_trusts(QUICK_TRUSTS))
    print(f"{files} files, {rows:,} rows; {RUNS} runs of each side, alternating", flush=True)
    found = [both(work, n) for n in range(RUNS)]
    ours = min(sum(took[1] for name, took in phases.items() if name != IMPORTS) for _, phases, _, _ in found)
    imports = min(alone.processor for *_, alone in found)
    return ours / (min(reference.processor for _, _, reference, _ in found) - imports)


def quick() -> None:
    """Compare the ratio on some trusts with the stored one."""
    ratio, before = quick_ratio(), json.loads(STORED.read_text())["quick"]
    if ratio > before * LOSS:  # a neighbour's work may have been in it: once more
        ratio = min(ratio, quick_ratio())
    print(f"processor ratio {ratio:.2f}, stored {before:.2f}")
    if ratio > before * LOSS:
        raise SystemExit(f"the compute path takes {ratio / before:.2f} times as much as when its ratio was stored")


def main() -> None:
    if "--quick" in sys.argv:
        quick()
        return
    tables = agreed()
    sent, made = measured_as_sent(DETAIL, RUNS), requests()
    asked = [*map(int, os.environ.get("SIZES", "1 10 30 100").split())]
    sizes = [measured(n, DETAIL, RUNS if n == 1 else 1) for n in asked]
    STORED.write_text(json.dumps({"quick": round(quick_ratio(), 3)}) + "\n")
    frozen = hashlib.sha256((HERE / "reference.py").read_bytes()).hexdigest()
    text = performance(sizes, sent, made, tables, frozen)
    (HERE.parent / "docs/performance.md").write_text(text)
    plot(sizes, HERE.parent / "docs/performance.svg")
    print(text)


if __name__ == "__main__":
    main()
