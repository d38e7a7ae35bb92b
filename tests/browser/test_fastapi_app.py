"""The example application as its users meet it: drop a film, reload in the middle, go on, watch it."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = pytest.mark.skipif(not which("chromium"), reason="there is no chromium on the PATH to drive")

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_app"
PART_SIZE = 4 * 1024
FILM = "a film from the holidays with a name that does not fit.mp4"

DROP = """([text, name, modified]) => {
    const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], name, {type: "video/mp4", lastModified: modified}));
    document.querySelector("#drop").dispatchEvent(
        new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
}"""
FITS = "() => document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with parts so small that the clip has many."""
    with Sandbox(part_size=PART_SIZE) as running:
        yield running


@pytest.fixture(scope="module")
def address(sandbox: Sandbox) -> Iterator[str]:
    """Where the example is served, started as its users start it."""
    credentials = {
        f"{service}_{name}".upper(): str(value)
        for service, values in sandbox.config.items()
        if isinstance(values, dict)
        for name, value in values.items()
    }
    command = [sys.executable, "-W", "error", str(EXAMPLE), "--port", "0"]
    env = {**os.environ, **credentials}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        first_line = served.stdout.readline()
        assert first_line.startswith("Drop films at http://127.0.0.1:"), first_line
        try:
            yield first_line.split()[-1]
        finally:
            served.terminate()


def fault(sandbox: Sandbox, **fields: object) -> None:
    httpx.post(f"{sandbox.base_url}/__sandbox__/faults", json=fields).raise_for_status()


def drop(page: Page, clip: Path, name: str) -> None:
    page.evaluate(DROP, [base64.b64encode(clip.read_bytes()).decode(), name, 1_700_000_000_000])


def upload_of(sandbox: Sandbox, name: str) -> dict[str, Any]:
    [found] = [upload for upload in sandbox.world.snapshot()["uploads"] if upload["file_name"] == name]
    return dict(found)


def uploaded_percent(page: Page) -> float:
    return float(page.locator(".bar progress").first.evaluate("bar => bar.value"))


def plays(page: Page) -> None:
    video = page.locator(".film video")
    video.evaluate("video => { video.muted = true; return video.play(); }")
    page.wait_for_function("document.querySelector('.film video').currentTime > 0.5")


def looks_right(page: Page, address: str, sandbox: Sandbox, folder: Path, name: str) -> None:
    """Check that everything fits and comes from here, wide and narrow, and keep pictures of it."""
    for scheme, width in (("light", 1280), ("dark", 360)):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        assert page.evaluate(FITS)
        page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
    asked = page.evaluate("() => performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(url.startswith((address, sandbox.base_url)) for url in asked), asked


def test_a_film_is_dropped_and_the_page_reloaded_in_the_middle(
    page: Page, address: str, sandbox: Sandbox, clip: Path, tmp_path: Path
) -> None:
    parts = -(-clip.stat().st_size // PART_SIZE)
    assert parts > 8
    fault(sandbox, method="PUT", path="/upload/*", action="delay", seconds=0.15, times=parts)
    page.goto(address)
    drop(page, clip, FILM)
    page.wait_for_function("document.querySelector('.bar progress')?.value > 20")
    assert page.locator(".film h2").inner_text() == FILM
    page.reload()
    page.get_by_text("Drop the same film again").wait_for()
    missing = len(upload_of(sandbox, FILM)["missing"])
    assert 0 < missing < parts
    assert 0 < uploaded_percent(page) < 100
    looks_right(page, address, sandbox, tmp_path, "stopped")
    drop(page, clip, FILM)
    page.get_by_text("Ready. It plays by a signed URL").wait_for()
    names = page.locator(".bar dt").all_inner_texts()
    assert names[0] == "Upload"
    assert sorted(names[1:]) == ["h264", "webm"]
    assert page.locator(".bar dd span").all_inner_texts() == ["100 %"] * 3
    plays(page)
    upload = upload_of(sandbox, FILM)
    assert upload["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert upload["repeated"] == 0
    looks_right(page, address, sandbox, tmp_path, "ready")
    # What is on the page outlives a reload, and so does the film.
    page.reload()
    page.get_by_text("Ready. It plays by a signed URL").wait_for()
    plays(page)


def test_a_line_that_breaks_is_repaired_by_the_page(
    page: Page, address: str, sandbox: Sandbox, clip: Path
) -> None:
    fault(sandbox, method="PUT", path="/upload/*", action="status", status=503, times=3)
    fault(sandbox, method="PUT", path="/upload/*", action="drop", after_bytes=1000, times=2)
    page.goto(address)
    drop(page, clip, "broken.mp4")
    page.locator(".film:not([data-state=uploading])").wait_for()
    assert upload_of(sandbox, "broken.mp4")["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()


def test_a_film_that_is_removed_is_given_up(page: Page, address: str, sandbox: Sandbox, clip: Path) -> None:
    fault(sandbox, method="PUT", path="/upload/*", action="delay", seconds=0.3, times=8)
    page.goto(address)
    drop(page, clip, "unwanted.mp4")
    page.wait_for_function("document.querySelector('.bar progress')?.value > 5")
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as given_up:
        page.get_by_role("button", name="Remove from the list").click()
    assert given_up.value.status == 200
    assert upload_of(sandbox, "unwanted.mp4")["status"] == "aborted"
    assert page.locator(".film").count() == 0
    httpx.delete(f"{sandbox.base_url}/__sandbox__/faults").raise_for_status()


def test_a_file_that_is_no_film_is_refused_in_words(page: Page, address: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no film")
    page.goto(address)
    page.set_input_files("#file", tmp_path / "notes.txt")
    page.get_by_text("Only video/* can be uploaded").wait_for()
    page.get_by_role("button", name="Remove from the list").click()
    assert page.locator(".film").count() == 0


def test_a_film_that_cannot_be_encoded_is_told(page: Page, address: str) -> None:
    page.goto(address)
    noise = {"name": "noise.mp4", "mimeType": "video/mp4", "buffer": b"no film at all" * 1000}
    page.set_input_files("#file", noise)
    page.locator(".film[data-state=failed]").wait_for()
    assert page.locator(".film video").is_hidden()


@pytest.mark.soak
def test_it_needs_no_account(clip: Path) -> None:
    env = {name: text for name, text in os.environ.items() if not name.startswith("TELESTREAM_")}
    command = [sys.executable, "-W", "error", str(EXAMPLE), str(clip)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "206 video/mp4 from http://127.0.0.1:" in done.stdout
    assert done.stderr == ""
