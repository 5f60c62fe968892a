"""Coverage-guided fuzzing of everything that touches a trust's bytes: `make fuzz SECONDS=1800`.

Any outcome but a typed table or `Rejected` is a finding; so is a run over ten seconds or two gigabytes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["strike_reporting"]):
    from strike_reporting.extracts import load
    from strike_reporting.intake.dialects import dialects
    from strike_reporting.judging.guard import guard, guard_rest
    from strike_reporting.judging.matching import extra_columns, layouts, match
    from strike_reporting.judging.normalise import Named, normalise
    from strike_reporting.judging.problems import Rejected
    from strike_reporting.judging.reading.document import Document
    from strike_reporting.judging.reading.parsing import parse
    from strike_reporting.judging.reading.reader import limits_set
    from strike_reporting.judging.rulebook import Candidate
    from strike_reporting.simulator.examples import write_examples

KNOWN = [Candidate(d, load(d.extract)) for d in dialects().values()]
LIMITS = limits_set()


def one(data: bytes) -> None:
    try:
        document = Document.of(parse(data, layouts(KNOWN), LIMITS))
        guard_rest(document.whole)
        tables = match(document, KNOWN)
        for table in tables:
            guard(table)
            extra_columns(table)
        result = normalise([t for t in tables if t.contract == tables[0].contract], Named("RHU"))
    except Rejected:
        return
    assert result.table.num_rows < 2_000_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        seeds, corpus = Path(folder) / "inbox", Path(folder) / "corpus"
        corpus.mkdir()
        write_examples(seeds)
        for n, path in enumerate(sorted(seeds.rglob("*.*"))):
            if path.is_file():
                (corpus / f"seed{n}").write_bytes(path.read_bytes())
        atheris.Setup([*sys.argv, str(corpus), "-rss_limit_mb=2048", "-timeout=10", "-max_len=60000"], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
