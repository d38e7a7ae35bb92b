"""The benchmarks run, each question once and with tiny counts; how fast anything is, is no test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
QUESTIONS = sorted(file.stem for file in BENCHMARKS.glob("*.py") if "\ndef rows(" in file.read_text("utf-8"))
LONG = {"blocking", "calls", "paging", "startup", "uploads", "waiting"}  # that start other programs
PAGE = """Before.

.. benchmarks: what follows is written by `nox -s bench`
old
.. benchmarks: end

After.
"""


def run(*arguments: str) -> str:
    """Run the runner and return what it prints."""
    command = [sys.executable, str(BENCHMARKS / "run.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "question", [pytest.param(name, marks=[pytest.mark.soak] if name in LONG else []) for name in QUESTIONS]
)
def test_a_question_is_answered(question: str, tmp_path: Path) -> None:
    kept = tmp_path / "rows.json"
    run("--glance", "--json", str(kept), "only", question)
    rows = json.loads(kept.read_text())["rows"]
    assert rows
    for row in rows:
        measured = row["ratio"] is not None
        assert measured != row["note"].startswith("not measured: "), row
        assert not measured or (row["ours"] > 0 and row["theirs"] > 0), row


def test_the_runner_asks_every_question() -> None:
    known = run("--help").replace("\n", " ")
    assert [question for question in QUESTIONS if question not in known] == []


def test_rows_are_kept_and_shown_between_the_marks_of_a_page(tmp_path: Path) -> None:
    kept, page = tmp_path / "rows.json", tmp_path / "page.rst"
    row = {"question": "a thing", "peer": "other 1.0", "ours": 2.0, "theirs": 4.0, "ratio": 0.5}
    kept.write_text(json.dumps({"machine": "A machine", "rows": [{**row, "target": 0.6}, row]}))
    page.write_text(PAGE)
    printed = run("--load", str(kept), "--rst", str(page))
    assert printed.count("a thing") == 2
    text = page.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith("\nAfter.\n")
    assert text.count("a thing") == 1
    assert "A machine." in text
    assert "old" not in text.split()
