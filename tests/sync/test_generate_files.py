"""Generated files: how their lines break, and the command that writes and compares them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudreel._generate import __main__ as command
from cloudreel._generate.layout import fit, import_lines

# -- layout ------------------------------------------------------------------------------------------


def test_lines_break_as_ruff_breaks_them() -> None:
    short, long = ["a"] * 3, ["a" * 40] * 3
    assert fit(4, "f(", short, ")") == "    f(a, a, a)\n"
    fitting = ["b" * 34] * 3  # 106 characters with what separates them: a line, but not with brackets
    assert fit(0, "ffffff(", fitting, ")") == f"ffffff(\n    {', '.join(fitting)}\n)\n"
    assert fit(0, "f(", long, ")") == "f(\n" + f"    {'a' * 40},\n" * 3 + ")\n"


def test_imports_are_sorted_as_ruff_sorts_them() -> None:
    imports: dict[str, tuple[str, str | None]] = {
        "b": ("cloudreel.b", "b"),
        "B": ("cloudreel.b", "B"),
        "BIG": ("cloudreel.b", "BIG"),
        "UploadedFile": ("cloudreel.b", "UploadedFile"),
        "UploadStatus": ("cloudreel.b", "UploadStatus"),
        "upTo": ("cloudreel.b", "upTo"),
        "other": ("cloudreel.a", "name"),
        "httpx": ("httpx", None),
        "ssl": ("ssl", None),
        "Self": ("typing", "Self"),
    }
    assert import_lines(imports).splitlines() == [
        "import ssl",
        "from typing import Self",
        "",
        "import httpx",
        "",
        "from cloudreel.a import name as other",
        "from cloudreel.b import BIG, B, UploadedFile, UploadStatus, b, upTo",
    ]


# -- the command -------------------------------------------------------------------------------------


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one generated file that is in step."""
    path = tmp_path / "shop" / "sync.py"
    path.parent.mkdir()
    path.write_text("fresh\n")
    monkeypatch.setattr(command, "PACKAGE", tmp_path)
    monkeypatch.setattr(command, "outputs", lambda: {path: "fresh\n"})
    return path


def test_in_step_is_success(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--check"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["", "fresh\n\n", "stale\n"])
def test_out_of_step_is_told_and_changed_only_when_asked(
    room: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    room.write_text(text)
    assert command.main(["--check"]) == 1
    assert "shop/sync.py" in capsys.readouterr().err
    assert room.read_text() == text
    assert command.main([]) == 0
    assert room.read_text() == "fresh\n"


def test_a_missing_and_a_left_over_file_are_out_of_step(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room.unlink()
    left_over = room.parents[1] / "gone" / "sync.py"
    left_over.parent.mkdir()
    left_over.touch()
    assert command.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "shop/sync.py" in told
    assert "gone/sync.py" in told
