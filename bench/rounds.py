"""`make bench-rounds`: an idle day and a strike day on a real scheduler, and the replay of all actions, timed.

The days are those of the strike that `tests/integration/lived.py` tells, lived by a clock that is moved. The replayed
history is synthetic: of every action that went ahead the trusts of a named area return the morning after each strike
day, one of them a day late. It writes `docs/performance-rounds.md`; with `ON=replay` it only
prints the second half.
"""

from __future__ import annotations

import csv
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "dags")]
HEAD = """# What a day costs, and all actions replayed

`make bench-rounds` writes this page ({cores} cores, Python {python}; synthetic data).

"""
DAYS = """## An idle day and a strike day

On a real scheduler (LocalExecutor, SQLite) whose clock is moved from round to round: seven trusts with two feeds each,
a pull every ten minutes on a day on which returns are due, figures cut at announced times and held by the gate for a
person. Task instances are those that had a process.

| day | runs: collect | validate | publish | approve | task instances | events | drafts | releases | mails |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
{rows}

Before rounds came from the strike calendar, three crons ran every day, and an idle hour ran 12 task instances and 3
asset events. Ten trusts that trickled in over five rounds made five releases and ten mails; now they make drafts, and
one release at its time. (The figures of before are those that were told when it was changed, not measured here.)
"""
REPLAY = """## All actions replayed

`strikes release replay` over {actions} actions with {days} strike days and {files} landed files of {trusts} trusts,
each with the time at which it was received: {releases} releases and their pages in {wall:.0f} s ({cpu:.0f} processor
seconds), {each:.2f} processor seconds a release. Where the two differ much, the machine did other work beside it.
Again, with nothing left to replay: {idle:.1f} s.
"""
TOLD = {
    "10-19": "idle: nobody sends anything",
    "11-13": "idle: nobody sends anything, with an announced time of release",
    "10-01": "strike day: five trusts, one file refused and mended, one late",
    "10-02": "strike day: three trusts, one late",
}


def days() -> str:
    """The days' table."""
    from lived_by_clock import by_clock

    with tempfile.TemporaryDirectory(prefix="strikes-rounds-") as root, by_clock(Path(root)) as life:
        return told(life.airflow.folder, life.lines)


def told(folder: Path, lines: Sequence[tuple[str, str, str]]) -> str:
    """The same of a life that was lived: Airflow's folder, and the life's lines."""
    from lived_by_clock import counted
    from scheduler import ASKING, DAGS

    found, rows = counted(folder), []
    for day, what in TOLD.items():
        ran: Mapping[str, int] = found.get(day, {})
        said = [sum(m.startswith(day) and k == kind for m, k, _ in lines) for kind in ("draft", "release", "mail")]
        numbers = [*(ran.get(k, 0) for k in (*DAGS, ASKING, "tasks", "events")), *said]
        rows.append(f"| {what} | {' | '.join(map(str, numbers))} |")
    return DAYS.format(rows="\n".join(rows))


def by_day(path: Path) -> dict[date, str]:
    """The rows of a template file by strike day, as files of their own."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        head = next(reader)
        place = next(i for i, name in enumerate(head) if name.endswith("_date"))
        found: dict[date, list[list[str]]] = defaultdict(list)
        for row in reader:
            found[date.fromisoformat(row[place])].append(row)
    return {day: "\n".join(map(",".join, [head, *rows])) + "\n" for day, rows in found.items()}


def landed(work: Path) -> tuple[int, int, int, int]:
    """Land and judge the history; how many actions, strike days, files and trusts."""
    import time_machine
    from strike_reporting.clock import LONDON
    from strike_reporting.intake.collecting import collect_drop
    from strike_reporting.judging.settle import to_validate, validate
    from strike_reporting.reference.actions import actions, resolve
    from strike_reporting.reference.areas import named_areas
    from strike_reporting.simulator import simulate
    from strike_reporting.storage import Store

    store = Store()
    files, struck = 0, 0
    trusts = sorted(m.ods_code for m in named_areas()[0].members)
    went = [a.action_id for a in actions().values() if a.status == "went_ahead"]
    for action_id in went:
        action = resolve(action_id)
        simulate(action, work / action_id, trusts=trusts, detail=3, only_template=True)
        drops: dict[datetime, Path] = {}
        for path in sorted((work / action_id).glob("*.csv")):
            is_late = path.name.startswith(trusts[0])
            for day, text in by_day(path).items():
                came = datetime.combine(day + timedelta(days=1 + is_late), datetime.min.time(), LONDON)
                folder = drops.setdefault(came + timedelta(hours=9), work / f"{action_id}-{came:%Y-%m-%d}")
                folder.mkdir(exist_ok=True)
                (folder / f"{path.stem}-{day}.csv").write_text(text, encoding="utf-8")
                files += 1
        struck += len(action.days)
        for moment, folder in sorted(drops.items()):
            with time_machine.travel(moment, tick=False):
                assert collect_drop(store, folder, action_id, data_class="synthetic").status == "landed"  # noqa: S101
    assert all(j.outcome and j.outcome.status == "accepted" for j in validate(store, to_validate(store)))  # noqa: S101
    return len(went), struck, files, len(trusts)


def timed(command: list[str]) -> tuple[str, float, float]:
    """What a command printed, and its wall and processor seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return said, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def replayed() -> str:
    """The replay's sentence."""
    from strike_reporting.operations.starter import write_starter

    with tempfile.TemporaryDirectory(prefix="strikes-replay-") as root:
        work = Path(root)
        write_starter(work / "config")
        os.environ.update(STRIKES_CONFIG=str(work / "config"), STRIKES_HOME=str(work / "home"))
        actions, struck, files, trusts = landed(work)
        command = [str(Path(sys.executable).parent / "strikes"), "release", "replay"]
        _, wall, cpu = timed(command)
        releases = len(list((work / "home" / "releases").glob("*/*/manifest.json")))
        _, idle, _ = timed(command)
    return REPLAY.format(
        actions=actions,
        days=struck,
        files=files,
        trusts=trusts,
        releases=releases,
        wall=wall,
        cpu=cpu,
        each=cpu / releases,
        idle=idle,
    )


def main() -> None:
    if sys.argv[1:] == ["replay"]:
        print(replayed())
        return
    head = HEAD.format(cores=os.cpu_count(), python=platform.python_version())
    page = head + days() + "\n" + replayed()
    (ROOT / "docs" / "performance-rounds.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
