"""Reading in a process of its own: what it may load and take, how it ends, and that nothing is lost on the way."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import poison
import pytest
from poison.formats import cell, xlsx
from strike_reporting.errors import OurFault, Transient
from strike_reporting.judging.problems import Problem, Rejected
from strike_reporting.judging.reading.document import Document, Layout, Sheet
from strike_reporting.judging.reading.parsing import parse
from strike_reporting.judging.reading.reader import Reader, limits_set, shared_reader

COMMA, SEMICOLON = Layout(("utf-8",), ","), Layout(("utf-8",), ";")
LIMITS = limits_set()
KILLS = poison.POISON["far_cell_in_single_quotes.xlsx"][0]
# Read for about a second, then refused.
SLOW = b"a,b" + b"\n" * 20_000_000 + b"x"


@pytest.fixture
def reader() -> Iterator[Reader]:
    with Reader() as made:
        yield made


def worker(reader: Reader) -> int:
    """The process id of a reader's worker, started when there is none."""
    if reader._worker is None:
        reader.read(b"a,b\n", [COMMA])
    assert reader._worker
    return reader._worker._process.pid


def gone(pid: int, seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def test_the_worker_loads_the_readers_and_nothing_else() -> None:
    code = "import sys, strike_reporting.judging.reading.worker; print(*(n for n, m in sys.modules.items() if m))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    packages = {name.split(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    unseen = {name for name in packages if not name.startswith("_") and name not in ("cython_runtime", "sitecustomize")}
    assert unseen == {"strike_reporting", "pyarrow", "python_calamine", "defusedxml"}
    ours = {n.split(".")[1] for n in loaded if n.startswith("strike_reporting.")}
    assert ours == {"judging", "children", "errors", "nhs_number"}


def test_the_worker_has_limits_no_secrets_and_leaves_no_core(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_TRUST", "sftp://someone:secret@host")
    pid = worker(reader)
    limits = {line[:26].strip(): line[26:].split() for line in Path(f"/proc/{pid}/limits").read_text().splitlines()}
    assert limits["Max address space"][0] == str(1 << 30)
    assert limits["Max core file size"][:2] == ["0", "0"]
    environment = Path(f"/proc/{pid}/environ").read_text()
    assert "secret" not in environment
    assert "ARROW_DEFAULT_MEMORY_POOL=system" in environment
    assert "MALLOC_ARENA_MAX=2" in environment


def test_the_worker_ends_with_its_parent_even_when_a_fork_holds_its_input_open(tmp_path: Path) -> None:
    code = """if True:
        import os, time
        from strike_reporting.judging.reading.document import Layout
        from strike_reporting.judging.reading.reader import Reader
        reader = Reader()
        reader.read(b"a,b", [Layout(("utf-8",), ",")])
        fork = os.fork()
        if not fork:
            time.sleep(60)
        print(reader._worker._process.pid, fork, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    reading, fork = map(int, parent.stdout.readline().split())
    try:
        assert not gone(reading, 0.2)
        parent.kill()
        assert gone(reading)
    finally:
        parent.kill()
        parent.wait()
        os.kill(fork, signal.SIGKILL)


@pytest.mark.parametrize(
    "name",
    [
        "far_cell.xlsx",
        "many_texts_claimed.xlsx",
        "quote_without_end.csv",
        "dense.xls",
        "nested.parquet",
    ],
)
def test_a_refusal_arrives_as_it_was_raised(name: str, reader: Reader) -> None:
    data = poison.POISON[name][0]()
    here, there = (
        refusal(lambda: Document.of(parse(data, [COMMA], LIMITS))),
        refusal(lambda: reader.read(data, [COMMA])),
    )
    assert here == there
    assert here.fix


def refusal(read: Callable[[], Document]) -> Problem:
    try:
        [unread] = read().unread
        return unread.problem
    except Rejected as refused:
        return refused.problem


def test_a_text_is_read_once_under_each_distinct_layout_and_says_why_it_cannot(reader: Reader) -> None:
    windows = Layout(("cp1252",), ",")
    found = reader.read(b'a,b;"c\n1,2;3\n\n4,5\n', [COMMA, SEMICOLON, windows, Layout(("utf-8",), "|")])
    comma, semicolon = found.under(COMMA), found.under(SEMICOLON)
    assert isinstance(comma, Sheet)
    assert comma.rows == [["a", 'b;"c'], ["1", "2;3"], ["4", "5"]]
    assert comma.numbers() == [1, 2, 4]
    assert found.under(windows) is comma  # UTF-8 comes first, so it is the same reading
    assert isinstance(semicolon, Problem)
    assert semicolon.rule == "csv_quotes"
    assert found.under(Layout(("utf-8",), "|")) is None
    assert found.whole == [comma]


def test_rows_keep_their_lengths_however_many_there_are(reader: Reader) -> None:
    rows = [[str(n)] * (n % 7 + 1) for n in range(12_345)]
    [sheet] = reader.read("\n".join(map(",".join, rows)).encode(), [COMMA]).sheets
    assert sheet.rows == rows
    assert sheet.head(3) == rows[:3]
    assert sheet.numbers() == list(range(1, 12_346))


def test_every_sheet_comes_and_hidden_ones_are_marked(reader: Reader) -> None:
    sheets = '<sheet name="Seen" sheetId="1" r:id="rId1"/><sheet name="Old" sheetId="2" r:id="rId1" state="hidden"/>'
    found = reader.read(xlsx(cell("C3", "7"), sheets=sheets), [])
    assert [(s.name, s.hidden, s.rows, s.numbers()) for s in found.sheets] == [
        ("Seen", False, [["", "", "7"]], [3]),
        ("Old", True, [["", "", "7"]], [3]),
    ]
    assert [s.name for s in found.visible] == ["Seen"]


def test_a_size_that_a_sheet_only_claims_and_formats_without_values_are_not_believed(reader: Reader) -> None:
    empty = '<row r="1048576"><c r="XFD1048576" s="1"/><c r="XFC1048576"></c></row>'
    data = xlsx(cell("A1") + empty, before='<dimension ref="A1:XFD1048576"/>')
    assert reader.read(data, []).sheets[0].rows == [["1"]]


def test_a_worker_that_died_while_idle_is_no_files_fault(reader: Reader) -> None:
    os.kill(worker(reader), signal.SIGKILL)
    assert reader.read(b"a,b\n", [COMMA]).sheets[0].rows == [["a", "b"]]


def test_a_death_is_tried_again_alone_before_the_file_is_blamed(
    reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    first = worker(reader)
    killer = threading.Timer(0.3, os.kill, (first, signal.SIGKILL))
    killer.start()
    assert refusal(lambda: reader.read(SLOW, [COMMA])).rule == "row_limit"  # its own fault, not its reader's
    assert len(caplog.records) == 1
    assert worker(reader) != first


def test_a_file_that_ends_its_reader_twice_is_refused_and_the_next_one_is_read(
    reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Rejected) as refused:
        reader.read(KILLS(), [COMMA])
    assert refused.value.problem.rule == "too_large_to_read"
    assert refused.value.problem.fix
    assert len(caplog.records) == 2
    assert reader.read(b"a,b\n", [COMMA]).sheets[0].rows == [["a", "b"]]


def test_a_file_that_takes_too_long_is_refused() -> None:
    with Reader(replace(LIMITS, read_seconds=0.1)) as hasty, pytest.raises(Rejected) as refused:
        hasty.read(SLOW, [COMMA])
    assert refused.value.problem.rule == "too_large_to_read"
    assert "0.1 seconds" in refused.value.problem.message


def test_a_machine_that_is_too_busy_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strike_reporting.judging.reading.reader._LEAST_CLOCK_SECONDS", 1.5)
    with Reader(replace(LIMITS, read_seconds=0.3)) as starved:
        pid = worker(starved)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(Transient, match="too busy"):
            starved.read(b"a,b\n", [COMMA])
        assert gone(pid)
        assert starved.read(b"a,b\n", [COMMA]).sheets[0].rows == [["a", "b"]]


def test_a_worker_begun_early_is_the_one_that_reads_and_its_failure_is_told_by_the_first_read() -> None:
    with Reader() as early:
        early.begin()
        pid = worker(early)
        assert early.read(b"a,b\n", [COMMA]).sheets[0].rows == [["a", "b"]]
        assert worker(early) == pid
    with Reader(replace(LIMITS, read_memory_bytes=50_000_000)) as small:
        small.begin()
        for _ in range(2):
            with pytest.raises(OurFault, match="does not start"):
                small.read(b"a,b\n", [COMMA])


def test_no_worker_is_our_fault_and_not_the_senders(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        Reader(replace(LIMITS, read_memory_bytes=50_000_000)) as small,
        pytest.raises(OurFault, match="does not start"),
    ):
        small.read(b"a,b\n", [COMMA])
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Reader() as none, pytest.raises(OurFault, match="can be started"):
        none.read(b"a,b\n", [COMMA])


def test_the_least_memory_that_can_be_set_reads_an_ordinary_file() -> None:
    with Reader(replace(LIMITS, read_memory_bytes=256 * 1024**2)) as small:
        assert len(small.read(b"a,b\n1,2\n" * 10_000, [COMMA]).sheets[0].rows) == 20_000


def test_a_fault_of_a_reader_is_ours_and_quotes_nothing(reader: Reader) -> None:
    with pytest.raises(OurFault, match="LookupError in ") as fault:
        reader.read(b"secret \xff", [Layout(("no-such-encoding",), ",")])
    assert "secret" not in str(fault.value)
    assert reader.read(b"a,b\n", [COMMA]).sheets[0].rows == [["a", "b"]]


def test_an_interrupted_answer_is_not_taken_for_the_next_files(reader: Reader) -> None:
    def interrupt(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        worker(reader)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(TimeoutError):
            reader.read(SLOW, [COMMA])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert reader.read(b"a,b\n", [COMMA]).sheets[0].rows == [["a", "b"]]


def test_a_fork_reads_with_a_worker_of_its_own() -> None:
    ours = worker(shared_reader())
    child = os.fork()
    if not child:
        try:
            theirs = worker(shared_reader())
            os._exit(0 if theirs != ours and shared_reader().read(b"a,b", [COMMA]).sheets[0].rows else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert worker(shared_reader()) == ours
    assert shared_reader().read(b"c,d", [COMMA]).sheets[0].rows == [["c", "d"]]


def test_a_daemonic_child_as_a_celery_task_is_can_read() -> None:
    queue: multiprocessing.Queue[list[list[str]]] = multiprocessing.Queue()
    task = multiprocessing.Process(target=_read_into, args=(queue,), daemon=True)
    task.start()
    assert queue.get(timeout=60) == [["a", "b"]]
    task.join()


def _read_into(queue: multiprocessing.Queue[list[list[str]]]) -> None:
    with Reader() as own:
        queue.put(own.read(b"a,b", [COMMA]).sheets[0].rows)
