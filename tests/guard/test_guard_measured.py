"""The guard is measured: precision and recall by class on what it was not tuned on, and on what it was."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return runpy.run_path(str(HERE))


@pytest.mark.parametrize("half", ["held out", "tuned"])
def test_every_class_is_told_with_precision_and_recall(half: str, measured: dict[str, Any]) -> None:
    for name, score in measured["scores"](measured["cases"](half)).items():
        assert score.found >= 6, f"{name}: too few to say anything"
        assert score.precision >= measured["LOWEST"], f"{name}: {score}"
        assert score.recall >= measured["LOWEST"], f"{name}: {score}"


def test_the_measure_falls_when_the_guard_is_worse(measured: dict[str, Any]) -> None:
    told = [("a", "names", "names")] * 50 + [("b", "names", None), ("c", None, "names"), ("d", "postcodes", "names")]
    score = measured["scores"](told)
    assert score["names"] == (50, 2, 1)
    assert score["postcodes"] == (0, 0, 1)
    assert score["postcodes"].recall == 0
    assert score["all"] == (51, 1, 1)
    assert score["names"].precision < measured["LOWEST"]


def test_the_corpus_is_large_and_of_nobody(measured: dict[str, Any]) -> None:
    columns, files = measured["columns"](), measured["files"]()
    assert len(columns) >= 200
    assert len(files) >= 200
    texts = [v for c in columns if c.label == "NHS numbers" for v in c.values]
    texts += [t for f in files if f.has_patients for t in (*f.texts, *(c for row in f.grid for c in row))]
    numbers = [
        re.sub(r"\D", "", m[0]) for t in texts for m in re.finditer(r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)", t)
    ]
    assert len(numbers) > 500
    assert {n[:3] for n in numbers} == {"999"}
    assert columns == measured["columns"]()
