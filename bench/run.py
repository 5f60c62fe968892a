"""`make bench`: the compute path against the plain DuckDB script, alternating in one run, as a ratio."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.reference.actions import resolve
from strike_reporting.reference.organisations import organisations
from strike_reporting.simulator import simulate
from strike_reporting.storage import Store

ACTION = "JD-2023-04-11"
HERE = Path(__file__).parent
RUNS = 3


def child(*command: str) -> tuple[float, float, str]:
    """Wall seconds, peak MB and output of one process."""
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed")
    return time.monotonic() - start, usage.ru_maxrss / 1024, said


def areas(path: Path) -> None:
    import pyarrow as pa

    orgs, day = organisations(), resolve(ACTION).days[0]
    rows = [
        {"ods_code": t.ods_code, "area_type": a.area_type, "area_code": a.area_code}
        for t in orgs.trusts(day)
        for a in orgs.areas(t.ods_code, day)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)


def england(path: Path, *columns: str) -> list[int]:
    rows = pq.read_table(path).to_pylist()
    row = next(r for r in rows if r["area_type"] == "england")
    return [row[c] for c in columns]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="strikes-bench-") as root:
        work = Path(root)
        print("Simulating the national round ...", flush=True)
        made = simulate(resolve(ACTION), work / "drop", detail=30, dirt=0.01, only_template=True)
        # Files that the sender damaged have no place in a plain script's scan: both sides get the readable ones.
        from strike_reporting.extracts import load

        for path in (work / "drop").glob("*.csv"):
            extract = path.stem.split("_", 1)[1]
            if load(extract).count_field not in path.read_text().split("\n", 1)[0]:
                path.unlink()
        areas(work / "areas.parquet")
        collect_drop(Store(work / "landed"), work / "drop", ACTION)
        print(f"{made.files} files, {made.rows}; {RUNS} runs of each side, alternating", flush=True)
        ours, reference, stages = [], [], []
        for n in range(RUNS):
            home, out = work / f"home{n}", work / f"out{n}"
            shutil.copytree(work / "landed", home)
            out.mkdir()
            wall, peak, said = child(str(HERE / "ours.py"), str(home), ACTION)
            ours.append((wall, peak))
            stages.append(json.loads(said))
            wall, peak, _ = child(str(HERE / "reference.py"), str(work / "drop"), str(out), str(work / "areas.parquet"))
            reference.append((wall, peak))
            mine = england(
                home / "action_totals.parquet", "inpatient_cancelled", "outpatient_cancelled", "staff_days_lost"
            )
            theirs = england(out / "action_totals.parquet", "inpatient", "outpatient", "staff_days")
            if mine != theirs:
                raise SystemExit(f"the two sides disagree on England: {mine} against {theirs}")
        report(ours, reference, stages)
        _, peak, said = child(str(HERE / "reports.py"), str(work / "home0"), ACTION)
        made = json.loads(said)
        ratio = made["seconds"] / statistics.median(r[0] for r in reference)
        print(
            f"Reports of the round: {made['pages']} pages, workbook and CSV in {made['seconds']:.1f} s, "
            f"{ratio:.1f} times the reference, {peak:.0f} MB; England's page has {made['england_bytes']:,} bytes."
        )


def report(ours: list, reference: list, stages: list) -> None:
    def middle(values: list) -> tuple[float, float]:
        return statistics.median(v[0] for v in values), statistics.median(v[1] for v in values)

    (wall, peak), (wall_ref, peak_ref) = middle(ours), middle(reference)
    laps = {k: statistics.median(s[k] for s in stages) for k in stages[0]}
    compute = sum(v for k, v in laps.items() if k != "imports and suites")
    print(f"{'':34}{'seconds':>10}{'peak MB':>10}")
    print(f"{'reference (DuckDB), whole process':34}{wall_ref:10.2f}{peak_ref:10.0f}")
    print(f"{'ours, whole process':34}{wall:10.2f}{peak:10.0f}")
    for name, seconds in laps.items():
        print(f"{'  ' + name:34}{seconds:10.2f}")
    print(f"ratio, whole process: {wall / wall_ref:.1f}; without our imports: {compute / wall_ref:.1f}; "
          f"memory: {peak / peak_ref:.1f}")  # fmt: skip
    print("England's totals agree exactly on both sides.")


if __name__ == "__main__":
    main()
