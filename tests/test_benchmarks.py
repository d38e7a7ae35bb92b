"""The benchmarks run, each question once and with tiny counts; how fast anything is, is no test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

RUNNER = Path(__file__).parents[1] / "benchmarks" / "run.py"


def test_every_question_is_answered(tmp_path: Path) -> None:
    kept, page = tmp_path / "rows.json", tmp_path / "page.rst"
    page.write_text(
        "Before.\n\n.. benchmarks: what follows is written by `nox -s bench`\nold\n"
        ".. benchmarks: end\n\nAfter.\n"
    )
    command = [sys.executable, str(RUNNER), "--glance", "--json", str(kept), "--rst", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    rows = json.loads(kept.read_text())["rows"]
    assert {row["question"] for row in rows}
    for row in rows:
        measured = row["ratio"] is not None
        assert measured != row["note"].startswith("not measured: "), row
        assert not measured or (row["ours"] > 0 and row["theirs"] > 0), row
    text = page.read_text()
    assert text.startswith("Before.")
    assert text.endswith("After.\n")
    assert "old" not in text.split()
