"""What the package tells installers about itself; `nox -s build` looks at the finished distributions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
NEEDS = [need for needs in [PROJECT["dependencies"], *EXTRAS.values()] for need in needs]


@pytest.mark.parametrize("need", [need for need in NEEDS if not need.startswith("cloudreel[")])
def test_every_need_has_a_lowest_version_and_no_highest(need: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]+(\[[a-z,]+\])?>=[\d.]+( ?;.*)?", need)


def test_all_means_every_extra() -> None:
    (everything,) = EXTRAS["all"]
    assert everything == f"cloudreel[{','.join(sorted(EXTRAS.keys() - {'all'}))}]"


def test_what_only_makes_the_package_is_not_in_the_wheel() -> None:
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["src/cloudreel"]
    assert sorted(wheel["exclude"]) == ["src/cloudreel/_docs", "src/cloudreel/_generate"]
    assert all((ROOT / excluded).is_dir() for excluded in wheel["exclude"])


def test_the_package_says_that_it_is_typed_and_for_which_pythons() -> None:
    assert (ROOT / "src/cloudreel/py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]
    versions = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", c)]
    assert versions == sorted(versions, key=lambda version: int(version.partition(".")[2]))
    assert PROJECT["requires-python"] == f">={versions[0]}"
