"""A real browser that ends without a trace, and a sandbox with a film for it to play."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import pytest
from attrs import frozen
from playwright.sync_api import sync_playwright

from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from cloudreel.cloudkey import CloudKey

FLAGS = ["--disable-gpu", "--disable-quic"]
PATIENCE = 60  # seconds


@frozen
class Film:
    """A medium that is ready to be watched, and the account it belongs to."""

    id: str
    ck: CloudKey


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox on a real socket."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def film(sandbox: Sandbox, clip: Path) -> Iterator[Film]:
    """The clip, uploaded and encoded for browsers with H.264 and for those without."""
    names = ["mp4_h264_aac", "webm_vp8_vorbis", "jpeg_thumbnail_large"]
    with sandbox.sync.cloudkey() as ck:
        url = ck.file.upload_file(clip)["url"]
        id = ck.media.create(url=url, assets_names=names, meta={"title": "A short film"})["id"]
        ck.media.wait_for_assets(id, names, timeout=PATIENCE, poll=0.05)
        yield Film(id, ck)


@pytest.fixture(scope="package")  # for no longer: until it is closed no other event loop can run
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium without a window; it keeps out of the user's home, and none of its processes outlives it."""
    home = str(tmp_path_factory.mktemp("chromium"))
    env: dict[str, str | float | bool] = {**os.environ, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
    before = _descendants({os.getpid()})
    with sync_playwright() as playwright:
        driver = _descendants({os.getpid()}) - before
        with playwright.chromium.launch(executable_path=which("chromium"), args=FLAGS, env=env) as running:
            yield running
            started = driver | _descendants(driver) | _living_in(home)
        assert len(started) > 2
    give_up = time.monotonic() + PATIENCE
    while left := started & _parents().keys():
        assert time.monotonic() < give_up, f"these processes go on: {left}"
        time.sleep(0.05)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of a fresh profile, on which no script fails."""
    with browser.new_context(viewport={"width": 640, "height": 360}) as profile:
        profile.set_default_timeout(PATIENCE * 1000)
        failures: list[str] = []
        profile.on("weberror", lambda failed: failures.append(str(failed.error)))
        yield profile.new_page()
        assert failures == []


def _parents() -> dict[int, int]:
    """Return the parents of all processes that run, by process."""
    found: dict[int, int] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended since it was listed
            state, parent = file.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(file.parent.name)] = int(parent)
    return found


def _descendants(ancestors: set[int]) -> set[int]:
    """Return the processes that these started, and those that they started."""
    parents = _parents()
    found: set[int] = set()
    more = ancestors
    while more := {pid for pid, parent in parents.items() if parent in more}:
        found |= more
    return found


def _living_in(home: str) -> set[int]:
    """Return the processes with this home: the browser, and its crash handlers, which leave the family."""
    found: set[int] = set()
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if home.encode() in file.read_bytes():
                found.add(int(file.parent.name))
    return found
